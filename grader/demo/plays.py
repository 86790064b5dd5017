"""Playing days: each run recorded with the content of all tables before and after it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from grader.checks.probe import Run
from grader.checks.states import from_json, state_of, to_json
from grader.demo.display import Display
from grader.demo.journal import Journal
from grader.demo.pipelines import Pipelines
from grader.fingerprint.lake import Lake
from pipelines.local.engine import Event

FIRST, SECOND, REPLAY = "first", "second", "replay"
ORDER_SEED = 2013


def other_order(days: Sequence[date]) -> list[date]:
    """Put days in an order that is not theirs, the same each time: the second play is a backfill."""
    found = list(days)
    random.Random(ORDER_SEED).shuffle(found)
    return found if found != sorted(days) or len(days) < 2 else [*found[1:], found[0]]


class Player:
    """Plays days of the workflow `daily`.

    Args:
        pipelines: what runs.
        lake: the tables, to be fingerprinted after each run.
        journal: where runs are recorded.
        display: told what happens.
        due: when each day's run is due.
    """

    def __init__(
        self,
        pipelines: Pipelines,
        lake: Lake,
        journal: Journal,
        display: Display,
        due: Mapping[date, datetime],
    ) -> None:
        self._pipelines, self._lake, self._journal, self._display, self._due = pipelines, lake, journal, display, due

    def play(self, name: str, days: Sequence[date]) -> None:
        """Run the days that have not been run in this play; a run that fails does not stop the next."""
        for number, day in enumerate(days):
            entry = self._journal.run(name, day)
            if "after" not in entry:
                self._run(entry, day, f"{day} ({number + 1}/{len(days)})")
        failed = [one["ds"] for one in self._journal.runs if one["play"] == name and one.get("phase") != "Succeeded"]
        self._display.now(f"{len(failed)} of {len(days)} runs failed" if failed else f"{len(days)} runs succeeded")

    def _run(self, entry: dict[str, Any], day: date, title: str) -> None:
        if "before" not in entry:
            entry["before"] = self._last_state()
            self._journal.save()
        begun = time.monotonic()
        result = self._pipelines.run(entry["name"], self._due[day], _narrator(self._display, title))
        entry["seconds"] = round(time.monotonic() - begun, 3)
        entry["executor"] = round(result.own_seconds, 3)
        entry["phase"] = result.phase
        entry["after"] = to_json(state_of(self._lake))
        self._journal.save()
        if result.phase != "Succeeded":
            self._display.say(
                f"! {entry['name']} ended {result.phase}: {result.document.get('message') or 'see the report'}"
            )

    def _last_state(self) -> dict[str, Any]:
        """Content of the tables now: nothing but runs changes them, so it is what the last run left."""
        done = [one["after"] for one in self._journal.runs if "after" in one]
        return done[-1] if done else to_json(state_of(self._lake))


def made_runs(journal: Journal, document: Callable[[str], Mapping[str, Any]]) -> list[Run]:
    """Give the recorded runs as checks want them.

    Args:
        journal: what was recorded.
        document: gives a stored run by name.
    """
    return [
        Run(
            play=one["play"],
            ds=date.fromisoformat(one["ds"]),
            name=one["name"],
            document=document(one["name"]),
            before=from_json(one["before"]),
            after=from_json(one["after"]),
        )
        for one in journal.runs
        if "after" in one
    ]


def _narrator(display: Display, title: str) -> Callable[[Event], None]:
    """Turn the engine's events into a line that says which steps run now."""
    running: dict[str, str] = {}

    def hear(event: Event) -> None:
        if event.kind == "notice":
            display.write(f"   {event.run}: {event.message}")
        if event.node is None or event.node.get("type") != "Pod":
            return
        node, phase = event.node, str(event.node.get("phase"))
        display.write(f"   {node.get('name')}: {phase} {node.get('message') or ''}".rstrip())
        name = str(node.get("name", "")).removeprefix(f"{event.run}.").replace("(0)", "")
        if phase == "Running":
            running[str(node["id"])] = name
        else:
            running.pop(str(node["id"]), None)
        display.now(f"{title}  {', '.join(running.values())}".rstrip())

    return hear
