"""What the reports held at the moment when the webhook was told of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from grader.checks.probe import Run
from grader.grading.ground import Ground
from grader.grading.tap import Passing, http_tap
from grader.oracle.tables import PARTITION, TABLES
from pipelines.local.errors import BadInput

PUBLISHED = tuple(table.name for table in TABLES if not table.in_lake)


def announced(ground: Ground, play: Callable[..., list[Run]]) -> list[Run]:
    """Play with an eye on the webhook: each run's facts say what the reports held when it was called."""
    seen: list[dict[str, Any]] = []
    guard = threading.Lock()

    def before(passing: Passing) -> None:
        if passing.method == "POST":
            with guard:
                seen.append({**_about(passing), "held": held(ground)})

    def facts(day: date, _: str) -> Mapping[str, Any]:
        return {"announcements": [one for one in seen if one["ds"] in {str(day), ""}]}

    with http_tap(ground.world.platform.endpoints.webhook_url, before=before) as address:
        ground.instead = {**ground.instead, "webhookUrl": address}
        return play(ground, facts)


def held(ground: Ground) -> dict[str, dict[str, str]]:
    """Fingerprint what readers of the reports see now: by table and partition."""
    found = {}
    for name in PUBLISHED:
        try:
            partitions = ground.lake.fingerprint(name).partitions
        except BadInput:
            partitions = {}
        found[name] = {part: digest.hash for part, digest in partitions.items()}
    return found


def _about(passing: Passing) -> dict[str, Any]:
    try:
        body = json.loads(passing.body)
    except ValueError:
        body = {}
    headers = {name.lower(): value for name, value in passing.headers.items()}
    return {
        "key": headers.get("idempotency-key", ""),
        "ds": str(body.get("ds", "")) if isinstance(body, dict) else "",
        "pipeline": str(body.get("pipeline", "")) if isinstance(body, dict) else "",
        "partition": PARTITION,
    }
