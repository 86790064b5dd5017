"""How the mastery items went over time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from grader.checks.course import Item
from grader.grading.kept import FOLDER, HISTORY
from pipelines.local.state import StateDir

_LEVELS = "▁▂▃▄▅▆▇█"
_SHOWN = 24


def lines(home: StateDir) -> list[dict[str, Any]]:
    """Read the history, oldest first; a line that was cut short is left out."""
    path = home.root / FOLDER / HISTORY
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def summary(course: Sequence[Item], history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Summarise each item: points in the last grading that had it, the best, and a line of the last gradings."""
    found = []
    for item in course:
        points = [float(one["items"][item.id]["points"]) for one in history if item.id in one["items"]]
        found.append(
            {
                "id": item.id, "title": item.title, "max_points": item.points, "graded": len(points),
                "now": points[-1] if points else None, "best": max(points, default=None),
                "points": points, "line": "".join(_level(one, item.points) for one in points[-_SHOWN:]),
            }
        )  # fmt: skip
    return found


def _level(points: float, most: int) -> str:
    return _LEVELS[min(len(_LEVELS) - 1, int(points / most * (len(_LEVELS) - 1)))] if most else _LEVELS[0]
