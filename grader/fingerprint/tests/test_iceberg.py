"""Fingerprints of Iceberg tables: files, cache, changed schemas, branches."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DecimalType, IntegerType, ListType, LongType, NestedField, StringType

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.diff import diff, missing
from grader.fingerprint.lake import Lake
from grader.fingerprint.relation import WHOLE
from grader.fingerprint.tests.memory import MemoryCatalog
from pipelines.local.errors import BadInput

SCHEMA = Schema(
    NestedField(1, "day", StringType()),
    NestedField(2, "flight", IntegerType()),
    NestedField(3, "cost", DecimalType(9, 2)),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "day"))


def rows(*found: tuple[str, int]) -> pa.Table:
    """Make rows of the table `raw.flights`."""
    return pa.table(
        {
            "day": pa.array([day for day, _ in found], pa.string()),
            "flight": pa.array([number for _, number in found], pa.int32()),
            "cost": pa.array([None for _ in found], pa.decimal128(9, 2)),
        }
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with one partitioned table of two days."""
    catalog = MemoryCatalog(tmp_path / "ware house")
    catalog.create_table("raw.flights", SCHEMA, partition_spec=SPEC).append(rows(("d1", 1), ("d1", 2), ("d2", 3)))
    return Lake(catalog=catalog, cache=DigestCache(tmp_path / "cache.db"))


def table(lake: Lake) -> Any:
    """The table `raw.flights`."""
    return lake.catalog.load_table(("raw", "flights"))


def test_partitions_are_named_as_iceberg_does(lake: Lake) -> None:
    """Each partition has its rows and hash, and the table's name is given in full."""
    found = lake.fingerprint("raw.flights")
    assert found.table == "lake.raw.flights"
    assert {name: digest.rows for name, digest in found.partitions.items()} == {"day=d1": 2, "day=d2": 1}
    assert found.as_json()["partitions"]["day=d1"].keys() == {"rows", "hash"}
    assert len(found.total.hash) == 32


def test_other_files_same_content(lake: Lake) -> None:
    """Rows written in another order, into more files, have the same fingerprint."""
    before = lake.fingerprint("raw.flights")
    table(lake).overwrite(rows(("d1", 2)), EqualTo("day", "d1"))
    assert lake.fingerprint("raw.flights").partitions["day=d1"] != before.partitions["day=d1"]
    table(lake).append(rows(("d1", 1)))
    assert lake.fingerprint("raw.flights").partitions == before.partitions


def test_second_time_reads_only_new_files(lake: Lake) -> None:
    """Digests of files that were read are kept; without a cache everything is read and the answer is the same."""
    first = lake.fingerprint("raw.flights")
    assert (first.files_read, first.files) == (2, 2)
    assert lake.fingerprint("raw.flights").files_read == 0
    table(lake).append(rows(("d3", 4)))
    again = lake.fingerprint("raw.flights")
    assert (again.files_read, again.files) == (1, 3)
    fresh = Lake(catalog=lake.catalog).fingerprint("raw.flights")
    assert fresh.files_read == 3
    assert fresh.partitions == again.partitions


def test_broken_cache_is_made_anew(lake: Lake, tmp_path: Path) -> None:
    """A cache file that is no database is replaced, not trusted."""
    (tmp_path / "bad.db").write_bytes(b"this is not a database, " * 100)
    mended = Lake(catalog=lake.catalog, cache=DigestCache(tmp_path / "bad.db"))
    assert mended.fingerprint("raw.flights").partitions == lake.fingerprint("raw.flights").partitions


def test_changed_schema(lake: Lake) -> None:
    """Columns are found by field id: adding or widening one changes nothing, renaming one does, and back again."""
    before = lake.fingerprint("raw.flights")
    with table(lake).update_schema() as update:
        update.add_column("note", StringType())
        update.update_column("flight", LongType())
    assert lake.fingerprint("raw.flights").partitions == before.partitions
    with table(lake).update_schema() as update:
        update.rename_column("flight", "number")
    renamed = lake.fingerprint("raw.flights")
    assert renamed.partitions != before.partitions
    with table(lake).update_schema() as update:
        update.rename_column("number", "flight")
    assert lake.fingerprint("raw.flights").partitions == before.partitions


