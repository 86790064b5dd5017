"""Who wrote which partition when, and what it was made from: the past that taint is followed through."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from grader.fingerprint.relation import WHOLE
from grader.lineage.executions import Execution
from grader.lineage.facets import Use
from grader.lineage.makers import Document, parameter
from grader.lineage.snapshots import Trace
from grader.lineage.taint.changes import Change
from grader.oracle.tables import PARTITION

REACH = {("lake.raw.weather", "lake.curated.flights"): 1}
"""Days around its own that a run reads of a table of which it reads a range of days, by `pipelines/DATA.md`."""
_SINGLE = re.compile(r'ref\(name="\w+"\) == ')
_DAY = re.compile(r"=(\d{4}-\d{2}-\d{2})(?=/|$)")


@dataclass(frozen=True, kw_only=True)
class Write:
    """One partition, as one run wrote it.

    Args:
        dataset: which table.
        partition: `flight_date=2013-03-09`.
        ds: the logical date that the run says it wrote for.
        workflow: the run; empty where nobody says.
        node: the node of the run.
        snapshot: Iceberg snapshot id; empty for PostgreSQL and the webhook.
        moment: when.
        keeps: whether rows from before are still in it.
    """

    dataset: str
    partition: str
    ds: str
    workflow: str
    node: str
    snapshot: str
    moment: datetime
    keeps: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a write was made from.

    Args:
        source: dataset read.
        version: its snapshot; empty where the event does not say, and then it is what was there at `at`.
        at: when the reading began.
        reach: how many days around the run's own were read; None for all there were.
        made: what the event says of the table written: column edges.
        same: the table's own rows from before, which the write kept.
    """

    source: str
    version: str
    at: datetime
    reach: int | None = 0
    made: Use
    same: bool = False


@dataclass(frozen=True, kw_only=True)
class History:
    """Writes, oldest first, and what each was made from.

    Args:
        executions: what ran, of those that completed.
        runs: workflow runs by name.
        traces: snapshots of all tables, of each table oldest first.
        writes: partitions as they were written, oldest first.
    """

    executions: Sequence[Execution]
    runs: Mapping[str, Document]
    traces: Sequence[Trace]
    writes: Sequence[Write]

    @cached_property
    def datasets(self) -> frozenset[str]:
        """Datasets that some run wrote."""
        return frozenset(one.dataset for one in self.writes)

    def partitions(self, dataset: str) -> list[str]:
        """Partitions that some run wrote."""
        return sorted(partition for name, partition in self._writes_of if name == dataset)

    def current(self, dataset: str, partition: str) -> Write:
        """Give the write that a partition's content is from."""
        return self._writes_of[dataset, partition][-1]

    def held(self, reading: Reading, partition: str) -> Write | None:
        """Give the write that a partition's content was from when it was read; None where there was none yet."""
        writes = self._writes_of.get((reading.source, partition), ())
        place = self._places.get((reading.source, reading.version))
        if place is None:
            number = bisect_right([one.moment for one in writes], reading.at)
        else:
            number = bisect_right([self._places.get((one.dataset, one.snapshot), -1) for one in writes], place)
        return writes[number - 1] if number else None

    def readings(self, write: Write) -> Iterator[Reading]:
        """Say what a write was made from: by what its run read, up to then, for this table and this day."""
        for one in self._makers_of.get((write.workflow, write.dataset), ()):
            if one.started > write.moment or ds_of(one, self.runs) not in {"", write.ds}:
                continue
            made = one.writes[write.dataset]
            own = [write.dataset] if write.dataset in one.reads else []  # a MERGE reads what it changes
            for source in [*one.sources(write.dataset), *own]:
                use = one.reads[source]
                reach = reach_of(use, write.dataset)
                yield Reading(source=source, version=use.version, at=one.started, reach=reach, made=made)
        if write.keeps:
            before = self._parents.get((write.dataset, write.snapshot), "")
            moment = write.moment - timedelta(microseconds=1)
            yield Reading(source=write.dataset, version=before, at=moment, made=Use(name=write.dataset), same=True)

    def read(self, write: Write, reading: Reading) -> Iterator[Write]:
        """Give the writes whose content a write was made from, of what one reading read."""
        day = day_of(f"={write.ds}") or day_of(write.partition)
        if reading.same:
            names = [write.partition]
        elif reading.reach is None or day is None:
            names = self.partitions(reading.source)
        else:
            near = (day + timedelta(days=number) for number in range(-reading.reach, reading.reach + 1))
            names = [name for one in (None, *near) for name in self._days.get((reading.source, one), ())]
        for name in names:
            if (found := self.held(reading, name)) is not None:
                yield found

    @cached_property
    def _writes_of(self) -> dict[tuple[str, str], list[Write]]:
        found: dict[tuple[str, str], list[Write]] = {}
        for one in self.writes:
            found.setdefault((one.dataset, one.partition), []).append(one)
        return found

    @cached_property
    def _days(self) -> dict[tuple[str, date | None], list[str]]:
        """Partitions by dataset and day; those that are of no day are read by every run."""
        found: dict[tuple[str, date | None], list[str]] = {}
        for dataset, partition in self._writes_of:
            found.setdefault((dataset, day_of(partition)), []).append(partition)
        return found

    @cached_property
    def _makers_of(self) -> dict[tuple[str, str], list[Execution]]:
        found: dict[tuple[str, str], list[Execution]] = {}
        for one in self.executions:
            for dataset in one.writes:
                found.setdefault((one.workflow, dataset), []).append(one)
        return found

    @cached_property
    def _places(self) -> dict[tuple[str, str], int]:
        """Number the snapshots in the order in which readers saw them; one of a branch has the number of its fork."""
        found: dict[tuple[str, str], int] = {}
        for number, one in enumerate(self.traces):
            fork = found.get((one.table, str(one.parent)), -1)
            found[one.table, str(one.snapshot)] = number if one.visible else fork
        return found

    @cached_property
    def _parents(self) -> dict[tuple[str, str], str]:
        return {(one.table, str(one.snapshot)): str(one.parent or "") for one in self.traces}


