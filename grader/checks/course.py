"""The course's manifest: which mastery items there are, and what each is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

import grader
from grader.checks.model import Outcome, Result

MANIFEST = Path(grader.__file__).parent.parent / "solutions" / "course.toml"
_WORST: tuple[Outcome, ...] = ("error", "fail", "blocked", "waiting")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One mastery item.

    Args:
        id: `M03`.
        title: what it is about.
        points: what it is worth.
        needs_cluster: whether a part of it cannot be shown without a cluster.
        shows: the parts of a submission that it is about: `pipelines.ingest`, `dbt`, `flux`.
    """

    id: str
    title: str
    points: int
    needs_cluster: bool = False
    shows: tuple[str, ...] = ()


def items(path: Path = MANIFEST) -> list[Item]:
    """Read the items in their order."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Item(
            id=name, title=one["title"], points=int(one["points"]), needs_cluster=bool(one.get("needs_cluster")),
            shows=tuple(one.get("shows", ())),
        )
        for name, one in document["items"].items()
    ]  # fmt: skip


def verdicts(results: Sequence[Result], course: Sequence[Item]) -> Mapping[str, Mapping[str, Any]]:
    """Give every item's outcome, points and checks, as report.json and `batchlab grade --json` have them.

    An item passes when all its checks do; else it has the worst of their outcomes. Points are split by weight.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in course:
        mine = [result for result in results if result.check.item == item.id]
        weight = sum(result.check.points for result in mine)
        gained = sum(result.check.points for result in mine if result.outcome == "pass")
        found[item.id] = {
            "title": item.title,
            "outcome": outcome(mine),
            "points": round(item.points * gained / weight, 1) if weight else 0,
            "max_points": item.points,
            "checks": [result.as_json() for result in mine],
        }
        if not mine:
            found[item.id]["note"] = "waits for the cluster" if item.needs_cluster else "has no checks yet"
    return found


def outcome(results: Sequence[Result]) -> Outcome:
    """Give the worst outcome of some checks; no checks at all are waiting to be written."""
    there = {result.outcome for result in results}
    return next((one for one in _WORST if one in there), "pass" if results else "waiting")
