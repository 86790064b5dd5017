"""Delete files: rows that they take away do not count, and nothing is read that is not exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import DoubleType, IntegerType, ListType, LongType, NestedField, StringType

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.diff import diff
from grader.fingerprint.files import DataFile, Deletes
from grader.fingerprint.lake import Lake
from grader.fingerprint.manifests import LiveFile
from grader.fingerprint.tests.memory import MemoryCatalog
from grader.fingerprint.tests.row_delta import delete_rows, equality, positions, vectors
from pipelines.local.errors import BadInput

NAME = "raw.flights"
SCHEMA = Schema(
    NestedField(1, "day", StringType()),
    NestedField(2, "flight", IntegerType()),
    NestedField(3, "tail", StringType()),
    NestedField(4, "share", DoubleType()),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "day"))
ROWS = [("d1", 1, "a"), ("d1", 2, None), ("d1", 3, "b"), ("d2", 1, "a"), ("d2", 4, None)]


def rows(found: list[tuple[str, int, str | None]]) -> pa.Table:
    """Make rows of the table."""
    days, flights, tails = zip(*found, strict=True)
    return pa.table(
        {
            "day": pa.array(days, pa.string()),
            "flight": pa.array(flights, pa.int32()),
            "tail": pa.array(tails, pa.string()),
            "share": pa.array([0.5] * len(days), pa.float64()),
        }
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with one table of two days, a file each."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    catalog.create_table(NAME, SCHEMA, partition_spec=SPEC).append(rows(ROWS))
    return Lake(catalog=catalog, cache=DigestCache(tmp_path / "cache.db"))


def table(lake: Lake) -> Any:
    """The table as it is now."""
    return lake.catalog.load_table(("raw", "flights"))


def file_of(lake: Lake, day: str) -> DataFile:
    """The data file of a day."""
    (found,) = (one for one in lake.files(NAME, current(lake)) if one.partition == f"day={day}")
    return found


def current(lake: Lake) -> int:
    """The table's present snapshot."""
    return int(table(lake).current_snapshot().snapshot_id)


def expect(lake: Lake, tmp_path: Path, left: list[tuple[str, int, str | None]]) -> None:
    """The table's content is that of a table into which only these rows were written, by cache and without."""
    catalog = MemoryCatalog(tmp_path / "expected")
    catalog.create_table(NAME, SCHEMA, partition_spec=SPEC).append(rows(left))
    wanted = Lake(catalog=catalog).fingerprint(NAME).partitions
    assert lake.fingerprint(NAME).partitions == wanted
    assert lake.fingerprint(NAME).files_read == 0
    assert Lake(catalog=lake.catalog).fingerprint(NAME).partitions == wanted
    shown = lake.con.execute(f"SELECT day, flight, tail FROM {lake.rows(NAME)}").fetchall()
    assert sorted(shown, key=str) == sorted(left, key=str)


def test_position_deletes(lake: Lake, tmp_path: Path) -> None:
    """Rows deleted by position do not count; only the files that the deletes are about are read again."""
    lake.fingerprint(NAME)
    path = file_of(lake, "d1").path
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d1"), [(path, 0), (path, 2)]))
    assert lake.fingerprint(NAME).files_read == 1
    expect(lake, tmp_path, [ROWS[1], ROWS[3], ROWS[4]])


def test_position_deletes_of_several_commits(lake: Lake, tmp_path: Path) -> None:
    """Later deletes are added to earlier ones, also where both name a row; other files' positions are not taken."""
    path, other = file_of(lake, "d1").path, file_of(lake, "d2").path
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d1"), [(path, 0), (other, 0)]))
    delete_rows(table(lake), positions(tmp_path / "q.parquet", Record("d1"), [(path, 0), (path, 1)], target=path))
    delete_rows(table(lake), positions(tmp_path / "r.parquet", Record("d1"), [(path, 2)], target=other))
    expect(lake, tmp_path, ROWS[2:])


