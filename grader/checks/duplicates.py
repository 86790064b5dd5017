"""Keys that occur more than once: in what is visible, in what is staged, and in what PostgreSQL refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grader.checks.model import Evidence, Failure
from grader.checks.probe import Probe, Run
from grader.fingerprint.canonical import identifier
from grader.fingerprint.lake import Lake
from grader.fingerprint.relation import columns
from grader.oracle.tables import PARTITION, TABLES, TableSpec
from pipelines.local.errors import BadInput

_REFUSED = re.compile(r'duplicate key value violates unique constraint "(?P<constraint>[^"]+)"')
_KEY = re.compile(r"Key \((?P<columns>[^)]*)\)=\((?P<values>.*?)\) already exists")
FAILED = frozenset({"Failed", "Error"})


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Keys of one table that occur more than once.

    Args:
        table: its name.
        partition: `flight_date=2013-03-09`.
        where: in what they are, in words.
        columns: key columns, then `copies`.
        rows: some of the keys, with their number of copies.
        count: how many keys in all.
        query: a query that shows them.
    """

    table: str
    partition: str
    where: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int
    query: str

    def __str__(self) -> str:
        first = ", ".join(f"{name}={value}" for name, value in zip(self.columns[:-1], self.rows[0], strict=False))
        return f"{self.table} {self.partition} has {self.count} duplicated keys {self.where}, such as ({first})"


def duplicates(probe: Probe) -> list[Duplicates]:
    """Look everywhere: tables as they are visible, audit branches, snapshots of failed runs, refused inserts.

    Only the probe's days and runs count: what an older experiment left of other days is not theirs.
    """
    found = []
    for table in probe.tables():
        found += _visible(probe.lake, table)
        if table.in_lake:
            found += _staged(probe, table)
    for run in probe.runs():
        if run.phase in FAILED:
            found += _refused(probe, run)
    days = {f"{PARTITION}={day}" for day in probe.days}
    return _without_repeats([one for one in found if one.partition in days])


def _visible(lake: Lake, table: TableSpec) -> list[Duplicates]:
    try:
        source = lake.rows(table.name)
    except BadInput:
        return []
    return _in(lake, table, source, "", "in what is visible")


def _staged(probe: Probe, table: TableSpec) -> Iterator[Duplicates]:
    """Look at what is not visible: branches, and snapshots of failed runs that no branch leads to any more."""
    lake = probe.lake
    try:
        iceberg = lake.iceberg(table.name)
    except BadInput:
        return
    current = iceberg.current_snapshot()
    seen = {current.snapshot_id} if current else set()
    known = {run.name for run in probe.runs()}
    for name, ref in iceberg.metadata.refs.items():
        if ref.snapshot_id not in seen and _maker(iceberg.snapshot_by_id(ref.snapshot_id)) in {*known, ""}:
            seen.add(ref.snapshot_id)
            at = f"VERSION AS OF '{name}'"
            yield from _in(lake, table, lake.rows(table.name, name), at, f"in what is staged on branch {name}")
    failed = {run.name for run in probe.runs() if run.phase in FAILED}
    for snapshot in iceberg.snapshots():
        workflow = _maker(snapshot)
        if workflow in failed and snapshot.snapshot_id not in seen:
            seen.add(snapshot.snapshot_id)
            at = f"VERSION AS OF {snapshot.snapshot_id}"
            where = f"in snapshot {snapshot.snapshot_id} of the failed run {workflow}"
            yield from _in(lake, table, lake.rows(table.name, snapshot.snapshot_id), at, where)


def _maker(snapshot: Any) -> str:
    """Name the workflow that made a snapshot; empty where its summary does not say."""
    return str(snapshot.summary.get("batchlab.workflow") or "") if snapshot and snapshot.summary else ""


def _in(lake: Lake, table: TableSpec, source: str, version: str, where: str) -> list[Duplicates]:
    """Group by partition what occurs more than once in a source of rows.

    Raises:
        Failure: the rows have no such key.
    """
    there = dict(columns(lake.con, source))
    lacking = [column for column in table.key if column not in there]
    if lacking:
        raise Failure(
            f"{table.name} has no column {lacking[0]}, which is part of its key ({', '.join(table.key)})",
            evidence=Evidence(expected=", ".join(table.columns), found=", ".join(there)),
            hints=(
                "Which columns tell one row of the table from another?",
                "A column is found by its name: one of another name does not count, whatever is in it.",
                f"pipelines/DATA.md lists the columns of {table.name}; CREATE TABLE and SELECT with these names.",
            ),
        )
    keys = [column for column in table.key if column != PARTITION]
    listed = ", ".join(identifier(column) for column in (PARTITION, *keys))
    query = f"SELECT {listed}, count(*) AS copies FROM {{}} GROUP BY {listed} HAVING count(*) > 1 ORDER BY {listed}"
    by_day: dict[str, list[tuple[Any, ...]]] = {}
    for row in lake.con.execute(query.format(source)).fetchall():
        by_day.setdefault(str(row[0]), []).append(row)
    names = (PARTITION, *keys)
    shown = f"SELECT {', '.join(names)}, count(*) AS copies FROM {table.name} {version}".rstrip()
    return [
        Duplicates(
            table=table.name, partition=f"{PARTITION}={day}", where=where, columns=(*names, "copies"), rows=rows[:10],
            count=len(rows),
            query=f"{shown} WHERE {PARTITION} = DATE '{day}' GROUP BY {', '.join(names)} HAVING count(*) > 1",
        )
        for day, rows in sorted(by_day.items())
    ]  # fmt: skip


def _refused(probe: Probe, run: Run) -> Iterator[Duplicates]:
    """Read from a failed step's log which insert PostgreSQL refused; the keys are those that mart and table share."""
    for node in run.nodes:
        if node.get("phase") not in FAILED:
            continue
        log = "\n".join((str(node.get("message") or ""), probe.log(run.name, str(node.get("id")))))
        refused = _REFUSED.search(log)
        table = refused and next(
            (one for one in TABLES if not one.in_lake and refused["constraint"].startswith(one.name.partition(".")[2])),
            None,
        )
        if table:
            key = _KEY.search(log)
            yield from _shared(probe, table, run, key["values"] if key else "")


def _shared(probe: Probe, table: TableSpec, run: Run, first: str) -> Iterator[Duplicates]:
    """Name the keys that would have been doubled: those of the mart's partition that the table holds already."""
    keys = ", ".join(identifier(column) for column in table.key)
    day = f"WHERE {PARTITION} = DATE '{run.ds}'"
    mart = probe.lake.rows(f"lake.marts.{table.name.partition('.')[2]}")
    held = probe.lake.rows(table.name)
    query = (
        f"SELECT {keys}, 2 AS copies FROM {mart} {day} AND ({keys}) IN (SELECT ({keys}) FROM {held}) ORDER BY {keys}"
    )
    rows = probe.lake.con.execute(query).fetchall() or [(*first.split(", "), 2)]
    yield Duplicates(
        table=table.name, partition=f"{PARTITION}={run.ds}",
        where=f"in what run {run.name} inserted and PostgreSQL refused",
        columns=(*table.key, "copies"), rows=rows[:10], count=len(rows),
        query=f"SELECT {', '.join(table.key)} FROM {table.name} {day}",
    )  # fmt: skip


def _without_repeats(found: list[Duplicates]) -> list[Duplicates]:
    """Keep the first of what several places say of one partition in the same way."""
    kept: dict[tuple[str, str], Duplicates] = {}
    for one in found:
        kept.setdefault((one.table, one.partition), one)
    return list(kept.values())
