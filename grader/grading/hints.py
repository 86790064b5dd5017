"""Hints of the last grading, revealed one at a time."""

from __future__ import annotations

import json
from typing import Any

from grader.grading.kept import FOLDER, LAST, SHOWN
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


def reveal(home: StateDir, check: str, *, more: bool = True) -> tuple[list[str], int]:
    """Give the hints of a check that have been revealed, with one more.

    The first is part of the verdict; a new kind of failure has hints of its own, and begins with its first.

    Args:
        home: state directory of the last grading.
        check: id.
        more: reveal a further one.

    Returns:
        The hints revealed by now, and how many there are.

    Raises:
        BadInput: there was no grading, no such check in it, or it did not fail.
    """
    folder = home.root / FOLDER
    last = _read(folder / LAST)
    if not last:
        raise BadInput("nothing was graded yet", where=check, remedy="grade first: batchlab grade")
    hints = last["hints"]
    failed = [name for name, texts in hints.items() if texts]
    if check not in hints:
        raise BadInput(f"the last grading has no check {check}", where="CHECK", remedy=_those(failed))
    if not hints[check]:
        raise BadInput(f"{check} did not fail in the last grading", where="CHECK", remedy=_those(failed))
    known = _read(folder / SHOWN)
    texts = list(hints[check])
    earlier = known.get(check, {})
    count = int(earlier["count"]) if earlier.get("hints") == texts else 1
    count = min(count + 1, len(texts)) if more else count
    known[check] = {"hints": texts, "count": count}
    new = folder / f".{SHOWN}.new"
    new.write_text(json.dumps(known), encoding="utf-8")
    new.replace(folder / SHOWN)
    return texts[:count], len(texts)


def _those(failed: list[str]) -> str:
    return f"those that failed: {', '.join(failed)}" if failed else "none failed"


def _read(path: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
