"""The content of all tables at one moment, and keeping it as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.checks.probe import State, TableState
from grader.fingerprint.digest import Digest
from grader.fingerprint.lake import Lake
from grader.oracle.tables import TABLES
from pipelines.local.errors import BadInput


def state_of(lake: Lake) -> State:
    """Fingerprint every table of the specification that exists."""
    found = {}
    for spec in TABLES:
        try:
            name, table = lake.find(spec.name)
            one = lake.fingerprint(name) if table is None else lake.fingerprint_of(table, name)
        except BadInput:
            continue
        metadata = table.metadata_location if table is not None else ""
        found[spec.name] = TableState(snapshot=one.snapshot, partitions=one.partitions, metadata=metadata)
    return found


def to_json(state: State) -> dict[str, Any]:
    """Give a state as JSON has it."""
    return {
        name: {
            "snapshot": str(one.snapshot) if one.snapshot is not None else None,
            "metadata": one.metadata,
            "partitions": {
                part: [digest.rows, f"{digest.low:x}", f"{digest.high:x}"] for part, digest in one.partitions.items()
            },
        }
        for name, one in state.items()
    }


def from_json(document: Mapping[str, Any]) -> State:
    """Read what `to_json` gave."""
    return {
        name: TableState(
            snapshot=int(one["snapshot"]) if one["snapshot"] is not None else None,
            metadata=one["metadata"],
            partitions={
                part: Digest(rows=rows, low=int(low, 16), high=int(high, 16))
                for part, (rows, low, high) in one["partitions"].items()
            },
        )
        for name, one in document.items()
    }
