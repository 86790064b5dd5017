"""Plays a CronWorkflow: what Argo's controller would do at each time of the schedule, on a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipelines.local.cron.conversion import from_cron, rfc3339
from pipelines.local.cron.runs import Outcome, Runs
from pipelines.local.cron.schedule import Schedule
from pipelines.local.cron.timeline import Timeline
from pipelines.local.engine.clock import Clock
from pipelines.local.lang import Lang, LangError

_DONE = ("Succeeded", "Failed", "Error")
LAST_USED = "cronworkflows.argoproj.io/last-used-schedule"


@dataclass(frozen=True, kw_only=True)
class PlayedRun:
    """A run that a schedule started; `phase` is empty in a plan."""

    scheduled_time: datetime
    name: str
    phase: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class SkippedTime:
    """A time at which nothing was started, and why."""

    scheduled_time: datetime
    reason: str


@dataclass(kw_only=True)
class Play:
    """What happened: runs in the order of their scheduled times, and times without a run."""

    runs: list[PlayedRun] = field(default_factory=list)
    skipped: list[SkippedTime] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Tell whether every run that was started succeeded."""
        return all(each.phase in ("", "Succeeded") for each in self.runs)


def plan(cron: Mapping[str, Any], times: Sequence[datetime]) -> Play:
    """Say what would fire, as far as it does not depend on how runs end."""
    name, suspended = cron["metadata"]["name"], bool(cron["spec"].get("suspend"))
    if suspended:
        return Play(skipped=[SkippedTime(scheduled_time=at, reason=_suspended(name)) for at in times])
    return Play(runs=[PlayedRun(scheduled_time=at, name=child_name(name, at)) for at in times])


def play(
    cron: Mapping[str, Any],
    times: Sequence[datetime],
    *,
    runs: Runs,
    clock: Clock,
    lang: Lang,
    listener: Callable[[str, datetime, str], None] = lambda *_: None,
) -> Play:
    """Play a CronWorkflow at these times, after making up for the one it missed before the clock's present.

    `listener` hears `started`, `ended` or `skipped`, with the scheduled time and the run's name or the reason.
    """
    return _Player(cron=cron, runs=runs, clock=clock, lang=lang, listener=listener).play(times)


def child_name(cron: str, scheduled: datetime) -> str:
    """Name the workflow of a time."""
    return f"{cron}-{int(scheduled.timestamp())}"


def _suspended(name: str) -> str:
    return f"{name} is suspended, skipping execution"


@dataclass(kw_only=True)
class _Player:
    """The controller's memory of one CronWorkflow."""

    cron: Mapping[str, Any]
    runs: Runs
    clock: Clock
    lang: Lang
    listener: Callable[[str, datetime, str], None]
    result: Play = field(default_factory=Play)
    active: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.clock)
        status = self.cron.get("status") or {}
        self.name: str = self.cron["metadata"]["name"]
        self.spec: Mapping[str, Any] = self.cron["spec"]
        self.failed = int(status.get("failed") or 0)
        self.succeeded = int(status.get("succeeded") or 0)
        self.stopped = status.get("phase") == "Stopped"
        last = status.get("lastScheduledTime")
        self.last = datetime.fromisoformat(last) if last else None

    def play(self, times: Sequence[datetime]) -> Play:
        self.timeline.go(times, self.fire, self.ended, self.make_up)
        self.result.runs.sort(key=lambda run: run.scheduled_time)
        return self.result

    def make_up(self) -> None:
        """Fire for the time that was missed before now."""
        if missed := self.missed():
            self.fire(missed)

    def missed(self) -> datetime | None:
        """Give the latest time that was missed before now and is still within its starting deadline."""
        schedule, deadline = Schedule.of(self.spec), self.spec.get("startingDeadlineSeconds")
        annotations = self.cron["metadata"].get("annotations") or {}
        if self.last is None or deadline is None or annotations.get(LAST_USED) != schedule.texts():
            return None
        now = self.clock.now()
        for line in schedule.lines:
            after = self.last + timedelta(seconds=1)
            found = self.lang.cron_times(line, schedule.timezone, after, now)
            if found and now < found[-1] + timedelta(seconds=int(deadline)):
                return found[-1]
        return None

    def fire(self, at: datetime) -> None:
        """Do what the controller does when a time comes."""
        reason = self.reason_to_skip()
        name = child_name(self.name, at)
        if not reason and self.runs.exists(name):
            reason = f'workflows.argoproj.io "{name}" already exists'
        if reason:
            self.result.skipped.append(SkippedTime(scheduled_time=at, reason=reason))
            self.listener("skipped", at, reason)
            return
        self.active[name] = at
        self.last = at
        self.listener("started", at, name)
        workflow = from_cron(self.cron, name, at)
        self.timeline.start(lambda: self.runs.run(workflow, name=name, scheduled_time=at))

    def reason_to_skip(self) -> str:
        """Apply the rules in the controller's order; empty if the time is used."""
        try:
            self.check_stop()
        except LangError as error:
            return f"failed to check CronWorkflow '{self.name}' stopping condition: {error.message}"
        if self.spec.get("suspend"):
            return _suspended(self.name)
        if self.stopped:
            return f"CronWorkflow {self.name} is marked as stopped since it achieved the stopping condition"
        try:
            if not self.lang.cron_when(self.spec.get("when") or "", self.state(), now=self.clock.now()):
                return f"when '{self.spec['when']}' evaluated false"
        except LangError as error:
            return f"run policy error: {error.message}"
        return self.concurrency()

    def concurrency(self) -> str:
        policy = self.spec.get("concurrencyPolicy") or "Allow"
        if policy == "Forbid" and self.active:
            return f"{self.name} has 'ConcurrencyPolicy: Forbid' and has an active Workflow so it was not run"
        if policy == "Replace":
            for name in list(self.active):
                self.runs.terminate(name)
        return ""

    def check_stop(self) -> None:
        expression = (self.spec.get("stopStrategy") or {}).get("expression")
        if expression is not None and self.lang.cron_stop(expression, self.state(), now=self.clock.now()):
            self.stopped = True

    def state(self) -> dict[str, Any]:
        metadata = self.cron["metadata"]
        return {
            "name": self.name,
            "namespace": metadata.get("namespace") or "default",
            "labels": metadata.get("labels") or {},
            "annotations": metadata.get("annotations") or {},
            "failed": self.failed,
            "succeeded": self.succeeded,
            "lastScheduledTime": rfc3339(self.last) if self.last else None,
        }

    def ended(self, event: Outcome) -> None:
        """Take a run's end into account."""
        at = self.active[event.name]
        if event.phase in _DONE:  # one that waits for a person stays active
            del self.active[event.name]
            self.succeeded += event.phase == "Succeeded"
            self.failed += event.phase != "Succeeded"
        self.result.runs.append(PlayedRun(scheduled_time=at, name=event.name, phase=event.phase, message=event.message))
        self.listener("ended", at, event.name)
        self.check_stop()