def history_of(
    done: Sequence[Execution], runs: Mapping[str, Document], traces: Sequence[Trace], changed: Sequence[Change]
) -> History:
    """Put the past together from events, runs and snapshots.

    An Iceberg table was written by the snapshots that its readers have seen. A table of PostgreSQL has none: a run
    wrote the partition of its day when it says so. The webhook is told what a run says that it told it.

    Args:
        done: executions.
        runs: workflow runs by name.
        traces: snapshots of all tables, of each table oldest first.
        changed: partitions that they wrote.
    """
    completed = [one for one in done if one.completed]
    tables = {one.table for one in traces}
    writes = [
        Write(
            dataset=one.trace.table, partition=one.partition, ds=one.trace.ds, workflow=one.trace.workflow,
            node=one.trace.node, snapshot=str(one.trace.snapshot), moment=one.trace.moment, keeps=one.keeps,
        )
        for one in changed
    ]  # fmt: skip
    for one in completed:
        days = {ds_of(one, runs)} - {""} or {each.ds for each in traces if each.workflow == one.workflow} - {""}
        for dataset, use in one.writes.items():
            if dataset not in tables and not use.change:
                writes += [_told(one, dataset, ds) for ds in sorted(days or {""})]
    writes.sort(key=lambda one: one.moment)
    return History(executions=completed, runs=runs, traces=traces, writes=writes)


def _told(one: Execution, dataset: str, ds: str) -> Write:
    node = one.maker.node if one.maker else ""
    partition = f"{PARTITION}={ds}" if ds else WHOLE
    return Write(
        dataset=dataset, partition=partition, ds=ds, workflow=one.workflow, node=node, snapshot="", moment=one.ended
    )


def ds_of(one: Execution, runs: Mapping[str, Document]) -> str:
    """Give the logical date of the node that ran an execution; empty where the run does not say."""
    run = runs.get(one.workflow)
    return parameter(run, one.maker.node, "ds") if run is not None and one.maker else ""


def day_of(partition: str) -> date | None:
    """Read the day of a partition; None where it is of none."""
    found = _DAY.search(partition)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def reach_of(use: Use, target: str) -> int | None:
    """Say how many days around its own a run read of a dataset; None for all.

    Iceberg reports the filter of a scan, without its values: one that compares with a single value names the run's own
    day. Of a range the specification says how far it goes; what it does not know is taken for everything. Who reports
    no filter, because it is not Spark or reads no Iceberg table, reads the run's own day.
    """
    if use.filter is None or (_SINGLE.search(use.filter) and " or " not in use.filter):
        return 0
    return REACH.get((use.name, target))
