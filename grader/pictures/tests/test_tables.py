"""Pictures of tables: what each snapshot did, and who committed it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import IntegerType, NestedField, StringType

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.lake import Lake
from grader.fingerprint.tests.memory import MemoryCatalog
from grader.pictures.tables import history_of, partitions_of
from grader.pictures.tests.test_runs import texts

SCHEMA = Schema(NestedField(1, "day", StringType()), NestedField(2, "flight", IntegerType()))
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "day"))


def rows(day: str, *numbers: int) -> pa.Table:
    """Make rows of a day."""
    return pa.table({"day": pa.array([day] * len(numbers)), "flight": pa.array(numbers, pa.int32())})


def marked(ds: str, node: str = "w-1.w-1.extract(0)") -> dict[str, str]:
    """Make a snapshot's properties."""
    return {"batchlab.node": node, "batchlab.ds": ds}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table of two days: the first written, written again with the same, changed; then emptied."""
    catalog = MemoryCatalog(tmp_path / "warehouse")
    made = catalog.create_table("raw.flights", SCHEMA, partition_spec=SPEC)
    made.append(rows("d1", 1, 2), snapshot_properties=marked("d1"))
    made.append(rows("d2", 3), snapshot_properties=marked("d2"))
    made.dynamic_partition_overwrite(rows("d1", 2, 1), snapshot_properties=marked("d1"))
    made.dynamic_partition_overwrite(rows("d1", 1, 2, 4), snapshot_properties=marked("d1", "w-2.w-2.repair"))
    made.delete(EqualTo("day", "d2"), snapshot_properties=marked("d2"))
    return Lake(catalog=catalog, cache=DigestCache(tmp_path / "cache.db"))


def table(lake: Lake) -> Any:
    """The table."""
    return lake.iceberg("raw.flights")


def test_partitions_show_what_each_snapshot_did(lake: Lake) -> None:
    """Same content is told from changed content; what a snapshot did not touch says so."""
    picture = partitions_of(lake, table(lake))
    assert picture.title == "Partitions of lake.raw.flights"
    days = {row[0]: row[1:] for row in picture.rows}
    # an overwrite of PyIceberg is a delete, then an append
    assert days["day=d1"][0] == "created, 2 rows"
    assert days["day=d1"][-1] == "untouched, 3 rows"
    assert days["day=d2"][-1] == "removed, 0 rows"
    assert days["day=d2"][-2] == "untouched, 1 row"
    said = texts(picture)
    assert "+ 2" in said
    assert "≠ 0" in said
    assert "extract" in said
    assert "≠ changed" in said
    assert "1 partition removed" in picture.alt


def test_history_shows_who_committed_what(lake: Lake) -> None:
    """Every snapshot, with the step that made it, and the branch that names the last one."""
    picture = history_of(table(lake))
    assert picture.alt == f"lake.raw.flights has {len(picture.rows)} snapshots; its branches and tags are main."
    assert picture.rows[0][2:8] == ("append", "extract", "d1", "2", "0", "")
    assert picture.rows[-1][3:] == ("extract", "d2", "0", "1", "main")
    assert {row[3] for row in picture.rows} == {"extract", "repair"}
    assert "0 in, 1 out main" in " ".join(texts(picture).split())