def test_deletes_end_a_partition(lake: Lake, tmp_path: Path) -> None:
    """A partition all of whose rows are deleted is not there."""
    path = file_of(lake, "d2").path
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d2"), [(path, 0), (path, 1)]))
    expect(lake, tmp_path, ROWS[:3])


def test_equality_deletes(lake: Lake, tmp_path: Path) -> None:
    """Rows with the named values are gone from earlier files of the partition; later ones may have them again."""
    one = equality(tmp_path / "e.parquet", Record("d1"), {2: ("flight", pa.array([1, 7], pa.int32()))})
    delete_rows(table(lake), one)
    expect(lake, tmp_path, ROWS[1:])
    table(lake).append(rows([("d1", 7, "c"), ("d1", 1, "c")]))
    assert lake.fingerprint(NAME).total.rows == 6


def test_equality_deletes_by_null_and_by_several_columns(lake: Lake, tmp_path: Path) -> None:
    """NULL deletes NULL; with several columns all must agree; positions and values may both delete."""
    delete_rows(
        table(lake),
        equality(tmp_path / "e.parquet", Record("d1"), {3: ("tail", pa.array([None], pa.string()))}),
        equality(
            tmp_path / "f.parquet",
            Record("d2"),
            {2: ("flight", pa.array([1, 4], pa.int32())), 3: ("tail", pa.array(["b", None], pa.string()))},
        ),
        positions(tmp_path / "p.parquet", Record("d1"), [(file_of(lake, "d1").path, 0)]),
    )
    expect(lake, tmp_path, [ROWS[2], ROWS[3]])


