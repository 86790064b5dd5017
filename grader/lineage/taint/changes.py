"""Which partitions each snapshot of a table wrote, by its files; what its summary claims plays no part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table import Table

from grader.fingerprint.relation import WHOLE
from grader.lineage.snapshots import Trace


@dataclass(frozen=True, kw_only=True)
class Change:
    """One partition, as one snapshot wrote it.

    Args:
        trace: the snapshot.
        partition: `flight_date=2013-03-09`, or `(all)`.
        keeps: whether rows that were there before are still in it: it was appended to, or rows were deleted.
    """

    trace: Trace
    partition: str
    keeps: bool


def changes(table: Table, traces: Sequence[Trace]) -> list[Change]:
    """Follow a table's files through the snapshots that its readers have seen.

    A snapshot whose predecessors were expired is taken to have written what it added, and no more.

    Args:
        table: the table.
        traces: its snapshots, oldest first.
    """
    found: list[Change] = []
    live: dict[str, str] = {}
    for one in traces:
        if not one.visible:
            continue
        snapshot = table.snapshot_by_id(one.snapshot)
        if snapshot is None:
            continue
        entries = list(_entries(table, snapshot))
        if not live:  # of the oldest there is, what was there before it
            live = {path: part for path, part, status, made in entries if status != _DELETED and made != one.snapshot}
        mine = [(path, part, status) for path, part, status, made in entries if made == one.snapshot]
        for path, _, status in mine:
            if status == _DELETED:
                live.pop(path, None)
        kept = set(live.values())
        if one.writes:
            touched = dict.fromkeys(part for _, part, _ in mine)
            found += [Change(trace=one, partition=part, keeps=part in kept) for part in touched]
        live.update({path: part for path, part, status in mine if status == _ADDED})
    return found


_ADDED, _DELETED = ManifestEntryStatus.ADDED, ManifestEntryStatus.DELETED


def _entries(table: Table, snapshot: Any) -> Iterator[tuple[str, str, Any, int]]:
    """Give path, partition, status and making snapshot of the files that a snapshot's manifests name."""
    schema, specs = table.schema(), table.specs()
    first = snapshot.parent_snapshot_id is None or table.snapshot_by_id(snapshot.parent_snapshot_id) is None
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot.snapshot_id and not first:
            continue
        spec = specs[manifest.partition_spec_id]
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
            file = entry.data_file
            partition = spec.partition_to_path(file.partition, schema) if spec.fields else WHOLE
            yield file.file_path, partition or WHOLE, entry.status, entry.snapshot_id
