"""What is read, how often, and what is refused instead of read wrongly."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.expressions import EqualTo
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform, VoidTransform
from pyiceberg.typedef import Record
from pyiceberg.types import IntegerType, ListType, NestedField, StringType, TimestampType

from grader.fingerprint import cache as cache_module
from grader.fingerprint import manifests, reader
from grader.fingerprint.cache import DigestCache
from grader.fingerprint.digest import Digest
from grader.fingerprint.lake import Lake
from grader.fingerprint.tests.memory import MemoryCatalog
from pipelines.local.errors import BadInput

NAME = "raw.numbers"
SCHEMA = Schema(NestedField(1, "day", StringType()), NestedField(2, "number", IntegerType()))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with one table of five days, in five files."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    table = catalog.create_table(NAME, SCHEMA)
    with table.update_spec() as update:
        update.add_identity("day")
    table.append(numbers(*((f"d{number}", number) for number in range(5))))
    return Lake(catalog=catalog, cache=DigestCache(tmp_path / "cache.db"))


def numbers(*rows: tuple[str | None, int | None]) -> pa.Table:
    """Make rows of the table."""
    days, values = zip(*rows, strict=True)
    return pa.table({"day": pa.array(days, pa.string()), "number": pa.array(values, pa.int32())})


def table(lake: Lake) -> Any:
    """The table as it is now."""
    return lake.catalog.load_table(("raw", "numbers"))


def add_file(lake: Lake, path: Path, records: int, partition: Record) -> None:
    """Commit a data file as it is."""
    file = DataFile.from_args(
        file_path=path.as_uri(), file_format=FileFormat.PARQUET, record_count=records, partition=partition,
        file_size_in_bytes=path.stat().st_size,
    )  # fmt: skip
    file.spec_id = table(lake).spec().spec_id
    with table(lake).transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        append.append_data_file(file)


def test_files_are_read_in_batches(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """More files than a query takes give the digests that one query gives."""
    whole = Lake(catalog=lake.catalog).fingerprint(NAME)
    monkeypatch.setattr(reader, "BATCH", 2)
    found = Lake(catalog=lake.catalog).fingerprint(NAME)
    assert found == whole
    assert (found.files_read, len(found.partitions)) == (5, 5)
    assert lake.con.execute(f"SELECT count(*) FROM {lake.rows(NAME)}").fetchall() == [(5,)]


def test_manifests_are_read_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a manifest lists is kept with the digests; after a rerun only manifests that it wrote are read."""
    read: list[str] = []
    plain = manifests._read

    def noted(table: Any, manifest: Any) -> Any:
        read.append(manifest.manifest_path)
        return plain(table, manifest)

    monkeypatch.setattr(manifests, "_read", noted)
    lake.fingerprint(NAME)
    table(lake).append(numbers(("d9", 9)))
    lake.fingerprint(NAME)
    assert len(read) == len(set(read)) == 2
    table(lake).overwrite(numbers(("d3", 33)), EqualTo("day", "d3"))
    again = lake.fingerprint(NAME)
    assert again.files_read == 1
    assert again.partitions == Lake(catalog=lake.catalog).fingerprint(NAME).partitions


def test_cache_of_another_engine_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests of another DuckDB are left alone: its hash may be another."""
    DigestCache(tmp_path / "cache.db").put({"key": Digest(rows=1, low=2, high=3)})
    assert DigestCache(tmp_path / "cache.db").get(["key", "other"]) == {"key": Digest(rows=1, low=2, high=3)}
    monkeypatch.setattr(cache_module, "FORMAT", "2_duckdb_9_9_9")
    assert DigestCache(tmp_path / "cache.db").get(["key"]) == {}


def test_cache_that_breaks_while_it_is_open_is_made_anew(tmp_path: Path) -> None:
    """Pages that are no pages are dropped, and digests kept again."""
    path = tmp_path / "cache.db"
    one = {f"key {number}": Digest(rows=number, low=number, high=number) for number in range(2000)}
    kept = DigestCache(path)
    kept.put(one)
    kept.close()
    found = path.read_bytes()
    path.write_bytes(found[:4096] + b"\xff" * (len(found) - 4096))
    mended = DigestCache(path)
    assert mended.get(one) == {}
    mended.put(one)
    assert mended.get(one) == one


def test_cache_that_another_holds_is_not_taken_for_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock held too long is an error, and the digests are still there afterwards."""
    path = tmp_path / "cache.db"
    kept = DigestCache(path)
    kept.put({"key": Digest(rows=1)})
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, **{**more, "timeout": 0}))
    other = DigestCache(path)
    kept._connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.put({"key": Digest(rows=2)})
    kept._connection.execute("ROLLBACK")
    assert other.get(["key"]) == {"key": Digest(rows=1)}


def test_file_without_field_ids_is_refused(lake: Lake, tmp_path: Path) -> None:
    """Columns that cannot be found are not taken for NULL, neither by a fingerprint nor where rows are shown."""
    pq.write_table(numbers(("d1", 7)), tmp_path / "bare.parquet")
    add_file(lake, tmp_path / "bare.parquet", 1, Record("d1"))
    for read in (lake.fingerprint, lake.rows):
        with pytest.raises(BadInput, match=r"bare.parquet: the file cannot be read: .*field-ids"):
            read(NAME)


