"""Follow taint from what is bad to everything that was made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.lineage.taint.history import History, Reading, Write, day_of

Names = frozenset[str] | None
"""Columns, in lower case; None for all of them."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A bad dataset that no run writes, such as a table of the operational database.

    Args:
        dataset: which.
        days: `flight_date=2013-03-09`: only what runs of these days read of it; empty for all.
        run: only what this run read; empty for all.
        columns: the bad columns.
    """

    dataset: str
    days: frozenset[str] = frozenset()
    run: str = ""
    columns: Names = None


@dataclass(frozen=True, kw_only=True)
class Tainted:
    """A write that holds content computed from the bad input.

    Args:
        write: which.
        columns: the columns that it is in.
        sources: the writes that it came from; none where the bad input itself was read.
    """

    write: Write
    columns: Names
    sources: tuple[Write, ...] = ()


@dataclass(kw_only=True)
class Spread:
    """What is tainted.

    Args:
        tainted: by write.
        blind: pairs of datasets between which no event tells columns.
        wide: pairs of datasets of which a run read more days than its own.
    """

    tainted: dict[Write, Tainted] = field(default_factory=dict)
    blind: dict[tuple[str, str], None] = field(default_factory=dict)
    wide: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, write: Write, columns: Names, source: Write | None) -> bool:
        """Add columns to a write; says whether that is news."""
        known = self.tainted.get(write)
        if known is None:
            self.tainted[write] = Tainted(write=write, columns=columns, sources=(source,) if source else ())
            return True
        both = None if columns is None or known.columns is None else known.columns | columns
        sources = known.sources if source is None or source in known.sources else (*known.sources, source)
        self.tainted[write] = Tainted(write=write, columns=both, sources=sources)
        return both != known.columns


def spread(history: History, seeds: Mapping[Write, Names], source: Source | None = None) -> Spread:
    """Follow taint through the past.

    A write is tainted by what its run read: by the very snapshot that it read, where the event names it, else by what
    the table held when it began. So a run that read a partition before the bad content was committed, or after it was
    replaced, is clean. With columns, a write is tainted in those that are computed from a tainted one, or in all, where
    a tainted one decides which rows there are; where nothing is known of columns, in all.

    Args:
        history: who wrote and read what.
        seeds: bad writes, and which columns of them.
        source: a bad dataset that no run writes.
    """
    found = Spread()
    for write, columns in seeds.items():
        found.add(write, columns, None)
    news = True
    while news:  # once, unless clocks of different machines put a reading before what it read
        news = False
        for write in history.writes:
            for reading in history.readings(write):
                news |= _taint(history, write, reading, source, found)
    return found


def _taint(history: History, write: Write, reading: Reading, source: Source | None, found: Spread) -> bool:
    news = False
    if source is not None and reading.source == source.dataset and _concerns(source, write):
        made = _made(reading, source.columns, found)
        news |= made != frozenset() and found.add(write, made, None)
    for origin in history.read(write, reading):
        tainted = found.tainted.get(origin)
        if tainted is not None and origin != write:
            made = _made(reading, tainted.columns, found)
            if made != frozenset():
                news |= found.add(write, made, origin)
                if day_of(origin.partition) not in {None, day_of(write.partition)}:
                    found.wide[origin.dataset, write.dataset] = None
    return news


def _concerns(source: Source, write: Write) -> bool:
    if source.run not in {"", write.workflow}:
        return False
    days = {day_of(partition) for partition in source.days}
    return not days or (day_of(f"={write.ds}") or day_of(write.partition)) in days


def _made(reading: Reading, columns: Names, found: Spread) -> Names:
    """Say which columns of a table are made from some of a dataset that was read."""
    if columns is None or reading.same:
        return columns
    made = reading.made
    if not made.columns:
        found.blind[reading.source, made.name] = None
        return None
    if any(source == reading.source and column.lower() in columns for source, column in made.influences):
        return None
    return frozenset(
        edge.column.lower()
        for edge in made.columns
        if edge.source == reading.source and edge.source_column.lower() in columns
    )
