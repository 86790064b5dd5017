"""Plays a ScheduledSparkApplication as Spark Operator's controller does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipelines.local.cron.conversion import from_spark
from pipelines.local.cron.player import Play, PlayedRun, SkippedTime
from pipelines.local.cron.runs import Outcome, Runs
from pipelines.local.cron.timeline import Timeline
from pipelines.local.engine.clock import Clock


@dataclass(kw_only=True)
class _App:
    """A SparkApplication object: it exists until its time to live is over."""

    name: str
    scheduled: datetime
    finished: datetime | None = None


def app_name(owner: str, scheduled: datetime) -> str:
    """Name the application of a time: with nanoseconds since 1970, as the operator does."""
    return f"{owner}-{int(scheduled.timestamp()) * 1_000_000_000}"


def plan_spark(scheduled: Mapping[str, Any], times: Sequence[datetime]) -> Play:
    """Say what would fire, as far as it does not depend on how runs end."""
    name = scheduled["metadata"]["name"]
    if scheduled["spec"].get("suspend"):
        return Play(skipped=[SkippedTime(scheduled_time=at, reason=f"{name} is suspended") for at in times])
    return Play(runs=[PlayedRun(scheduled_time=at, name=app_name(name, at)) for at in times])


def play_spark(
    scheduled: Mapping[str, Any],
    times: Sequence[datetime],
    *,
    runs: Runs,
    clock: Clock,
    listener: Callable[[str, datetime, str], None] = lambda *_: None,
) -> Play:
    """Play a ScheduledSparkApplication at these times; each run is a workflow of one step, named as the application."""
    return _SparkPlayer(scheduled=scheduled, runs=runs, clock=clock, listener=listener).play(times)


@dataclass(kw_only=True)
class _SparkPlayer:
    scheduled: Mapping[str, Any]
    runs: Runs
    clock: Clock
    listener: Callable[[str, datetime, str], None]
    result: Play = field(default_factory=Play)
    apps: list[_App] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.clock)

    def play(self, times: Sequence[datetime]) -> Play:
        self.timeline.go(times, self.fire, self.ended)
        self.result.runs.sort(key=lambda run: run.scheduled_time)
        return self.result

    def fire(self, at: datetime) -> None:
        name = app_name(self.scheduled["metadata"]["name"], at)
        reason = self.reason_to_skip()
        if not reason and self.runs.exists(name):
            reason = f'sparkapplications.sparkoperator.k8s.io "{name}" already exists'
        if reason:
            self.result.skipped.append(SkippedTime(scheduled_time=at, reason=reason))
            self.listener("skipped", at, reason)
            return
        self.apps.append(_App(name=name, scheduled=at))
        self.listener("started", at, name)
        workflow = from_spark(self.scheduled, name)
        self.timeline.start(lambda: self.runs.run(workflow, name=name, scheduled_time=at))

    def reason_to_skip(self) -> str:
        spec, name = self.scheduled["spec"], self.scheduled["metadata"]["name"]
        if spec.get("suspend"):
            return f"{name} is suspended"
        last = self.latest()
        if last is None:
            return ""
        match spec.get("concurrencyPolicy") or "":
            case "Allow":
                return ""
            case "Forbid":
                return "" if last.finished else f"concurrencyPolicy Forbid: {last.name} has not finished"
            case "Replace":
                if not last.finished:
                    self.runs.terminate(last.name)
                return ""
        return f"without a concurrencyPolicy no run starts while {last.name} exists: set Allow, Forbid or Replace"

    def latest(self) -> _App | None:
        """Give the application object that was created last and still exists."""
        live = self.scheduled["spec"]["template"].get("timeToLiveSeconds")
        now = self.clock.now()
        for app in reversed(self.apps):
            gone = app.finished and live is not None and app.finished + timedelta(seconds=int(live)) <= now
            if not gone:
                return app
        return None

    def ended(self, event: Outcome) -> None:
        app = next(each for each in self.apps if each.name == event.name)
        app.finished = self.clock.now()
        self.result.runs.append(
            PlayedRun(scheduled_time=app.scheduled, name=event.name, phase=event.phase, message=event.message)
        )
        self.listener("ended", app.scheduled, event.name)
