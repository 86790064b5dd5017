"""The value of a fingerprint: a row count and two sums of row hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.fingerprint.canonical import VERSION

_MODULUS = 1 << 64


@dataclass(frozen=True, kw_only=True)
class Digest:
    """Content of a set of rows, whatever their order: sums, not XOR, so that duplicates never cancel.

    Args:
        rows: how many rows.
        low: sum of the low halves of the rows' hashes, modulo 2^64.
        high: sum of the high halves, modulo 2^64.
    """

    rows: int = 0
    low: int = 0
    high: int = 0

    def __add__(self, other: Digest) -> Digest:
        return Digest(
            rows=self.rows + other.rows,
            low=(self.low + other.low) % _MODULUS,
            high=(self.high + other.high) % _MODULUS,
        )

    def times(self, count: int) -> Digest:
        """Digest of so many sets of rows like this one."""
        return Digest.of_sums(self.rows * count, self.low * count, self.high * count)

    @property
    def hash(self) -> str:
        """The 128 bits as 32 hexadecimal digits."""
        return f"{self.high:016x}{self.low:016x}"

    @classmethod
    def of_sums(cls, rows: int, low: int | None, high: int | None) -> Digest:
        """Take the sums that a query gave; they are NULL where there were no rows."""
        return cls(rows=rows, low=int(low or 0) % _MODULUS, high=int(high or 0) % _MODULUS)

    @classmethod
    def total(cls, parts: Iterable[Digest]) -> Digest:
        """Add up the digests of disjoint sets of rows."""
        return sum(parts, start=cls())


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """A table's content by partition.

    Args:
        table: its name.
        snapshot: Iceberg snapshot id; None for a table that has none.
        partitions: digest by partition (`flight_date=2013-01-03`); only partitions that have rows.
        files_read: data files that had to be read, because no cached digest was there.
        files: data files that the snapshot has.
    """

    table: str
    snapshot: int | None
    partitions: Mapping[str, Digest]
    files_read: int = 0
    files: int = 0

    @property
    def total(self) -> Digest:
        """Digest of the whole table."""
        return Digest.total(self.partitions.values())

    def as_json(self) -> dict[str, Any]:
        """Give the document that `batchlab fingerprint --json` prints."""
        return {
            "table": self.table,
            "snapshot": self.snapshot,
            "format": VERSION,
            "rows": self.total.rows,
            "hash": self.total.hash,
            "partitions": {
                name: {"rows": digest.rows, "hash": digest.hash} for name, digest in sorted(self.partitions.items())
            },
            "files": self.files,
            "files_read": self.files_read,
        }
