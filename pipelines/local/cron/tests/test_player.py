"""A CronWorkflow is played as Argo's controller would: policies, conditions, names, what was missed."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.cron import Outcome, Play, Schedule, plan, play
from pipelines.local.cron.player import LAST_USED
from pipelines.local.cron.spark import play_spark
from pipelines.local.engine.clock import VirtualClock
from pipelines.local.lang import Lang
from pipelines.local.manifest import load

START = datetime(2013, 3, 9, tzinfo=timezone.utc)


class Fake:
    """Runs that only take virtual time: `seconds` each, ending in the phases of `phases` in turn."""

    def __init__(self, clock: VirtualClock, seconds: float = 0, phases: tuple[str, ...] = ("Succeeded",)) -> None:
        self.clock, self.seconds, self.phases = clock, seconds, phases
        self.workflows: list[Mapping[str, Any]] = []
        self.started: list[datetime] = []
        self.known: set[str] = set()
        self.stops: dict[str, queue.SimpleQueue[str]] = {}
        self._lock = threading.Lock()

    def run(self, workflow: Mapping[str, Any], *, name: str, scheduled_time: datetime) -> Outcome:
        """Wait on the clock, or until terminated."""
        with self._lock:
            number = len(self.workflows)
            self.workflows.append(workflow)
            self.started.append(self.clock.now())
            stop = self.stops.setdefault(name, queue.SimpleQueue())
        stopped = self.clock.wait(stop, self.clock.now() + timedelta(seconds=self.seconds), busy=False)
        return Outcome(name=name, phase="Failed" if stopped else self.phases[number % len(self.phases)])

    def terminate(self, name: str) -> None:
        """End one."""
        self.stops.setdefault(name, queue.SimpleQueue()).put("stop")

    def exists(self, name: str) -> bool:
        """Tell whether a name is taken."""
        return name in self.known


def _cron(
    metadata: Mapping[str, Any] | None = None, status: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": "daily", **(metadata or {})},
        "spec": {"schedules": ["0 */6 * * *"], "workflowSpec": {"entrypoint": "main"}, **spec},
        "status": dict(status or {}),
    }


def _play(cron: Mapping[str, Any], fake: Fake, count: int = 4) -> Play:
    times = [START + timedelta(hours=6 * n) for n in range(count)]
    return play(cron, times, runs=fake, clock=fake.clock, lang=Lang.shared())


def test_runs_are_named_and_marked() -> None:
    """A run is named after its time and carries it; labels come from workflowMetadata, not from the CronWorkflow."""
    fake = Fake(VirtualClock(START))
    metadata = {"labels": {"a": "1", "workflows.argoproj.io/creator": "me"}}
    result = _play(_cron(metadata, workflowMetadata={"labels": {"team": "x"}}), fake, count=1)
    assert [run.name for run in result.runs] == ["daily-1362787200"]
    assert result.runs[0].phase == "Succeeded"
    made = fake.workflows[0]["metadata"]
    assert made["annotations"] == {"workflows.argoproj.io/scheduled-time": "2013-03-09T00:00:00Z"}
    assert made["labels"] == {
        "team": "x",
        "workflows.argoproj.io/cron-workflow": "daily",
        "workflows.argoproj.io/creator": "me",
    }


def test_allow_lets_runs_overlap() -> None:
    """With Allow, which is the default, a run starts at its time although the one before has not ended."""
    fake = Fake(VirtualClock(START), seconds=10 * 3600)
    result = _play(_cron(), fake)
    assert fake.started == [START + timedelta(hours=6 * n) for n in range(4)]
    assert len(result.runs) == 4
    assert not result.skipped


def test_forbid_skips_what_overlaps() -> None:
    """With Forbid a time is not used while a run is active, and the next one is."""
    fake = Fake(VirtualClock(START), seconds=10 * 3600)
    result = _play(_cron(concurrencyPolicy="Forbid"), fake)
    assert fake.started == [START, START + timedelta(hours=12)]
    assert [each.reason for each in result.skipped] == [
        "daily has 'ConcurrencyPolicy: Forbid' and has an active Workflow so it was not run"
    ] * 2


def test_replace_terminates_what_overlaps() -> None:
    """With Replace the active run is terminated and the new one starts."""
    fake = Fake(VirtualClock(START), seconds=10 * 3600)
    result = _play(_cron(concurrencyPolicy="Replace"), fake, count=3)
    assert [run.phase for run in result.runs] == ["Failed", "Failed", "Succeeded"]


def test_a_run_that_has_ended_is_not_active() -> None:
    """A run that ends a second before the next time does not forbid it."""
    fake = Fake(VirtualClock(START), seconds=6 * 3600 - 1)
    assert not _play(_cron(concurrencyPolicy="Forbid"), fake).skipped


def test_suspend_skips_everything() -> None:
    """A suspended CronWorkflow runs nothing, in a play and in a plan."""
    cron = _cron(suspend=True)
    result = _play(cron, Fake(VirtualClock(START)))
    assert not result.runs
    assert {each.reason for each in result.skipped} == {"daily is suspended, skipping execution"}
    assert len(plan(cron, [START]).skipped) == 1


def test_stop_strategy() -> None:
    """The stopping condition is checked when a run ends; afterwards nothing runs."""
    fake = Fake(VirtualClock(START), phases=("Succeeded", "Failed"))
    result = _play(_cron(stopStrategy={"expression": "cronworkflow.failed >= 1"}), fake)
    assert [run.phase for run in result.runs] == ["Succeeded", "Failed"]
    assert {each.reason for each in result.skipped} == {
        "CronWorkflow daily is marked as stopped since it achieved the stopping condition"
    }


def test_when() -> None:
    """`when` sees the last scheduled time; a condition that cannot be evaluated is told and nothing runs."""
    once = "{{= cronworkflow.lastScheduledTime == nil }}"
    result = _play(_cron(when=once), Fake(VirtualClock(START)))
    assert len(result.runs) == 1
    assert len(result.skipped) == 3
    wrong = _play(_cron(when="{{cronworkflow.failed}} < 3"), Fake(VirtualClock(START)), count=1)
    assert wrong.skipped[0].reason == "run policy error: failed to resolve {{cronworkflow.failed}} to string"


def test_a_name_that_exists_is_not_run_again() -> None:
    """A time whose workflow exists is left alone."""
    fake = Fake(VirtualClock(START))
    fake.known = {"daily-1362787200"}
    result = _play(_cron(), fake, count=2)
    assert result.skipped[0].reason == 'workflows.argoproj.io "daily-1362787200" already exists'
    assert len(result.runs) == 1


@pytest.mark.parametrize(
    ("deadline", "annotation", "expected"),
    [
        (3600 * 9, "0 */6 * * *", ["2013-03-09T00:00"]),
        (3600, "0 */6 * * *", []),
        (None, "0 */6 * * *", []),
        (3600 * 9, "0 * * * *", []),
    ],
)
def test_catch_up(deadline: int | None, annotation: str, expected: list[str]) -> None:
    """The latest missed time is made up for once, if the schedule is unchanged and the deadline not over."""
    cron = _cron(
        {"annotations": {LAST_USED: annotation}},
        {"lastScheduledTime": "2013-03-08T00:00:00Z"},
        startingDeadlineSeconds=deadline,
    )
    result = _play(cron, Fake(VirtualClock(START + timedelta(hours=1))), count=0)
    assert [f"{run.scheduled_time:%Y-%m-%dT%H:%M}" for run in result.runs] == expected


def test_an_error_of_a_run_ends_the_play() -> None:
    """What a run raises is raised by the play."""
    fake = Fake(VirtualClock(START))
    fake.phases = ()
    with pytest.raises(ZeroDivisionError):
        _play(_cron(), fake)


def test_schedules_fire_once_per_time() -> None:
    """Several schedules are merged; a time that two of them have is one time. Days are those of the time zone."""
    spec = {"schedules": ["0 1 * * *", "0 1,13 * * *"], "timezone": "America/New_York"}
    schedule = Schedule.of(spec)
    day = START.date()
    times = schedule.days(day, day + timedelta(days=1), Lang.shared())
    assert [f"{time:%dT%H:%M}" for time in times] == ["09T06:00", "09T18:00", "10T06:00", "10T17:00"]
    assert schedule.texts() == "CRON_TZ=America/New_York 0 1 * * *,CRON_TZ=America/New_York 0 1,13 * * *"


@pytest.mark.parametrize(
    ("policy", "live", "started"),
    [("", None, [0]), ("", 3600, [0, 12]), ("Allow", None, [0, 6, 12]), ("Forbid", None, [0, 12])],
)
def test_scheduled_spark_application(policy: str, live: int | None, started: list[int]) -> None:
    """Without a concurrencyPolicy nothing runs while an earlier object exists; Forbid only waits for its end."""
    clock = VirtualClock(START)
    fake = Fake(clock, seconds=8 * 3600)
    app = {
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 */6 * * *", "concurrencyPolicy": policy, "template": {"timeToLiveSeconds": live}},
    }
    times = [START + timedelta(hours=6 * n) for n in range(3)]
    result = play_spark(app, times, runs=fake, clock=clock)
    assert [int((at - START).total_seconds() // 3600) for at in fake.started] == started
    assert result.runs[0].name == "nightly-1362787200000000000"
    assert '"name": "nightly-1362787200000000000"' in fake.workflows[0]["spec"]["templates"][0]["resource"]["manifest"]


CONFORMANCE = Path(__file__).parents[2] / "conformance"
RECORDED = json.loads((CONFORMANCE / "goldens" / "cron.json").read_text())
_BY_CONTROLLER = (
    "workflows.argoproj.io/completed",
    "workflows.argoproj.io/phase",
    "workflows.argoproj.io/pod-name-format",
)


@pytest.mark.parametrize("name", [name for name, recorded in RECORDED.items() if recorded["runs"]])
def test_recorded(name: str) -> None:
    """The runs that the real controller made in a few minutes are made here, with the same labels and annotations."""
    recorded = RECORDED[name]
    cron = load([CONFORMANCE / "cron" / f"{name}.yaml"]).crons[0]
    command = cron["spec"]["workflowSpec"]["templates"][0]["container"]["command"]
    minutes = [int(run["name"].rsplit("-", 1)[1]) for run in recorded["runs"]]
    first = datetime.fromtimestamp(min(minutes), timezone.utc)
    last = datetime.fromisoformat(recorded["status"]["lastScheduledTime"])
    clock = VirtualClock(first)
    fake = Fake(clock, seconds=float(command[1]) if command[0] == "sleep" else 5)
    fake.phases = ("Failed",) if command == ["false"] else ("Succeeded",)
    times = Schedule.of(cron["spec"]).between(first, last + timedelta(minutes=1), Lang.shared())
    played = play(cron, times, runs=fake, clock=clock, lang=Lang.shared())
    phases = {run.name: run.phase for run in played.runs}
    made = {workflow["metadata"]["name"]: workflow["metadata"] for workflow in fake.workflows}
    assert set(made) == {run["name"] for run in recorded["runs"]}
    for run in recorded["runs"]:
        assert phases[run["name"]] == run["phase"] or run["phase"] == "Running"
        for kind in ("labels", "annotations"):
            assert made[run["name"]][kind] == {k: v for k, v in run[kind].items() if k not in _BY_CONTROLLER}
