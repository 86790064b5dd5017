"""One run per logical date of a past range, in any order, several at once."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from pipelines.local.cron.conversion import from_cron, from_template
from pipelines.local.cron.logical import Logical
from pipelines.local.cron.runs import Runs
from pipelines.local.cron.schedule import Schedule
from pipelines.local.errors import BadInput

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes makes name suffixes of
_NEAR = (timedelta(days=2), timedelta(days=4))
_FAR = (timedelta(days=45), timedelta(days=45))
_MAX_NAME = 63


@dataclass(frozen=True, kw_only=True)
class BackfillRun:
    """One date's run; in a plan its phase is empty."""

    ds: str
    name: str
    scheduled_time: datetime
    phase: str = ""
    message: str = ""


@dataclass(kw_only=True)
class Backfill:
    """The dates of a backfill, both ends included.

    Of a CronWorkflow each run gets the scheduled time whose own `ds` is the date; of a WorkflowTemplate it gets the
    date as its parameter `ds`. `shuffle` is the seed of a random order.
    """

    first: date
    last: date
    logical: Logical | None = None
    template: Mapping[str, Any] | None = None
    shuffle: int | None = None
    suffix: Callable[[], str] = field(default=lambda: "".join(secrets.choice(_LETTERS) for _ in range(5)))

    def dates(self) -> list[date]:
        """Give the dates in the order in which they are run."""
        count = (self.last - self.first).days + 1
        dates = [self.first + timedelta(days=n) for n in range(count)]
        if self.shuffle is not None:
            random.Random(self.shuffle).shuffle(dates)
        return dates

    def plan(self) -> list[BackfillRun]:
        """Say which runs there will be.

        Raises:
            BadInput: the manifest derives no `ds`, or no time of its schedule has one of the dates.
        """
        times = self._times()
        return [
            BackfillRun(ds=each.isoformat(), name=self._name(each), scheduled_time=times[each.isoformat()])
            for each in self.dates()
        ]

    def run(
        self,
        runs: Runs,
        *,
        parallel: int = 1,
        listener: Callable[[BackfillRun], None] = lambda _: None,
    ) -> Iterator[BackfillRun]:
        """Run the dates, several at once; gives each run in the order of the dates as it ends or earlier ones do."""
        guard = threading.Lock()

        def one(planned: BackfillRun) -> BackfillRun:
            with guard:
                listener(planned)
            outcome = runs.run(self._workflow(planned), name=planned.name, scheduled_time=planned.scheduled_time)
            done = BackfillRun(
                ds=planned.ds,
                name=outcome.name,
                scheduled_time=planned.scheduled_time,
                phase=outcome.phase,
                message=outcome.message,
            )
            with guard:
                listener(done)
            return done

        planned = self.plan()
        with ThreadPoolExecutor(max_workers=parallel) as pool:
            yield from pool.map(one, planned)

    def _workflow(self, planned: BackfillRun) -> dict[str, Any]:
        if self.logical is not None:
            return from_cron(self.logical.cron, planned.name, planned.scheduled_time)
        assert self.template is not None
        return from_template(self.template, planned.name, {"ds": planned.ds})

    def _name(self, day: date) -> str:
        source = self.logical.cron if self.logical is not None else self.template
        assert source is not None
        end = f"-{day:%Y%m%d}-{self.suffix()}"
        return f"{source['metadata']['name'][: _MAX_NAME - len(end)]}{end}"

    def _times(self) -> dict[str, datetime]:
        if self.logical is None:
            return {
                each.isoformat(): datetime.combine(each, time(), tzinfo=timezone.utc) for each in sorted(self.dates())
            }
        schedule = Schedule.of(self.logical.cron["spec"])
        wanted = {each.isoformat() for each in self.dates()}
        found: dict[str, datetime] = {}
        for before, after in (_NEAR, _FAR):
            self._search(schedule, (self.first - before, self.last + after), wanted, found)
            if len(found) == len(wanted):
                return found
        missing = sorted(wanted - set(found))
        raise BadInput(
            f"no time of the schedule has ds {missing[0]}",
            where=str(self.logical.cron["metadata"]["name"]),
            remedy="see what it fires: batchlab cron FILE --from … --to … --plan",
        )

    def _search(self, schedule: Schedule, days: Sequence[date], wanted: set[str], found: dict[str, datetime]) -> None:
        """Ask the manifest which date each time near the range has; the first time of a date is taken."""
        assert self.logical is not None
        for at in schedule.days(days[0], days[1], self.logical.lang):
            ds = self.logical.ds(at)
            if ds is None:
                raise BadInput(self.logical.why(at), where=str(self.logical.cron["metadata"]["name"]))
            if ds in wanted:
                found.setdefault(ds, at)