def test_equality_deletes_everywhere(tmp_path: Path) -> None:
    """Deletes of a spec without partitions apply to files of every spec; those of one with partitions to its own."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    catalog.create_table(NAME, SCHEMA).append(rows(ROWS[:3]))
    lake = Lake(catalog=catalog, cache=DigestCache(tmp_path / "cache.db"))
    with table(lake).update_spec() as update:
        update.add_identity("day")
    table(lake).append(rows(ROWS[3:]))
    values = {2: ("flight", pa.array([1], pa.int32()))}
    delete_rows(table(lake), equality(tmp_path / "e.parquet", Record("d1"), values))
    assert lake.fingerprint(NAME).total.rows == 5
    delete_rows(table(lake), equality(tmp_path / "f.parquet", Record(), values), spec_id=0)
    found = lake.fingerprint(NAME)
    assert {name: one.rows for name, one in found.partitions.items()} == {"(all)": 2, "day=d2": 1}


def test_equality_deletes_by_a_column_that_changed(lake: Lake, tmp_path: Path) -> None:
    """Columns are found by field id: renamed and widened, even dropped since."""
    flight = {2: ("flight", pa.array([1], pa.int32()))}
    tail = {3: ("tail", pa.array(["a"], pa.string()))}
    delete_rows(table(lake), equality(tmp_path / "e.parquet", Record("d1"), flight))
    delete_rows(table(lake), equality(tmp_path / "f.parquet", Record("d2"), tail))
    with table(lake).update_schema() as update:
        update.update_column("flight", LongType())
        update.rename_column("flight", "number")
        update.delete_column("tail")
    found = lake.con.execute(f"SELECT * FROM {lake.rows(NAME)} ORDER BY ALL").fetchall()
    assert found == [("d1", 2, 0.5), ("d1", 3, 0.5), ("d2", 4, 0.5)]
    assert lake.fingerprint(NAME).total.rows == 3


def test_deletion_vectors(lake: Lake, tmp_path: Path) -> None:
    """A vector takes away the rows of its data file, and stands in for position deletes of that file."""
    one, other = file_of(lake, "d1"), file_of(lake, "d2")
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d1"), [(one.path, 1)]))
    for_one, _ = vectors(tmp_path / "v.puffin", {one: [0, 1], other: [1]}, Record("d1"))
    _, for_other = vectors(tmp_path / "w.puffin", {one: [2], other: [1]}, Record("d2"))
    delete_rows(table(lake), for_one, for_other)
    assert file_of(lake, "d1").deletes == (f"{for_one.file_path}#4",)
    expect(lake, tmp_path, [ROWS[2], ROWS[3]])


def test_deletes_in_a_diff(lake: Lake, tmp_path: Path) -> None:
    """A diff over a delete shows the rows that went; a partition with other deletes is not called untouched."""
    before = current(lake)
    path = file_of(lake, "d1").path
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d1"), [(path, 1)]))
    found = diff(lake, NAME, before, current(lake))
    assert (found.named("changed"), found.named("untouched")) == (["day=d1"], ["day=d2"])
    assert found.removed.rows == [("d1", 2, None, 0.5)]
    assert found.added.rows == []


def refused(lake: Lake, words: str) -> None:
    """The table has no fingerprint, and the message says why; a file that was read before does not hide it."""
    with pytest.raises(BadInput, match=words):
        lake.fingerprint(NAME)
    with pytest.raises(BadInput, match=words):
        Lake(catalog=lake.catalog).fingerprint(NAME)


def test_equality_deletes_by_floats_are_refused(lake: Lake, tmp_path: Path) -> None:
    """Engines differ in which floats are equal."""
    lake.fingerprint(NAME)
    delete_rows(table(lake), equality(tmp_path / "e.parquet", Record("d1"), {4: ("share", pa.array([0.5]))}))
    refused(lake, "equality deletes by field 4 cannot be read.*compact the table first")


def test_equality_deletes_without_their_columns_are_refused(lake: Lake, tmp_path: Path) -> None:
    """A delete file that lacks the columns it compares by would delete by NULL."""
    values = {9: ("flight", pa.array([1], pa.int32()))}
    delete_rows(table(lake), equality(tmp_path / "e.parquet", Record("d1"), values, equality_ids=[2]))
    refused(lake, r"the equality deletes lack the fields \[2\]")


def test_equality_deletes_of_nested_columns_are_refused_once_the_schema_changed(tmp_path: Path) -> None:
    """What only pyiceberg can read has no equality deletes; before that they are read like others."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    items = ListType(element_id=3, element_type=StringType(), element_required=False)
    schema = Schema(NestedField(1, "a", IntegerType()), NestedField(2, "b", items))
    nested = pa.table({"a": pa.array([1, 2], pa.int32()), "b": pa.array([["x"], None], pa.list_(pa.string()))})
    catalog.create_table(NAME, schema).append(nested)
    lake = Lake(catalog=catalog)
    delete_rows(table(lake), equality(tmp_path / "e.parquet", Record(), {1: ("a", pa.array([1], pa.int32()))}))
    assert lake.fingerprint(NAME).total.rows == 1
    with table(lake).update_schema() as update:
        update.add_column("c", StringType())
    refused(lake, "has equality deletes.*compact the table first")


