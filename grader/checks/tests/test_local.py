"""The probe of the embedded platform: schedules, conditions and retries of the rendered manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from grader.checks.catalog import CHECKS
from grader.checks.local import LocalProbe, delivery
from grader.checks.m07_retries import waits
from grader.checks.probe import Run
from grader.checks.runner import run as run_checks
from grader.demo.pipelines import APPS
from grader.fingerprint.lake import Lake
from grader.fingerprint.tests.memory import MemoryCatalog
from pipelines.local.engine.store import Store
from pipelines.local.manifest import load
from pipelines.local.platform import Platform, objects
from pipelines.local.state import StateDir


class Stopped(Platform):
    """A platform that is not started: its ConfigMap says so much as a schedule asks for."""

    def objects(self, *, image: str = "", instead: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Give the ConfigMap."""
        return [objects.config_map({"yearShift": "0"})]


@pytest.fixture
def probe(tmp_path: Path) -> LocalProbe:
    """A probe of a platform on which nothing has run."""
    state = StateDir(root=tmp_path / "home")
    return LocalProbe(
        state=state, platform=Stopped(state), documents=load([APPS]), days=(), made=[],
        begun=datetime.now(timezone.utc), lake=Lake(catalog=MemoryCatalog(tmp_path)),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["M05-conditions", "M05-names", "M06-schedule", "M06-logical-date", "M07-attempts"])
def test_reference_passes_what_needs_no_run(probe: LocalProbe, name: str) -> None:
    """Conditions, names, schedules, logical dates and retries of the reference manifests are right."""
    (result,) = run_checks([check for check in CHECKS if check.id == name], probe)
    assert result.outcome == "pass", result.rationale


def test_waits_for_runs(probe: LocalProbe) -> None:
    """What needs runs waits for them, with the reason."""
    results = {result.check.id: result for result in run_checks(CHECKS, probe)}
    waiting = {name: result for name, result in results.items() if result.outcome == "waiting"}
    assert set(waiting) == {name for name, result in results.items() if result.check.needs}
    assert all(result.rationale.count("it needs ") == len(result.check.needs) for result in waiting.values())
    assert waiting["M02-content"].rationale == "it needs first"
    assert waiting["M03-same"].rationale == "it needs first; it needs second"
    assert waiting["M03-crash"].rationale == "it needs replay; it needs crash"
    assert waiting["M09-blocks"].rationale == "it needs second; it needs gate"
    assert {result.check.item for result in waiting.values()} >= {"M02", "M03", "M05", "M07", "M08", "M09", "M10"}


def test_attempts(probe: LocalProbe) -> None:
    """Attempts are those that the engine makes: waits double up to the cap; without a limit there is no end."""
    backoff = {"duration": "10", "factor": "2", "cap": "30"}
    assert waits(probe.attempts({"limit": "4", "backoff": backoff}, 1)) == [10, 20, 30, 30]
    assert len(probe.attempts({"limit": 0}, 1)) == 1
    assert len(probe.attempts({}, 1)) > 20
    only = {"limit": "3", "expression": "lastRetry.exitCode != '2'"}
    assert (len(probe.attempts(only, 2)), len(probe.attempts(only, 1))) == (1, 4)


def test_planned_over_the_change_of_the_clocks(probe: LocalProbe) -> None:
    """A schedule at 07:00 in New York is at 12:00Z before the clocks change, and at 11:00Z after."""
    found = probe.plan("daily", date(2013, 3, 9), date(2013, 3, 10))
    assert [(one.scheduled.isoformat(), one.ds) for one in found] == [
        ("2013-03-09T12:00:00+00:00", "2013-03-08"),
        ("2013-03-10T11:00:00+00:00", "2013-03-09"),
    ]


def test_applications_are_found_by_their_pod(probe: LocalProbe) -> None:
    """An application belongs to the run and node whose pod made it, whatever its labels say; others are left out."""
    store = Store(probe.state.ensure().runs_db)
    status = {"applicationState": {"state": "COMPLETED"}}
    for number, name in enumerate(("mine", "other")):
        store.save_pod(name, f"{name}-1", {"uid": f"u{number}"})
        made = {"object": {"metadata": {"name": f"app-{name}"}, "status": status}, "run": name, "pod": f"u{number}"}
        with store.transaction() as connection:
            row = ("SparkApplication", f"app-{name}", json.dumps(made))
            connection.execute("INSERT INTO objects VALUES (?, ?, ?)", row)
    probe.made = [Run(play="first", ds=date(2013, 3, 9), name="mine", document={}, before={}, after={})]
    (found,) = probe.spark_runs()
    assert (found.workflow, found.node, found.name, found.status) == ("mine", "mine-1", "app-mine", status)


def test_logs_and_artifacts_of_a_node(probe: LocalProbe) -> None:
    """A node's logs are read whatever their names, and dbt's artifacts found below the run's steps."""
    folder = probe.state.steps / "daily-1" / "daily-1-77"
    (folder / "work" / "target").mkdir(parents=True)
    (folder / "stderr.log").write_bytes(b"duplicate key \xff")
    (folder / "work" / "target" / "run_results.json").write_text("{}")
    run = Run(play="first", ds=date(2013, 3, 9), name="daily-1", document={}, before={}, after={})
    assert "duplicate key" in probe.log("daily-1", "daily-1-77")
    assert probe.log("daily-1", "nothing") == ""
    assert probe.dbt_artifacts(run) == folder / "work" / "target"


def test_deliveries() -> None:
    """A call without a key, and one whose body is no object, are read too."""
    plain = delivery({"id": 3, "key": None, "effect": True, "body": "text"}, since=5)
    assert (plain.key, plain.ds, plain.pipeline, plain.recent) == ("", "", "", False)
    body = {"pipeline": "publish", "ds": "2013-03-09"}
    found = delivery({"id": 6, "key": "k", "effect": False, "body": body}, since=5)
    assert (found.key, found.ds, found.pipeline, found.recent) == ("k", "2013-03-09", "publish", True)
