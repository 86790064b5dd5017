"""The demo: from nothing to a proven, drawn day of flights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from grader import data as source
from grader.checks.catalog import CHECKS
from grader.checks.course import items
from grader.checks.local import LocalProbe
from grader.checks.model import Result
from grader.checks.runner import run as run_checks
from grader.demo.display import Display
from grader.demo.journal import open_journal
from grader.demo.pipelines import Pipelines
from grader.demo.plays import FIRST, REPLAY, SECOND, Player, made_runs, other_order
from grader.demo.report import document
from grader.fingerprint.lake import Lake
from grader.lineage.gather import known_runs
from pipelines.local.errors import BadInput
from pipelines.local.needs import Found, needs
from pipelines.local.platform import Platform, snapshot
from pipelines.local.preload import LIBRARIES, ForkServer
from pipelines.local.state import StateDir

LATE_SEED = 310
LATE_FLIGHTS = 12


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a demo ended."""

    report: dict[str, Any]
    results: list[Result]
    page: Path

    @property
    def passed(self) -> bool:
        """Whether every check that could run passed."""
        return bool(self.report["summary"]["outcome"] == "pass")


class Demo:
    """One demo of one state directory.

    Args:
        state: where everything is kept.
        days: flight dates, in their order, at least two.
        display: shows what happens.
        fresh: begin anew even if the last demo was interrupted.
    """

    def __init__(self, state: StateDir, days: tuple[date, ...], display: Display, *, fresh: bool = False) -> None:
        self.state, self.days, self.display = state, days, display
        self.platform = Platform(state)
        self.code = snapshot(state)
        self._titles: dict[str, str] = {}
        path = state.root / "demo" / "journal.json"
        self.journal, self.why = open_journal(path, days, self.code.hash, fresh=fresh)

    @cached_property
    def lake(self) -> Lake:
        """The tables; the platform runs by now."""
        return Lake.open(self.state)

    def run(self) -> Verdict:
        """Do every stage that is not done yet, then check and report.

        Raises:
            BadInput: something that it needs is missing or cannot be used.
        """
        with self.display.shown(), closing(ForkServer(LIBRARIES)) as preload:  # imports while the servers start
            self.pipelines = Pipelines(self.platform, self.code, preload)
            if self.why:
                self.display.say(self.why)
            with self._stage("doctor", "Looking at this machine"):
                self._examine()
            self.journal.save()
            with self._stage("platform", "Starting PostgreSQL, catalog and webhook"):
                self.platform.start(progress=self.display.now)
            self._once("load", "Loading a year of flights", self._load)
            self._once(FIRST, f"Running {len(self.days)} days: ingest, transform, publish", self._first)
            self._once(SECOND, "Running them again, in another order", self._second)
            self._once("late", f"Delivering late flights for {self.late_day}", self._late)
            self._once(REPLAY, f"Running {self.late_day} once more", self._replay)
            return self._prove()

    @property
    def late_day(self) -> date:
        """The day that late data comes for: one in the middle."""
        return self.days[len(self.days) // 2]

    def _once(self, name: str, title: str, work: Callable[[], None]) -> None:
        """Do a stage unless the journal has it."""
        self._titles[name] = title
        if name in self.journal.done:
            self.display.tick(title, "done before", self.journal.seconds.get(name, 0.0))
            return
        with self._stage(name, title):
            work()
        self.journal.finish(name)

    @contextmanager
    def _stage(self, name: str, title: str) -> Iterator[None]:
        self._titles[name] = title
        begun = time.monotonic()
        try:
            with self.display.stage(title):
                yield
        finally:
            self.journal.spend(name, time.monotonic() - begun)

    def _examine(self) -> None:
        """Refuse to begin where something is missing.

        Raises:
            BadInput: names what is missing and the command that gets it.
        """
        found = list(needs(self.state))
        missing = [need for need in found if need.found is Found.MISSING]
        if missing:
            what = "; ".join(f"{need.name}: {need.detail}" for need in missing)
            raise BadInput(f"something is missing: {what}", remedy=missing[0].remedy or "see `batchlab doctor`")
        self.display.now(f"{len(found)} things looked at, all that is needed is there")

    def _load(self) -> None:
        """Load what is missing; what an earlier demo delivered late is taken back, so that it can be late again."""
        dsn = self.platform.endpoints.postgres_dsn
        loaded = source.load(dsn, progress=lambda what, done: self.display.now(f"{what} {done:.0%}"))
        batch = self._batch()
        with psycopg.connect(dsn) as pg:
            mine = (batch.ds, batch.delivery)
            pg.execute("DELETE FROM ops.flights WHERE flight_date = %s AND delivery = %s", mine)
        self.journal.facts["since"] = self._calls()
        self.display.now(f"{loaded.rows['flights']:,} flights, {loaded.rows['weather']:,} hours of weather")

    def _calls(self) -> int:
        from pipelines.local.platform.webhook import Deliveries

        return max((one["id"] for one in Deliveries(self.platform.receiver.database).list()), default=0)

    def _batch(self) -> source.Batch:
        rows = source.day_rows(self.platform.endpoints.postgres_dsn, self.late_day)
        return source.late(rows, self.late_day, seed=LATE_SEED, count=LATE_FLIGHTS)

    @cached_property
    def _player(self) -> Player:
        due = self.pipelines.schedule(self.days[0], self.days[-1])
        return Player(self.pipelines, self.lake, self.journal, self.display, due)

    def _first(self) -> None:
        self._player.play(FIRST, self.days)

    def _second(self) -> None:
        self._player.play(SECOND, other_order(self.days))

    def _late(self) -> None:
        batch = self._batch()
        source.deliver(self.platform.endpoints.postgres_dsn, batch)
        self.display.now(f"{len(batch.flights)} flights, recorded at {batch.recorded_at:%Y-%m-%d %H:%M}Z")

    def _replay(self) -> None:
        self._player.play(REPLAY, [self.late_day])

    def _prove(self) -> Verdict:
        from grader.report import write

        stored = known_runs(self.state)
        probe = LocalProbe(
            state=self.state,
            platform=self.platform,
            documents=self.pipelines.documents,
            days=self.days,
            made=made_runs(self.journal, stored.__getitem__),
            begun=datetime.fromisoformat(self.journal.begun),
            since=self.journal.facts.get("since", 0),
            lake=self.lake,
        )
        with self._stage("checks", "Checking what they left"):
            checks = [check for check in CHECKS if all(probe.has(need) for need in check.needs)]
            results = run_checks(checks, probe, lambda result: self.display.now(result.check.title))
            self.display.now(f"{sum(result.outcome == 'pass' for result in results)} of {len(results)} passed")
        with self._stage("report", "Writing the report"):
            total = sum(self.journal.seconds.values())
            own = sum(run.get("executor", 0.0) for run in self.journal.runs)
            spent = {self._titles[name]: seconds for name, seconds in self.journal.seconds.items()}
            timings = {**spent, "of all that, the executor itself": own}
            report = document(probe, results, items(), timings, total)
            page = write(report, self.state.report)
        self.journal.finish("report")
        return Verdict(report=report, results=results, page=page)
