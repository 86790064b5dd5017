"""What is asked: which input is bad. What it names must exist, and what does exist is said where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from grader.lineage.taint.history import History, Write, day_of
from grader.lineage.taint.spread import Names, Source
from grader.oracle.tables import PARTITION
from pipelines.local.errors import BadInput

CATALOG = "lake."
_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class Question:
    """A bad input.

    Args:
        dataset: which.
        partitions: which of its partitions; empty for all.
        column: which column; empty for all.
        snapshot: only what this snapshot wrote.
        run: only what this run wrote; of a dataset that no run writes, only what it read.
    """

    dataset: str
    partitions: tuple[str, ...] = ()
    column: str = ""
    snapshot: str = ""
    run: str = ""

    def __str__(self) -> str:
        """Say it in words: `lake.raw.flights, column dep_delay, flight_date=2013-03-09, snapshot 7771`."""
        parts = [self.dataset, f"column {self.column}" if self.column else "", *self.partitions]
        parts += [f"snapshot {self.snapshot}" if self.snapshot else "", f"run {self.run}" if self.run else ""]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where taint starts: bad writes, or a bad dataset that no run writes; and what is worth saying about it."""

    question: Question
    seeds: Mapping[Write, Names] = field(default_factory=dict)
    source: Source | None = None
    notes: tuple[str, ...] = ()


def understand(asked: Question, history: History, known: Mapping[str, frozenset[str]]) -> Start:
    """Find what a question names.

    Args:
        asked: as it was given: the dataset's name may lack `lake.`, a partition may be a day.
        history: the past.
        known: columns by dataset, in lower case.

    Raises:
        BadInput: there is no such dataset, partition, column, snapshot or run.
    """
    dataset = _dataset(asked.dataset, history)
    columns = _columns(asked.column, dataset, known)
    partitions = tuple(dict.fromkeys(_partition(one) for one in asked.partitions))
    question = Question(
        dataset=dataset, partitions=partitions, column=asked.column, snapshot=asked.snapshot, run=asked.run
    )
    if asked.run and asked.run not in history.runs and not any(one.workflow == asked.run for one in history.writes):
        raise BadInput(f"there is no run named {asked.run}", where="--run", remedy=_listed(history.runs, "there are"))
    if dataset in history.datasets:
        return _of_writes(question, history, columns)
    return _of_source(question, history, columns, known.get(dataset, frozenset()))


def _dataset(given: str, history: History) -> str:
    names = history.datasets | {name for one in history.executions for name in one.reads}
    for name in (given, f"{CATALOG}{given}"):
        if name in names:
            return name
    remedy = _listed(names, "there are") if names else "no run has written or read any yet: run a pipeline"
    raise BadInput(f"no run has written or read a dataset {given}", where="DATASET", remedy=remedy)


def _columns(given: str, dataset: str, known: Mapping[str, frozenset[str]]) -> Names:
    if not given:
        return None
    if given.lower() not in known.get(dataset, frozenset({given.lower()})):
        raise BadInput(
            f"{dataset} has no column {given}", where="--column", remedy=_listed(known[dataset], "it has", 99)
        )
    return frozenset({given.lower()})


def _partition(given: str) -> str:
    """Read `flight_date=2013-03-09`, or a day alone."""
    name, equals, value = given.partition("=")
    try:
        return f"{PARTITION}={date.fromisoformat(name)}" if not equals else f"{name}={value}"
    except ValueError as error:
        remedy = f"as in --partition {PARTITION}=2013-03-09"
        raise BadInput(f"'{given}' is not COLUMN=VALUE", where="--partition", remedy=remedy) from error


def _of_writes(question: Question, history: History, columns: Names) -> Start:
    there = history.partitions(question.dataset)
    for one in question.partitions:
        if one not in there:
            raise BadInput(
                f"no run has written {question.dataset} {one}",
                where="--partition",
                remedy=_listed(there, "written are"),
            )
    notes: list[str] = []
    snapshot = _snapshot(question, history, notes)
    mine = [one for one in history.writes if one.dataset == question.dataset]
    if question.run and not any(one.workflow == question.run for one in mine):
        wrote = dict.fromkeys(one.workflow for one in mine if one.workflow)
        raise BadInput(
            f"{question.run} did not write {question.dataset}", where="--run", remedy=_listed(wrote, "these did")
        )
    chosen = [
        one
        for one in mine
        if (not question.partitions or one.partition in question.partitions)
        and question.run in {"", one.workflow}
        and snapshot in {"", one.snapshot}
    ]
    if not chosen and not notes:
        raise BadInput(f"{question}: no such write; leave one of the options out", where="DATASET")
    if len(chosen) > len({one.partition for one in chosen}):
        notes.append("all that was ever written there is taken for bad: --snapshot or --run says which of it is")
    return Start(question=question, seeds=dict.fromkeys(chosen, columns), notes=tuple(notes))


def _snapshot(question: Question, history: History, notes: list[str]) -> str:
    """Give the snapshot that readers have seen the asked one's rows in; its own, where it was made visible itself."""
    if not question.snapshot:
        return ""
    mine = {str(one.snapshot): one for one in history.traces if one.table == question.dataset}
    if question.snapshot not in mine:
        newest = list(reversed(mine))[:_LISTED]
        remedy = _listed(newest, "its newest are") if mine else "it has none: it is no Iceberg table"
        raise BadInput(f"{question.dataset} has no snapshot {question.snapshot}", where="--snapshot", remedy=remedy)
    asked = mine[question.snapshot]
    if asked.visible:
        if not asked.writes:
            notes.append(f"snapshot {asked.snapshot} is a compaction: it changed files, and no content")
        return question.snapshot
    later = [
        one
        for one in mine.values()
        if one.visible and (one.workflow, one.ds) == (asked.workflow, asked.ds) and one.moment >= asked.moment
    ]
    if later:
        notes.append(
            f"snapshot {asked.snapshot} was staged on a branch; its rows were published as {later[0].snapshot}"
        )
        return str(later[0].snapshot)
    notes.append(f"snapshot {asked.snapshot} was never published: readers of {question.dataset} have not seen it")
    return question.snapshot


def _of_source(question: Question, history: History, columns: Names, known: frozenset[str]) -> Start:
    dataset = question.dataset
    if question.snapshot:
        raise BadInput(f"{dataset} is no Iceberg table: it has no snapshots", where="--snapshot")
    readers = [one for one in history.writes if any(each.source == dataset for each in history.readings(one))]
    if question.run and not any(one.workflow == question.run for one in readers):
        read = dict.fromkeys(one.workflow for one in readers)
        raise BadInput(f"{question.run} did not read {dataset}", where="--run", remedy=_listed(read, "these did"))
    if question.partitions and known and not (PARTITION in known or {"year", "month", "day"} <= known):
        raise BadInput(f"the rows of {dataset} are of no day", where="--partition", remedy="leave it out")
    days = {str(day_of(f"={one.ds}") or "") for one in readers} - {""}
    for partition in question.partitions:
        if str(day_of(partition) or "") not in days:
            raise BadInput(
                f"no run has read {dataset} {partition}", where="--partition", remedy=_listed(days, "read were")
            )
    source = Source(dataset=dataset, days=frozenset(question.partitions), run=question.run, columns=columns)
    return Start(question=question, source=source)


def _listed(names: Iterable[str], what: str, most: int = _LISTED) -> str:
    found: Sequence[str] = names if isinstance(names, list) else sorted(names)
    if not found:
        return "there is none"
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"{what}: {', '.join(found[:most])}{more}"