def test_nested_columns_of_a_changed_schema(tmp_path: Path) -> None:
    """Nested columns are read directly, and through pyiceberg once the schema has changed, with the same digest."""
    catalog = MemoryCatalog(tmp_path)
    schema = Schema(
        NestedField(1, "a", IntegerType()),
        NestedField(2, "b", ListType(element_id=3, element_type=StringType(), element_required=False)),
    )
    catalog.create_table("raw.nested", schema).append(
        pa.table({"a": pa.array([1, 2], pa.int32()), "b": pa.array([["x", None], None], pa.list_(pa.string()))})
    )
    lake = Lake(catalog=catalog)
    before = lake.fingerprint("raw.nested")
    assert list(before.partitions) == [WHOLE]
    with catalog.load_table("raw.nested").update_schema() as update:
        update.add_column("c", StringType())
    assert lake.fingerprint("raw.nested").partitions == before.partitions


def test_branch_is_a_snapshot(lake: Lake) -> None:
    """A branch can be fingerprinted without touching what is visible."""
    current = table(lake).current_snapshot().snapshot_id
    table(lake).manage_snapshots().create_branch(current, "audit").commit()
    table(lake).append(rows(("d9", 1)), branch="audit")
    assert "day=d9" in lake.fingerprint("raw.flights", "audit").partitions
    assert "day=d9" not in lake.fingerprint("raw.flights").partitions


def test_diff_names_partitions_and_rows(lake: Lake) -> None:
    """A diff says which partitions were created, changed, rewritten and left alone, and shows rows as a multiset."""
    before = table(lake).current_snapshot().snapshot_id
    table(lake).overwrite(rows(("d2", 3)), EqualTo("day", "d2"))
    table(lake).append(rows(("d1", 1)))
    table(lake).append(rows(("d3", 7)))
    found = diff(lake, "raw.flights", before, "main")
    assert (found.named("created"), found.named("changed"), found.named("rewritten")) == (
        ["day=d3"],
        ["day=d1"],
        ["day=d2"],
    )
    assert found.added.rows == [("d1", 1, None), ("d3", 7, None)]
    assert found.removed.rows == []
    back = diff(lake, "raw.flights", "main", before).as_json()
    assert back["removed"] == ["day=d3"]
    assert back["sample"]["removed"] == [["d1", 1, None], ["d3", 7, None]]
    same = diff(lake, "raw.flights", before, before)
    assert same.named("untouched") == ["day=d1", "day=d2"]


def test_empty_table(lake: Lake) -> None:
    """A table without a snapshot has no partitions."""
    lake.catalog.create_table("raw.empty", SCHEMA)
    assert lake.fingerprint("raw.empty").as_json()["partitions"] == {}


def test_unknown_table_names_those_there_are(lake: Lake) -> None:
    """A wrong name is answered with the right ones."""
    for wrong in ("raw.fligths", "flights", "lake", "a.b.c.d"):
        with pytest.raises(BadInput, match=r"no table .*there are: lake\.raw\.flights"):
            lake.fingerprint(wrong)


def test_unknown_snapshot_names_the_newest(lake: Lake) -> None:
    """A wrong snapshot is answered with those there are."""
    current = str(table(lake).current_snapshot().snapshot_id)
    for wrong in ("17", "nightly"):
        with pytest.raises(BadInput, match=f"no snapshot {wrong}.*{current}"):
            lake.fingerprint("raw.flights", wrong)


def test_missing_rows_are_a_multiset(lake: Lake) -> None:
    """Rows are counted, columns found by name, whatever they are called, and values compared whatever their type."""
    these = "(FROM (VALUES (1, [1.50], 'x'), (1, [1.5], 'x'), (1, [1.5], 'x'), (2, NULL, 'y')) t(hash, _nth, part))"
    those = "(FROM (VALUES ('x', [1.500], 1::BIGINT), ('z', NULL, 2)) t(part, _nth, hash))"
    found = missing(lake, these, those)
    assert found.columns == ["hash", "_nth", "part"]
    assert found.rows == [(1, [Decimal("1.50")], "x"), (1, [Decimal("1.50")], "x"), (2, None, "y")]
    assert missing(lake, those, these).rows == [("z", None, 2)]
    assert missing(lake, these, these).rows == []
    assert len(missing(lake, these, those, limit=1).rows) == 1
