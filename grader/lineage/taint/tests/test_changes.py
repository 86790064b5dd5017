"""Which partitions snapshots of a real Iceberg table wrote."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform

from grader.fingerprint.tests.memory import MemoryCatalog
from grader.lineage.snapshots import trace
from grader.lineage.taint.changes import changes

NINE, TEN = date(2013, 3, 9), date(2013, 3, 10)


def rows(*days: date) -> pa.Table:
    """One row for each day."""
    columns = {"flight_date": pa.array(days, pa.date32()), "n": pa.array(range(len(days)), pa.int64())}
    return pa.table(columns)


def empty(folder: Path, *, partitioned: bool = True) -> Table:
    """A table without snapshots."""
    made = MemoryCatalog(folder).create_table("raw.flights", rows().schema)
    if partitioned:
        with made.update_spec() as update:
            update.add_field("flight_date", IdentityTransform(), "flight_date")
    return made


def written(table: Table) -> list[tuple[str, bool]]:
    """Partition, and whether older rows were kept, of every change."""
    return [(one.partition, one.keeps) for one in changes(table, trace(table, "lake.raw.flights", {}))]


def test_replaced_appended_emptied(tmp_path: Path) -> None:
    """A partition that is replaced keeps nothing, one that is appended to does, one that is emptied was written."""
    table = empty(tmp_path)
    table.append(rows(NINE, TEN))
    table.overwrite(rows(NINE), EqualTo("flight_date", str(NINE)))
    table.append(rows(NINE))
    table.delete(EqualTo("flight_date", str(TEN)))
    found = written(table)
    assert sorted(found[:2]) == [("flight_date=2013-03-09", False), ("flight_date=2013-03-10", False)]
    assert ("flight_date=2013-03-10", False) not in found[2:-1]
    assert found[-2:] == [("flight_date=2013-03-09", True), ("flight_date=2013-03-10", False)]


def test_branches_are_left_out_until_they_are_published(tmp_path: Path) -> None:
    """What was staged and never published changed nothing that anybody read."""
    table = empty(tmp_path)
    table.append(rows(NINE))
    current = table.current_snapshot()
    assert current is not None
    table.manage_snapshots().create_branch(current.snapshot_id, "audit").commit()
    table.append(rows(TEN), branch="audit")
    assert written(table) == [("flight_date=2013-03-09", False)]


def test_a_table_without_partitions(tmp_path: Path) -> None:
    """It has one, which holds all."""
    table = empty(tmp_path, partitioned=False)
    table.append(rows(NINE))
    table.append(rows(TEN))
    assert written(table) == [("(all)", False), ("(all)", True)]


def test_expired_predecessors(tmp_path: Path) -> None:
    """Of a table whose first snapshots are gone, the oldest left wrote what it added; what was there before is kept."""
    table = empty(tmp_path)
    table.append(rows(NINE, TEN))
    first = table.current_snapshot()
    assert first is not None
    table.append(rows(NINE))
    table.maintenance.expire_snapshots().by_id(first.snapshot_id).commit()
    assert written(table) == [("flight_date=2013-03-09", True)]
