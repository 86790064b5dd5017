"""What CronWorkflows started on a real controller starts here: names, labels, annotations, values, how often."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.conformance.cases import GOLDENS, cron_files
from pipelines.local.cron import play
from pipelines.local.cron.conversion import from_cron
from pipelines.local.cron.engine_runs import EngineRuns
from pipelines.local.cron.player import child_name
from pipelines.local.engine import Engine, VirtualClock
from pipelines.local.lang import Lang
from pipelines.local.manifest import Documents, load
from pipelines.local.state import StateDir

_TIME = "workflows.argoproj.io/scheduled-time"
_BY_CONTROLLER = {
    "workflows.argoproj.io/completed",
    "workflows.argoproj.io/phase",
    "workflows.argoproj.io/pod-name-format",
}
_QUICK = ["cron-utc", "cron-new-york", "cron-half-hour", "cron-when", "cron-stop", "cron-stop-failed", "cron-suspended"]


@cache
def _recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((GOLDENS / "cron.json").read_text())
    return answers


def _cron(name: str) -> tuple[Documents, dict[str, Any]]:
    documents = load([path for path in cron_files() if path.stem == name])
    return documents, documents.crons[0]


def _scheduled(run: dict[str, Any]) -> datetime:
    return datetime.strptime(run["annotations"][_TIME], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


_RUNS = [(name, number) for name, answer in _recorded().items() for number in range(len(answer["runs"]))]


@pytest.mark.parametrize(("name", "number"), _RUNS)
def test_a_run_is_named_and_marked_as_recorded(name: str, number: int) -> None:
    """The run's name ends in the Unix time, its annotation is in UTC whatever the time zone, labels are passed on."""
    run = _recorded()[name]["runs"][number]
    scheduled = _scheduled(run)
    assert child_name(name, scheduled) == run["name"]
    metadata = from_cron(_cron(name)[1], run["name"], scheduled)["metadata"]
    for kind in ("labels", "annotations"):
        assert metadata[kind] == {k: v for k, v in run[kind].items() if k not in _BY_CONTROLLER}


@pytest.mark.parametrize("name", _QUICK)
def test_it_starts_what_was_recorded(name: str, tmp_path: Path) -> None:
    """At three times of the schedule it starts as many runs as recorded, which see the same values and end alike."""
    documents, cron = _cron(name)
    recorded = _recorded()[name]["runs"]
    first = _scheduled(recorded[0] if recorded else _recorded()["cron-utc"]["runs"][0])
    clock = VirtualClock(first - timedelta(seconds=30))
    engine = Engine(StateDir(root=tmp_path), clock=clock)
    try:
        times = [first + timedelta(minutes=minute) for minute in range(3)]
        played = play(cron, times, runs=EngineRuns(engine, documents), clock=clock, lang=Lang.shared())
        assert [run.name for run in played.runs] == [run["name"] for run in recorded]
        for run in recorded:
            document = engine.get(run["name"]).document
            assert document["phase"] == run["phase"]
            assert _values(document["nodes"][run["name"]]["inputs"]) == _values(run["inputs"])
    finally:
        engine.close()


def _values(inputs: dict[str, Any]) -> dict[str, str]:
    return {parameter["name"]: parameter["value"] for parameter in inputs["parameters"]}
