"""Read a day of `ops.flights`, deliver batches to it, and grow it."""

from __future__ import annotations

from dataclasses import astuple
from datetime import date

import psycopg
from psycopg import sql

from grader.data.batches import Batch, Flight
from grader.data.schema import FLIGHT_COLUMNS
from pipelines.local.errors import BadInput

COLUMNS = sql.SQL(", ").join(map(sql.Identifier, FLIGHT_COLUMNS))


def day_rows(conninfo: str, ds: date) -> list[Flight]:
    """Read the base load's rows of one flight date.

    Raises:
        BadInput: the source holds no flights on that date.
    """
    query = sql.SQL("SELECT {} FROM ops.flights WHERE flight_date = %s AND delivery = 0").format(COLUMNS)
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        rows = connection.execute(query, (ds,)).fetchall()
    if not rows:
        raise BadInput(f"the source has no flights on {ds}", where="--ds", remedy="take a date of 2013")
    return [Flight(**dict(zip(FLIGHT_COLUMNS, row, strict=True))) for row in rows]


def deliver(conninfo: str, batch: Batch) -> int:
    """Add a batch to `ops.flights`; returns the rows added: 0 where this delivery had come before."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("LOCK TABLE ops.flights IN SHARE ROW EXCLUSIVE MODE")
        known = connection.execute(
            "SELECT 1 FROM ops.flights WHERE flight_date = %s AND delivery = %s LIMIT 1", (batch.ds, batch.delivery)
        ).fetchone()
        if known:
            return 0
        copy = sql.SQL("COPY ops.flights ({}, recorded_at, delivery) FROM STDIN").format(COLUMNS)
        with connection.cursor().copy(copy) as sink:
            for flight in batch.flights:
                sink.write_row((*astuple(flight), batch.recorded_at, batch.delivery))
    return len(batch.flights)


def grow(conninfo: str, *, times: int, by: str, first: date, last: date) -> int:
    """Multiply the base load's volume between two flight dates, both included; returns the rows added.

    `rows`: every flight gets `times - 1` copies with other flight numbers on the same day. `days`: every day gets
    `times - 1` copies 364 days (52 weeks) apart, so that weekdays stay and local times keep their meaning. Rows that
    exist are left alone, so the same call again adds nothing.
    """
    moved = {"days": 364, "rows": 0}[by]
    query = sql.SQL("""
        INSERT INTO ops.flights ({columns}, recorded_at, delivery)
        SELECT extract(year FROM d)::int, extract(month FROM d)::int, extract(day FROM d)::int,
               dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay,
               carrier, flight + {number} * n, tailnum, origin, dest,
               air_time, distance, hour, minute,
               make_timestamptz(extract(year FROM d)::int, extract(month FROM d)::int, extract(day FROM d)::int,
                                hour, 0, 0, 'America/New_York'),
               (d + 1) + time '09:00' AT TIME ZONE 'UTC', n
        FROM ops.flights, generate_series(1, %(copies)s) AS n, LATERAL (SELECT flight_date + {moved} * n AS d) AS moved
        WHERE delivery = 0 AND flight_date BETWEEN %(first)s AND %(last)s
        ON CONFLICT DO NOTHING""").format(
        columns=COLUMNS, number=sql.Literal(0 if moved else 10_000), moved=sql.Literal(moved)
    )
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        return connection.execute(query, {"copies": times - 1, "first": first, "last": last}).rowcount
