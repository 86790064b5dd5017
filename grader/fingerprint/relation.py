"""Fingerprints of anything that DuckDB can select from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from grader.fingerprint.canonical import identifier, literal, row_hash
from grader.fingerprint.digest import Digest

WHOLE = "(all)"
"""Name of the one partition of a table that has none."""


def connect() -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that reads and prints instants in UTC."""
    con = duckdb.connect()
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
    hashed = f"SELECT {group} AS part, {row_hash(content or columns(con, source))} AS hash FROM {source}"
    rows = con.execute(
        "SELECT part, count(*), sum((hash & 18446744073709551615::UHUGEINT)::UBIGINT), sum((hash >> 64)::UBIGINT) "
        f"FROM ({hashed}) GROUP BY part"
    ).fetchall()
    return {str(part): Digest.of_sums(count, low, high) for part, count, low, high in rows}


def partition_name(columns: Sequence[str]) -> str:
    """SQL expression that names a row's partition as Iceberg's path does: `flight_date=2013-01-03/origin=EWR`."""
    parts = [f"{literal(name + '=')} || coalesce(CAST({identifier(name)} AS VARCHAR), 'null')" for name in columns]
    return " || '/' || ".join(parts)