def test_imported_files_are_read_by_name(lake: Lake, tmp_path: Path) -> None:
    """With a name mapping, files without ids count as those with ids do."""
    pq.write_table(numbers(("d1", 7)), tmp_path / "bare.parquet")
    add_file(lake, tmp_path / "bare.parquet", 1, Record("d1"))
    mapping = table(lake).schema().name_mapping.model_dump_json()
    with table(lake).transaction() as transaction:
        transaction.set_properties({"schema.name-mapping.default": mapping})
    found = lake.fingerprint(NAME)
    table(lake).overwrite(numbers(("d1", 7), ("d1", 1)), EqualTo("day", "d1"))
    assert lake.fingerprint(NAME).partitions == found.partitions
    assert lake.con.execute(f"SELECT number FROM {lake.rows(NAME)} WHERE day = 'd1'").fetchall() == [(7,), (1,)]


def test_rows_of_nothing_but_null(tmp_path: Path) -> None:
    """Rows in which every column is NULL are counted, and are no sign that ids are missing."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    catalog.create_table(NAME, SCHEMA)
    lake = Lake(catalog=catalog)
    table(lake).append(numbers((None, None), (None, None)))
    assert lake.fingerprint(NAME).total.rows == 2


def test_file_that_was_changed_after_its_commit_is_refused(lake: Lake, tmp_path: Path) -> None:
    """A file with other rows than its manifest says is not believed."""
    with pq.ParquetWriter(tmp_path / "more.parquet", table(lake).schema().as_arrow()) as writer:
        writer.write_table(numbers(("d1", 7), ("d1", 8)).cast(table(lake).schema().as_arrow()))
    add_file(lake, tmp_path / "more.parquet", 3, Record("d1"))
    with pytest.raises(BadInput, match=r"more.parquet: the data file has 2 rows where its manifest says 3; .*anew"):
        lake.fingerprint(NAME)


def test_file_that_is_gone_is_refused(lake: Lake) -> None:
    """A missing data file is an error in one line, not an empty partition."""
    found = next(file for file in lake.files(NAME, table(lake).current_snapshot().snapshot_id))
    Path(str(found.local)).unlink()
    with pytest.raises(BadInput, match="its data files cannot be read: IO Error") as raised:
        lake.fingerprint(NAME)
    assert "\n" not in str(raised.value)


def test_encrypted_file_is_refused(lake: Lake, tmp_path: Path) -> None:
    """Files for which there is a key elsewhere are not read."""
    file = DataFile.from_args(
        file_path=(tmp_path / "x.parquet").as_uri(), file_format=FileFormat.PARQUET, record_count=1,
        partition=Record("d1"), file_size_in_bytes=1, key_metadata=b"key",
    )  # fmt: skip
    file.spec_id = table(lake).spec().spec_id
    with table(lake).transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        append.append_data_file(file)
    with pytest.raises(BadInput, match=r"x.parquet: the file is encrypted"):
        lake.fingerprint(NAME)


def test_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    """Names that mean something to DuckDB's search for files are read as names."""
    found = []
    for folder in ("plain", "a*b", "axb"):
        catalog = MemoryCatalog(tmp_path / folder)
        catalog.create_table(NAME, SCHEMA, location=str(tmp_path / folder))
        lake = Lake(catalog=catalog)
        table(lake).append(numbers(("d1", 1) if folder != "axb" else ("d1", 2)))
        found.append(lake.fingerprint(NAME).total)
    assert found[0] == found[1] != found[2]


def test_nothing_is_left_in_duckdb(tmp_path: Path) -> None:
    """Files that pyiceberg reads are let go of, one by one."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    items = ListType(element_id=3, element_type=StringType(), element_required=False)
    catalog.create_table(NAME, Schema(NestedField(1, "a", IntegerType()), NestedField(2, "b", items)))
    lake = Lake(catalog=catalog)
    for number in range(3):
        table(lake).append(pa.table({"a": pa.array([number], pa.int32()), "b": pa.array([["x"]])}))
    with table(lake).update_schema() as update:
        update.add_column("c", StringType())
    assert lake.fingerprint(NAME).files_read == 3
    assert lake.con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []


@pytest.mark.parametrize(
    ("transform", "values"),
    [
        (IdentityTransform(), ["a/b c=é", "", "null", None]),
        (BucketTransform(4), [3, None]),
        (TruncateTransform(2), ["a/", None]),
        (DayTransform(), [15706, None]),
        (VoidTransform(), [None]),
    ],
    ids=str,
)
def test_partitions_are_named_as_pyiceberg_does(transform: Any, values: list[Any]) -> None:
    """Names of partitions are those of Iceberg's paths, also where values need quoting."""
    kind = TimestampType() if isinstance(transform, DayTransform) else StringType()
    schema = Schema(NestedField(1, "day", kind))
    spec = PartitionSpec(PartitionField(1, 1000, transform, "which day"), PartitionField(1, 1001, transform, "b"))
    name = manifests._partition_name(spec, schema)
    for value in values:
        assert name(Record(value, value)) == spec.partition_to_path(Record(value, value), schema)
