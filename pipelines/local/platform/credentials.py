"""Generated passwords of the platform's PostgreSQL, kept in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

USERS = ("postgres", "batchlab", "catalog")


def load_or_make(path: Path) -> dict[str, str]:
    """Return `{user: password}`, generating the file (mode 0600) the first time."""
    try:
        known: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError):
        known = {}
    if set(USERS) <= set(known):
        return known
    made = {user: known.get(user) or secrets.token_urlsafe(24) for user in USERS}
    part = path.with_suffix(".new")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(made, stream)
    part.replace(path)
    return made
