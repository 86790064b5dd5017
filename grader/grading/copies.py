"""Copies of PostgreSQL tables that work as their originals do."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql


def tables_of(pg: psycopg.Connection[Any], schema: str) -> list[str]:
    """Name the tables of a schema."""
    rows = pg.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' "
        "ORDER BY 1",
        (schema,),
    ).fetchall()
    return [str(row[0]) for row in rows]


def copy_table(pg: psycopg.Connection[Any], source: tuple[str, str], target: tuple[str, str]) -> None:
    """Copy a table with its keys, defaults, computed columns and numbers that it gives itself."""
    columns = pg.execute(
        "SELECT column_name, is_identity = 'YES', coalesce(column_default, '') LIKE 'nextval(%%' "
        "FROM information_schema.columns WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER' "
        "ORDER BY ordinal_position",
        source,
    ).fetchall()
    names: dict[str, sql.Composable] = {
        "source": sql.Identifier(*source), "target": sql.Identifier(*target),
        "columns": sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in columns),
    }  # fmt: skip
    pg.execute(sql.SQL("CREATE TABLE {target} (LIKE {source} INCLUDING ALL)").format(**names))
    pg.execute(
        sql.SQL("INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {source}").format(
            **names
        )
    )
    for name, identity, serial in columns:
        if identity or serial:
            _copy_sequence(pg, source, target, name, identity=identity)


def _copy_sequence(
    pg: psycopg.Connection[Any], source: tuple[str, str], target: tuple[str, str], column: str, *, identity: bool
) -> None:
    """Give a copy's column a sequence of its own, as far as the original's: the original's goes with its schema."""

    def sequence(place: tuple[str, str]) -> str | None:
        found = pg.execute("SELECT pg_get_serial_sequence(format('%%I.%%I', %s::text, %s::text), %s)", (*place, column))
        return next(iter(found))[0]  # type: ignore[no-any-return]

    given = sequence(source)
    if given is None:  # a sequence that belongs to no column
        return
    names: dict[str, sql.Composable] = {
        "own": sql.Identifier(target[0], f"{target[1]}_{column}_seq"), "table": sql.Identifier(*target),
        "column": sql.Identifier(column), "given": sql.SQL(given),
    }  # fmt: skip
    if not identity:
        pg.execute(sql.SQL("CREATE SEQUENCE {own} OWNED BY {table}.{column}").format(**names))
        names["own"] = sql.Literal(names["own"].as_string(pg))
        pg.execute(sql.SQL("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({own})").format(**names))
    pg.execute(sql.SQL("SELECT setval(%s, last_value, is_called) FROM {given}").format(**names), (sequence(target),))