def test_position_deletes_of_nested_columns_of_a_changed_schema(tmp_path: Path) -> None:
    """Where pyiceberg reads, it respects positions and vectors."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    items = ListType(element_id=3, element_type=StringType(), element_required=False)
    schema = Schema(NestedField(1, "a", IntegerType()), NestedField(2, "b", items))
    catalog.create_table(NAME, schema)
    lake = Lake(catalog=catalog)
    for numbers in ([1, 2, 3], [4, 5]):
        table(lake).append(pa.table({"a": pa.array(numbers, pa.int32()), "b": pa.array([["x"]] * len(numbers))}))
    with table(lake).update_schema() as update:
        update.add_column("c", StringType())
    large, small = sorted(lake.files(NAME, current(lake)), key=lambda one: -one.file.records)
    delete_rows(
        table(lake),
        positions(tmp_path / "p.parquet", Record(), [(large.path, 0)]),
        *vectors(tmp_path / "v.puffin", {small: [1]}, Record()),
    )
    assert lake.fingerprint(NAME).total.rows == 3
    assert lake.con.execute(f"SELECT a FROM {lake.rows(NAME)} ORDER BY 1").fetchall() == [(2,), (3,), (4,)]


def test_broken_deletion_vector_is_refused(lake: Lake, tmp_path: Path) -> None:
    """A vector that says otherwise than its manifest is not believed."""
    one = file_of(lake, "d1")
    (vector,) = vectors(tmp_path / "v.puffin", {one: [0, 1]}, Record("d1"))
    (_,) = vectors(tmp_path / "v.puffin", {one: [0]}, Record("d1"))
    delete_rows(table(lake), vector)
    refused(lake, "the deletion vector has 1 rows, not 2")
    (tmp_path / "v.puffin").write_bytes(b"PFA1 and nothing more")
    refused(lake, "the deletion vector cannot be read")


def test_missing_delete_file_is_refused(lake: Lake, tmp_path: Path) -> None:
    """A delete file that is gone is an error, not an absence of deletes."""
    path = file_of(lake, "d1").path
    delete_rows(table(lake), positions(tmp_path / "p.parquet", Record("d1"), [(path, 0)]))
    (tmp_path / "p.parquet").unlink()
    refused(lake, "its data files cannot be read: .*p.parquet")


def live(**more: Any) -> LiveFile:
    """A file of partition d1, of commit 5."""
    plain: dict[str, Any] = {"path": "file", "content": "data", "format": "PARQUET", "partition": "day=d1"}
    plain |= {"place": "0 Record['d1']", "everywhere": False, "records": 1, "size": 1, "sequence": 5}
    return LiveFile(**plain | more)


BY_POSITION = {"path": "d", "content": "position_deletes"}
BY_VALUE = {"path": "d", "content": "equality_deletes", "equality_ids": (2,)}
VECTOR = {**BY_POSITION, "format": "PUFFIN", "target": "file", "offset": 4}


@pytest.mark.parametrize(
    ("delete", "applies"),
    [
        ({**BY_POSITION, "sequence": 4}, False),
        ({**BY_POSITION, "sequence": 5}, True),
        ({**BY_POSITION, "sequence": 6}, True),
        ({**BY_POSITION, "target": "file"}, True),
        ({**BY_POSITION, "target": "other"}, False),
        ({**BY_POSITION, "place": "0 Record['d2']"}, False),
        ({**BY_POSITION, "place": "1 Record['d1']"}, False),
        ({**BY_POSITION, "place": "1 Record[]", "everywhere": True}, False),
        ({**VECTOR, "sequence": 4}, False),
        ({**VECTOR, "sequence": 5}, True),
        ({**VECTOR, "target": "other"}, False),
        ({**BY_VALUE, "sequence": 5}, False),
        ({**BY_VALUE, "sequence": 6}, True),
        ({**BY_VALUE, "sequence": 6, "place": "0 Record['d2']"}, False),
        ({**BY_VALUE, "sequence": 6, "place": "1 Record['d1']"}, False),
        ({**BY_VALUE, "sequence": 6, "place": "1 Record[]", "everywhere": True}, True),
    ],
    ids=str,
)
def test_which_deletes_apply(delete: dict[str, Any], applies: bool) -> None:
    """The rules of Iceberg's specification: commit, partition, and the file that deletes are about."""
    assert bool(Deletes([live(**delete)]).of(live())) == applies


def test_vector_replaces_positions_of_its_file_only() -> None:
    """Where there is a vector, deletes by position do not count, and deletes by value do."""
    found = Deletes([live(**BY_POSITION), live(**VECTOR), live(**{**BY_VALUE, "path": "e", "sequence": 6})])
    assert [one.address for one in found.of(live())] == ["d#4", "e"]
    assert [one.address for one in found.of(live(path="other"))] == ["d", "e"]
