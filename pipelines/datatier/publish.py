"""Write-audit-publish, the last part: make an audited branch visible, in one commit, beside other days' runs."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.datatier.catalog import identifier
from pipelines.datatier.errors import JobError, Superseded

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table as IcebergTable

    from pipelines.datatier.dates import LogicalDate
    from pipelines.datatier.tables import Table

ATTEMPTS = 20
MAIN = "main"


@dataclass(frozen=True, kw_only=True)
class Published:
    """What became visible: the snapshot of `main`, how it got there, and the partition's rows."""

    snapshot: int
    how: str  # "fast-forward", "re-applied" or "published before"
    rows: int


def publish(catalog: Catalog, table: Table, ds: LogicalDate, branch: str, properties: Mapping[str, str]) -> Published:
    """Make the branch's partition of `ds` the one of `main`, then drop the branch.

    Where `main` has not moved since staging, it is set to the branch's snapshot (fast-forward). Where runs of other
    days moved it, the staged files are put in place of the partition's in one new commit, without rewriting them.
    Both are compare-and-swap on `main`, and tried again when another commit comes first.

    Args:
        catalog: a pyiceberg catalog.
        table: which table.
        ds: the partition.
        branch: the audit branch that `stage` wrote.
        properties: summary entries of a new commit.

    Raises:
        Superseded: another run replaced the same partition meanwhile.
        JobError: there is no such branch, or other commits kept coming first.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    for attempt in range(ATTEMPTS):
        current = catalog.load_table(identifier(table.name))
        if branch not in current.metadata.refs:
            return _published_before(current, table, ds, branch, properties)
        try:
            return _publish_once(current, table, ds, branch, properties)
        except ValidationException as error:
            raise Superseded(table.name, table.partition_of(ds)) from error
        except CommitFailedException:
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
    raise JobError(f"{table.name}: other commits came first {ATTEMPTS} times; publish {table.partition_of(ds)} again")


def staged_branch(
    catalog: Catalog, table: Table, ds: LogicalDate, branch: str, properties: Mapping[str, str]
) -> str | None:
    """Say where the rows of `ds` are that this run has staged: on the branch, or, with None, on `main` already.

    A step that publishes several tables may be killed between them; run again, it finds the first one's branch gone.

    Raises:
        JobError: there is no such branch, and this run has not published it either.
    """
    current = catalog.load_table(identifier(table.name))
    if branch in current.metadata.refs:
        return branch
    _published_before(current, table, ds, branch, properties)
    return None


def _publish_once(
    current: IcebergTable, table: Table, ds: LogicalDate, branch: str, properties: Mapping[str, str]
) -> Published:
    metadata = current.metadata
    staged_id = metadata.refs[branch].snapshot_id
    staged = _files(current, table, ds, staged_id)
    main_id = metadata.refs[MAIN].snapshot_id if MAIN in metadata.refs else None
    base_id = _fork(current, staged_id, main_id)
    if main_id in {base_id, staged_id}:
        current.manage_snapshots().set_current_snapshot(snapshot_id=staged_id).remove_branch(branch).commit()
        return Published(snapshot=staged_id, how="fast-forward", rows=_rows(staged))
    visible = _files(current, table, ds, main_id)
    if main_id is not None and _paths(visible) == _paths(staged):  # an attempt before this one was cut short here
        snapshot = main_id
    elif _paths(visible) == _paths(_files(current, table, ds, base_id)):
        snapshot = _reapply(current, table, ds, visible, staged, properties)
    else:
        raise Superseded(table.name, table.partition_of(ds))
    current.refresh().manage_snapshots().remove_branch(branch).commit()
    return Published(snapshot=snapshot, how="re-applied", rows=_rows(staged))


def _published_before(
    current: IcebergTable, table: Table, ds: LogicalDate, branch: str, properties: Mapping[str, str]
) -> Published:
    """Find what an earlier attempt of this step made visible, so that a retry of a step with two tables can go on."""
    names = ("batchlab.workflow", "batchlab.ds")
    for snapshot_id in _lineage(current, current.metadata.current_snapshot_id):
        snapshot = current.snapshot_by_id(snapshot_id)
        summary = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
        if all(summary.get(name) == properties.get(name) for name in names):
            rows = _rows(_files(current, table, ds, snapshot_id))
            return Published(snapshot=snapshot_id, how="published before", rows=rows)
    raise JobError(f"{table.name} has no branch {branch}: nothing is staged for {ds}")


def _reapply(  # noqa: PLR0917
    current: IcebergTable,
    table: Table,
    ds: LogicalDate,
    visible: list[DataFile],
    staged: list[DataFile],
    properties: Mapping[str, str],
) -> int:
    """Put the staged files in place of the partition's on `main`; Iceberg checks that nobody else touched it."""
    from pyiceberg.expressions import EqualTo

    with current.transaction() as transaction:
        overwrite = transaction.update_snapshot(snapshot_properties=dict(properties)).overwrite()
        overwrite.delete_by_predicate(EqualTo(table.partition, str(ds)))  # rivals conflict in this partition only
        for file in visible:
            overwrite.delete_data_file(file)
        for file in staged:
            overwrite.append_data_file(file)
        overwrite.commit()
    return int(overwrite.snapshot_id)


def _fork(current: IcebergTable, staged_id: int, main_id: int | None) -> int | None:
    """Find the newest snapshot that the branch and `main` have in common; None where the table was empty."""
    ancestors = set(_lineage(current, main_id))
    return next((snapshot for snapshot in _lineage(current, staged_id) if snapshot in ancestors), None)


def _lineage(current: IcebergTable, snapshot_id: int | None) -> list[int]:
    found = []
    while snapshot_id is not None and (snapshot := current.snapshot_by_id(snapshot_id)) is not None:
        found.append(snapshot_id)
        snapshot_id = snapshot.parent_snapshot_id
    return found


def _files(current: IcebergTable, table: Table, ds: LogicalDate, snapshot_id: int | None) -> list[DataFile]:
    from pyiceberg.expressions import EqualTo

    if snapshot_id is None:
        return []
    scan = current.scan(row_filter=EqualTo(table.partition, str(ds)), snapshot_id=snapshot_id)
    return [task.file for task in scan.plan_files()]


def _paths(files: list[DataFile]) -> set[str]:
    return {file.file_path for file in files}


def _rows(files: list[DataFile]) -> int:
    return sum(file.record_count for file in files)
