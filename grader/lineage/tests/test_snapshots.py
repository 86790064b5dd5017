"""Snapshots of real Iceberg tables: which their readers saw, and where one that was picked from a branch is from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table

from grader.fingerprint.tests.memory import MemoryCatalog
from grader.lineage.snapshots import trace

ROWS = pa.table({"n": pa.array([1, 2], pa.int64())})
RUN = {"name": "w", "nodes": {"1": {"id": "1", "name": "w.curate", "displayName": "curate"}}}
SAID = {"batchlab.workflow": "w", "batchlab.node": "curate", "batchlab.ds": "2013-03-09"}


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """A table with one snapshot on `main` and one on a branch."""
    made = MemoryCatalog(tmp_path).create_table("curated.flights", ROWS.schema)
    made.append(ROWS, snapshot_properties=SAID)
    first = made.current_snapshot()
    assert first is not None
    made.manage_snapshots().create_branch(first.snapshot_id, "audit").commit()
    made.append(ROWS, snapshot_properties=SAID, branch="audit")
    return made


def test_a_branch_is_not_visible(table: Table) -> None:
    """Readers of `main` see a branch's snapshot when it is published, and not before."""
    found = trace(table, "lake.curated.flights", {"w": RUN})
    assert [(one.visible, one.problem) for one in found] == [(True, ""), (False, "")]
    staged = found[1].snapshot
    table.manage_snapshots().set_current_snapshot(snapshot_id=staged).commit()
    assert [one.visible for one in trace(table, "lake.curated.flights", {"w": RUN})] == [True, True]


def test_a_picked_snapshot_is_from_where_its_origin_is(table: Table) -> None:
    """Iceberg copies no properties when it picks a snapshot from a branch: the one it names has them."""
    staged = trace(table, "lake.curated.flights", {"w": RUN})[1].snapshot
    table.append(ROWS, snapshot_properties={"source-snapshot-id": str(staged)})
    picked = trace(table, "lake.curated.flights", {"w": RUN})[-1]
    assert (picked.workflow, picked.node, picked.ds, picked.problem) == ("w", "curate", "2013-03-09", "")
    table.append(ROWS, snapshot_properties={"source-snapshot-id": "4711"})
    assert "has no batchlab.workflow" in trace(table, "lake.curated.flights", {"w": RUN})[-1].problem


def test_a_delete_of_whole_files_is_from_where_its_application_is(table: Table) -> None:
    """Spark leaves the session's properties out of such a commit: the application's other commits have them."""
    ours, others = {"spark.app.id": "local-1"}, {"spark.app.id": "local-2"}
    table.delete(AlwaysTrue(), snapshot_properties=ours)
    assert "has no batchlab.workflow" in trace(table, "t", {"w": RUN})[-1].problem
    table.append(ROWS, snapshot_properties={**ours, **SAID})
    table.append(ROWS, snapshot_properties=ours)
    table.delete(AlwaysTrue(), snapshot_properties=others)
    deleted, _, untold, other = trace(table, "t", {"w": RUN})[-4:]
    assert (deleted.operation, deleted.workflow, deleted.node, deleted.ds, deleted.problem) == (
        "delete", "w", "curate", "2013-03-09", "",
    )  # fmt: skip
    assert "has no batchlab.workflow" in untold.problem  # what was written could have said so
    assert "has no batchlab.workflow" in other.problem
    table.append(ROWS, snapshot_properties={**ours, **SAID, "batchlab.ds": "2013-03-10"})
    assert "has no batchlab.workflow" in trace(table, "t", {"w": RUN})[-5].problem  # which day was it?


def test_what_cannot_be_traced(table: Table) -> None:
    """A run that is not known, and a node that it has not, are said."""
    assert trace(table, "t", {})[0].problem == "no run is called w"
    assert trace(table, "t", {"w": {"name": "w", "nodes": {}}})[0].problem == "run w has no node curate"
