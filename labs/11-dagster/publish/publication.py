"""What one run publishes: which snapshots, which rows, and a fingerprint of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.datatier.catalog import identifier
from pipelines.datatier.errors import BadParameter, JobError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable

    from pipelines.datatier.dates import LogicalDate

# mart → the table that readers of the database see
TABLES = {
    "lake.marts.carrier_daily": "reporting.carrier_daily",
    "lake.marts.route_daily": "reporting.route_daily",
}
PARTITION = "flight_date"
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One day of all marts, pinned: later steps publish exactly this, whatever is written meanwhile.

    Args:
        ds: flight date.
        snapshots: snapshot id per mart, as text: JSON numbers of other languages cannot hold one.
        rows: number of rows per mart.
        fingerprint: 32 hex digits over the content of all rows.
    """

    ds: str
    snapshots: dict[str, str]
    rows: dict[str, int]
    fingerprint: str

    def to_json(self) -> str:
        """Write it on one line."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Publication:
        """Read what `to_json` wrote.

        Raises:
            BadParameter: the text is something else.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise BadParameter("publication", f"is not what step read puts out: {error}") from None


def fingerprint(tables: Mapping[str, Rows]) -> str:
    """Hash rows by content: the same rows in any order, as whoever read them, give the same 32 hex digits.

    Args:
        tables: rows per table; values are dates, text, integers, decimals of a fixed scale, or None.
    """
    total = hashlib.sha256()
    for name in sorted(tables):
        lines = sorted(json.dumps([None if value is None else str(value) for value in row]) for row in tables[name])
        total.update(f"{name} {len(lines)}\n".encode())
        for line in lines:
            total.update(f"{line}\n".encode())
    return total.hexdigest()[:32]


def read_mart(
    catalog: Catalog, mart: str, ds: LogicalDate, snapshot: str | None = None
) -> tuple[IcebergTable, Rows, str]:
    """Read one day of a mart.

    Args:
        catalog: a pyiceberg catalog.
        mart: name of the mart.
        ds: flight date.
        snapshot: which snapshot; default: the current one.

    Returns:
        The table, its rows, and the snapshot's id ("" for a table that never had one).

    Raises:
        JobError: there is no such mart.
    """
    from pyiceberg.exceptions import NoSuchTableError
    from pyiceberg.expressions import EqualTo

    try:
        table = catalog.load_table(identifier(mart))
    except NoSuchTableError as error:
        raise JobError(f"{mart} does not exist: run transform first") from error
    current = table.metadata.current_snapshot_id if snapshot is None else int(snapshot or 0)
    if not current:
        return table, [], ""
    found = table.scan(row_filter=EqualTo(PARTITION, str(ds)), snapshot_id=current).to_arrow()
    return table, list(zip(*(column.to_pylist() for column in found.columns), strict=True)), str(current)


def sorted_by(rows: Iterable[tuple[Any, ...]], columns: Sequence[str], key: Sequence[str]) -> Rows:
    """Sort rows by their key columns."""
    places = [columns.index(name) for name in key]
    return sorted(rows, key=lambda row: [str(row[place]) for place in places])
