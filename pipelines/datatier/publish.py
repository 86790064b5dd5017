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
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import DataScan, FileScanTask
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
    days moved it, the staged files are put in place of the partition's in one new commit; they are rewritten only where
    rows of theirs were deleted by merge-on-read. Both are compare-and-swap on `main`, and tried again when another
    commit comes first. Other runs may rewrite the partition's files meanwhile (a compaction does, and so does a MERGE
    with `WHEN NOT MATCHED BY SOURCE`, of every partition), as long as they leave its rows as they are.

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
        except (CommitFailedException, ValidationException):  # the next look says whether the day itself was touched
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
    staged = _day(current, table, ds, staged_id)
    main_id = metadata.refs[MAIN].snapshot_id if MAIN in metadata.refs else None
    base_id = _fork(current, staged_id, main_id)
    if main_id in {base_id, staged_id}:
        current.manage_snapshots().set_current_snapshot(snapshot_id=staged_id).remove_branch(branch).commit()
        return Published(snapshot=staged_id, how="fast-forward", rows=staged.rows())
    visible = _day(current, table, ds, main_id)
    if main_id is not None and visible.paths == staged.paths:  # an attempt before this one was cut short here
        snapshot = main_id
    elif visible.holds_the_rows_of(_day(current, table, ds, base_id)):
        snapshot = _reapply(current, table, ds, visible, staged, properties)
    elif main_id is not None and visible.holds_the_rows_of(staged):  # the same, and its files were rewritten since
        snapshot = main_id
    else:
        raise Superseded(table.name, table.partition_of(ds))
    current.refresh().manage_snapshots().remove_branch(branch).commit()
    return Published(snapshot=snapshot, how="re-applied", rows=staged.rows())


def _published_before(
    current: IcebergTable, table: Table, ds: LogicalDate, branch: str, properties: Mapping[str, str]
) -> Published:
    """Find what an earlier attempt of this step made visible, so that a retry of a step with two tables can go on."""
    names = ("batchlab.workflow", "batchlab.ds")
    for snapshot_id in _lineage(current, current.metadata.current_snapshot_id):
        snapshot = current.snapshot_by_id(snapshot_id)
        summary = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
        if all(summary.get(name) == properties.get(name) for name in names):
            rows = _day(current, table, ds, snapshot_id).rows()
            return Published(snapshot=snapshot_id, how="published before", rows=rows)
    raise JobError(f"{table.name} has no branch {branch}: nothing is staged for {ds}")


def _reapply(  # noqa: PLR0917
    current: IcebergTable, table: Table, ds: LogicalDate, visible: _Day, staged: _Day, properties: Mapping[str, str]
) -> int:
    """Put the staged files in place of the partition's on `main`; Iceberg checks that nobody else touched it."""
    from pyiceberg.expressions import EqualTo

    here = EqualTo(table.partition, str(ds))
    if staged.deletes:  # pyiceberg cannot commit the files that say which rows of others are gone
        current.overwrite(staged.read(), overwrite_filter=here, snapshot_properties=dict(properties))
        return int(current.metadata.refs[MAIN].snapshot_id)
    with current.transaction() as transaction:
        overwrite = transaction.update_snapshot(snapshot_properties=dict(properties)).overwrite()
        overwrite.delete_by_predicate(here)  # rivals conflict in this partition only
        for task in visible.tasks:
            overwrite.delete_data_file(task.file)
        for task in staged.tasks:
            overwrite.append_data_file(task.file)
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


@dataclass(frozen=True, kw_only=True)
class _Day:
    """A partition as a snapshot has it; without a scan, a table that was never written."""

    scan: DataScan | None
    tasks: tuple[FileScanTask, ...]

    @property
    def paths(self) -> set[str]:
        return {file.file_path for task in self.tasks for file in (task.file, *task.delete_files)}

    @property
    def deletes(self) -> bool:
        """Whether rows of its files are gone by merge-on-read."""
        return any(task.delete_files for task in self.tasks)

    def read(self) -> pa.Table:
        import pyarrow as pa

        return self.scan.to_arrow() if self.scan is not None else pa.table({})

    def rows(self) -> int:
        return int(self.read().num_rows) if self.deletes else sum(task.file.record_count for task in self.tasks)

    def holds_the_rows_of(self, other: _Day) -> bool:
        """Whether both have the same rows, in whatever files; they are read only where the files differ."""
        if self.paths == other.paths:
            return True
        mine, theirs = self.read(), other.read()
        return mine.num_rows == theirs.num_rows and (not mine.num_rows or _sorted(mine).equals(_sorted(theirs)))


def _sorted(rows: pa.Table) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in rows.column_names])


def _day(current: IcebergTable, table: Table, ds: LogicalDate, snapshot_id: int | None) -> _Day:
    from pyiceberg.expressions import EqualTo

    if snapshot_id is None:
        return _Day(scan=None, tasks=())
    scan = current.scan(row_filter=EqualTo(table.partition, str(ds)), snapshot_id=snapshot_id)
    return _Day(scan=scan, tasks=tuple(scan.plan_files()))
