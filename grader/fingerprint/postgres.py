"""Rows of PostgreSQL as DuckDB tables, values unchanged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from grader.fingerprint.canonical import identifier, literal
from pipelines.local.errors import BadInput

_NULL = "\\N"
_SQL_TYPES = {
    "bool": "BOOLEAN", "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE",
    "text": "VARCHAR", "varchar": "VARCHAR", "bpchar": "VARCHAR", "name": "VARCHAR", "json": "VARCHAR",
    "jsonb": "VARCHAR", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ",
    "uuid": "UUID",
}  # fmt: skip


def copy_in(con: duckdb.DuckDBPyConnection, pg: psycopg.Connection[Any], query: str, name: str) -> None:
    """Make a DuckDB table of what a query gives in PostgreSQL.

    Args:
        con: gets the table.
        pg: an open connection.
        query: a SELECT without parameters.
        name: name of the new table; one of that name is replaced.

    Raises:
        BadInput: a column has a type that has no exact counterpart.
    """
    with tempfile.TemporaryDirectory(prefix="batchlab-copy-") as folder, pg.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 1")
        cursor.execute(sql.SQL("SELECT * FROM ({}) q LIMIT 0").format(sql.SQL(query)))
        columns = {column.name: _sql_type(column) for column in cursor.description or []}
        path = Path(folder) / "rows.csv"
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, NULL {})").format(sql.SQL(query), sql.Literal(_NULL))
        with path.open("wb") as file, cursor.copy(copy) as chunks:
            for chunk in chunks:
                file.write(chunk)
        spec = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns.items())
        con.execute(
            f"CREATE OR REPLACE TABLE {identifier(name)} AS SELECT * FROM read_csv({literal(str(path))}, "
            "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', "
            f"nullstr = {literal(_NULL)}, allow_quoted_nulls = false, columns = {{{spec}}})"
        )


def _sql_type(column: psycopg.Column) -> str:
    kind = column.type_display
    base = kind.partition("(")[0]
    if base == "numeric" and column.precision is not None:
        return f"DECIMAL({column.precision}, {column.scale or 0})"
    if base in _SQL_TYPES:
        return _SQL_TYPES[base]
    raise BadInput(f"column {column.name} has type {kind}, which has no exact counterpart here", where="PostgreSQL")


def tables(pg: psycopg.Connection[Any]) -> list[str]:
    """List the tables outside the system schemas and the catalog's own, as `schema.table`."""
    rows = pg.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
        "AND table_schema IN ('ops', 'reporting') ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]
