"""Delete files as Spark writes them: position deletes in format 2, deletion vectors in format 3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyiceberg.table import StaticTable

from grader.fingerprint.digest import Fingerprint
from grader.fingerprint.files import data_files
from grader.fingerprint.iceberg import fingerprint
from grader.fingerprint.relation import connect
from pipelines.local.spark import jars

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables that Spark wrote, each beside a copy of its rows."""
    folder = tmp_path_factory.mktemp("warehouse")
    (jar,) = jars.folder().glob("iceberg-spark-runtime-*.jar")
    program = Path(__file__).with_name("spark_writes.py")
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    subprocess.run([sys.executable, program, folder, jar], env=env, check=True, capture_output=True)
    return folder


def load(warehouse: Path, name: str) -> StaticTable:
    """Open a table at its newest metadata."""
    found = (warehouse / "t" / name / "metadata").glob("v*.metadata.json")
    return StaticTable.from_metadata(str(max(found, key=lambda path: int(path.name[1:].partition(".")[0]))))


def whole(table: StaticTable) -> Fingerprint:
    """Fingerprint a table, nothing cached."""
    return fingerprint(connect(), table, "t", table.current_snapshot().snapshot_id)


@pytest.mark.parametrize("name", ["nested2", "nested3", "changed2", "changed3"])
def test_deletes_of_spark(warehouse: Path, name: str) -> None:
    """A table with delete files has the fingerprint of a copy without, and that of the other format version."""
    table, copy = load(warehouse, name), load(warehouse, f"{name}_copy")
    kinds = {one.format for file in data_files(table, table.current_snapshot().snapshot_id) for one in file.removals}
    assert kinds == ({"PARQUET"} if name.endswith("2") else {"PUFFIN"})
    assert not any(file.removals for file in data_files(copy, copy.current_snapshot().snapshot_id))
    found = whole(table)
    assert found.partitions == whole(copy).partitions
    assert found.total.rows == {"nested": 286, "changed": 84}[name[:-1]]
    assert found.total == whole(load(warehouse, f"{name[:-1]}2")).total
