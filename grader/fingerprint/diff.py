"""What changed in a table between two snapshots, partition by partition, with some of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from grader.fingerprint.canonical import identifier
from grader.fingerprint.digest import Digest, Fingerprint
from grader.fingerprint.files import DataFile, data_files
from grader.fingerprint.iceberg import fingerprint
from grader.fingerprint.lake import Lake, snapshot_id
from grader.fingerprint.relation import columns
from grader.fingerprint.rows import row_hash
from pipelines.local.errors import BadInput

Change = Literal["created", "removed", "changed", "rewritten", "untouched"]
CHANGES: tuple[Change, ...] = get_args(Change)
SAMPLE = 10
_HASH, _NTH = identifier("batchlab hash"), identifier("batchlab nth")


@dataclass(frozen=True, kw_only=True)
class PartitionChange:
    """One partition before and after; `rewritten` means other files with the same content."""

    change: Change
    before: Digest
    after: Digest


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A few rows, values as DuckDB gives them."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Diff:
    """The answer of `batchlab diff`; added and removed rows are counted as a multiset."""

    table: str
    before: int
    after: int
    partitions: Mapping[str, PartitionChange]
    added: Rows
    removed: Rows

    def named(self, change: Change) -> list[str]:
        """Names of the partitions with one kind of change."""
        return sorted(name for name, one in self.partitions.items() if one.change == change)

    def as_json(self) -> dict[str, Any]:
        """Give the document that `batchlab diff --json` prints."""
        return {
            "table": self.table,
            "from": self.before,
            "to": self.after,
            **{kind: self.named(kind) for kind in CHANGES},
            "partitions": {
                name: {
                    "change": one.change,
                    "from": {"rows": one.before.rows, "hash": one.before.hash},
                    "to": {"rows": one.after.rows, "hash": one.after.hash},
                }
                for name, one in sorted(self.partitions.items())
            },
            "sample": {
                "columns": list(self.added.columns),
                "added": [[_plain(value) for value in row] for row in self.added.rows],
                "removed": [[_plain(value) for value in row] for row in self.removed.rows],
            },
        }


def compare(
    before: Fingerprint, after: Fingerprint, same_files: frozenset[str] = frozenset()
) -> dict[str, PartitionChange]:
    """Compare two fingerprints partition by partition.

    Args:
        before: the earlier one.
        after: the later one.
        same_files: partitions that consist of the very same files in both.
    """
    changes = {}
    for name in sorted({*before.partitions, *after.partitions}):
        old, new = before.partitions.get(name, Digest()), after.partitions.get(name, Digest())
        changes[name] = PartitionChange(change=_change(old, new, same=name in same_files), before=old, after=new)
    return changes


def _change(old: Digest, new: Digest, *, same: bool) -> Change:
    if same:
        return "untouched"
    if old == new:
        return "rewritten"
    if not old.rows:
        return "created"
    return "changed" if new.rows else "removed"


def untouched(before: Sequence[DataFile], after: Sequence[DataFile]) -> frozenset[str]:
    """Name the partitions that consist of the same files, with the same deletes, in both."""
    old, new = _by_partition(before), _by_partition(after)
    return frozenset(name for name in old if old[name] == new.get(name))


def _by_partition(files: Sequence[DataFile]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for file in sorted(files, key=lambda one: (one.path, one.deletes)):
        found.setdefault(file.partition, []).append((file.path, file.deletes))
    return found


def diff(lake: Lake, name: str, before: str | int, after: str | int) -> Diff:
    """Compare two snapshots of a table.

    Raises:
        BadInput: no such table or snapshot.
    """
    full, _ = lake.find(name)
    table = lake.iceberg(name)
    old, new = snapshot_id(table, full, before), snapshot_id(table, full, after)
    if old is None or new is None:
        raise BadInput(f"{full} has no snapshots yet", where="TABLE")
    old_files, new_files = (data_files(table, one, lake.cache) for one in (old, new))
    changes = compare(
        fingerprint(lake.con, table, full, old, lake.cache),
        fingerprint(lake.con, table, full, new, lake.cache),
        untouched(old_files, new_files),
    )
    differing = {name for name, one in changes.items() if one.before != one.after}
    old_rows = lake.file_rows(table, [file for file in old_files if file.partition in differing])
    new_rows = lake.file_rows(table, [file for file in new_files if file.partition in differing])
    return Diff(
        table=full, before=old, after=new, partitions=changes,
        added=missing(lake, new_rows, old_rows), removed=missing(lake, old_rows, new_rows),
    )  # fmt: skip


def missing(lake: Lake, these: str, those: str, limit: int = SAMPLE) -> Rows:
    """Find rows of one source that another lacks, or has fewer of.

    Args:
        lake: whose DuckDB knows both.
        these: SQL source of the rows looked for.
        those: SQL source of the rows there are; its columns may be in another order.
        limit: how many at most.
    """
    content = columns(lake.con, these)
    mine = row_hash(content).whole
    other = f"SELECT {row_hash(columns(lake.con, those)).whole} AS hash FROM {those}"
    names = ", ".join(f"q.{identifier(name)}" for name, _ in content)
    query = (
        "WITH lacking AS MATERIALIZED (SELECT hash, count(*) AS times FROM "
        f"(SELECT {mine} AS hash FROM {these} EXCEPT ALL {other}) GROUP BY hash), "
        f"rows AS (SELECT *, {mine} AS {_HASH} FROM {these}), "
        f"found AS (SELECT *, row_number() OVER (PARTITION BY {_HASH}) AS {_NTH} FROM rows "
        f"WHERE {_HASH} IN (SELECT hash FROM lacking)) "
        f"SELECT {names} FROM found q JOIN lacking l ON q.{_HASH} = l.hash AND q.{_NTH} <= l.times "
        f"ORDER BY ALL LIMIT {limit}"
    )
    return Rows(columns=[name for name, _ in content], rows=lake.con.execute(query).fetchall())


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
