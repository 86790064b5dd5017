"""Fingerprints of anything that DuckDB can select from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from grader.fingerprint.canonical import identifier, literal
from grader.fingerprint.digest import Digest
from grader.fingerprint.rows import row_hash

WHOLE = "(all)"
"""Name of the one partition of a table that has none."""


MEMORY = "2GiB"
"""Beyond this DuckDB goes on by way of the disk. Fingerprints need less, however large the table is."""

THREADS = 4
"""More of them would read no faster from one disk, and each holds pages."""


def connect() -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that reads and prints instants in UTC, and leaves room for others."""
    spill = Path(tempfile.gettempdir()) / f"batchlab-duckdb-{os.getpid()}"
    threads = min(THREADS, os.cpu_count() or 1)
    con = duckdb.connect(config={"memory_limit": MEMORY, "threads": threads, "temp_directory": str(spill)})
    con.execute("SET TimeZone = 'UTC'")
    return con


def columns(con: duckdb.DuckDBPyConnection, source: str) -> list[tuple[str, Any]]:
    """Names and DuckDB types of what `SELECT * FROM source` gives.

    Args:
        con: where the source is known.
        source: a table, or a query in parentheses.
    """
    described = con.execute(f"SELECT * FROM {source} LIMIT 0").description
    return [(name, kind) for name, kind, *_ in described or []]


def digests(
    con: duckdb.DuckDBPyConnection,
    source: str,
    *,
    by: str | None = None,
    content: Sequence[tuple[str, Any]] | None = None,
) -> dict[str, Digest]:
    """Digest the rows of a source in groups.

    Args:
        con: where the source is known.
        source: a table, or a query in parentheses.
        by: SQL expression of the group's name; all rows are one group, `(all)`, without it.
        content: the columns that count; all by default.
    """
    group = f"CAST({by} AS VARCHAR)" if by else literal(WHOLE)
    hashes = row_hash(content if content is not None else columns(con, source))
    hashed = f"SELECT {group} AS part, {hashes.low} AS low, {hashes.high} AS high FROM {source}"
    rows = con.execute(f"SELECT part, count(*), sum(low), sum(high) FROM ({hashed}) GROUP BY part").fetchall()
    return {str(part): Digest.of_sums(count, low, high) for part, count, low, high in rows}


def partition_name(columns: Sequence[str]) -> str:
    """SQL expression that names a row's partition as Iceberg's path does: `flight_date=2013-01-03/origin=EWR`."""
    parts = [f"{literal(name + '=')} || coalesce(CAST({identifier(name)} AS VARCHAR), 'null')" for name in columns]
    return " || '/' || ".join(parts)
