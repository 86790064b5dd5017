"""The operational database in the states that plays need; each is made from the base load, whatever was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from grader.data.batches import Batch, corrections, duplicates, late
from grader.data.store import day_rows, deliver
from grader.sample import DEFAULT

BASE, LATE, EMPTY, BAD = "base", "late", "empty", "bad"
LATE_FLIGHTS, CORRECTED = 12, 6
NO_WEATHER, WILD_WIND = ("JFK", 8), ("EWR", 17)
"""Airport and local hour: on the first day it has no observation, on the last a wind speed that is none.

The package has both, but not on the graded days, where nothing would show a lost flight or a forgotten rule.
"""
SAVED = "grading"
"""Schema with the days' rows of the base load."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """`ops` of one PostgreSQL, switched between states.

    Args:
        dsn: libpq URI of the database that holds `ops`.
        days: the graded days; the first is emptied, late rows come for the last.
        late_seed: decides which flights come late, and how.
    """

    dsn: str
    days: tuple[date, ...]
    late_seed: int = DEFAULT.late_seed

    def prepare(self) -> None:
        """Keep a copy of the days' rows of the base load; done once for a database and these days."""
        listed = _listed(self.days)
        with psycopg.connect(self.dsn) as pg:
            pg.execute(f"CREATE SCHEMA IF NOT EXISTS {SAVED}")
            pg.execute(f"CREATE TABLE IF NOT EXISTS {SAVED}.flights (LIKE ops.flights INCLUDING ALL)")
            pg.execute(f"CREATE TABLE IF NOT EXISTS {SAVED}.weather (LIKE ops.weather INCLUDING ALL)")
            columns = source_columns(pg, "flights")
            pg.execute(
                f"INSERT INTO {SAVED}.flights ({columns}) SELECT {columns} FROM ops.flights "
                f"WHERE delivery = 0 AND flight_date IN ({listed}) ON CONFLICT DO NOTHING"
            )
            pg.execute(
                f"INSERT INTO {SAVED}.weather SELECT * FROM ops.weather WHERE {_LOCAL} IN ({listed}) "
                "ON CONFLICT DO NOTHING"
            )

    def switch(self, state: str) -> None:
        """Bring the days' rows into a state, in one transaction.

        Args:
            state: `base`; `late`: with late, corrected and repeated deliveries for the last day; `empty`: late, and the
                first day has lost all its rows; `bad`: base, with rows on the last day that no expectation lets pass.
        """
        listed = _listed(self.days)
        with psycopg.connect(self.dsn) as pg:
            columns = source_columns(pg, "flights")
            pg.execute(f"DELETE FROM ops.flights WHERE flight_date IN ({listed})")
            pg.execute(
                f"INSERT INTO ops.flights ({columns}) SELECT {columns} FROM {SAVED}.flights "
                f"WHERE flight_date IN ({listed})"
            )
            pg.execute(f"DELETE FROM ops.weather WHERE {_LOCAL} IN ({listed})")
            pg.execute(f"INSERT INTO ops.weather SELECT * FROM {SAVED}.weather WHERE {_LOCAL} IN ({listed})")
            pg.execute(f"DELETE FROM ops.weather WHERE {_HOUR}", (self.days[0], *NO_WEATHER))
            pg.execute(f"UPDATE ops.weather SET wind_speed = 1048.36058 WHERE {_HOUR}", (self.days[-1], *WILD_WIND))
            if state == EMPTY:
                pg.execute(f"DELETE FROM ops.flights WHERE flight_date = DATE '{self.days[0]}'")
                pg.execute(f"DELETE FROM ops.weather WHERE {_LOCAL} = DATE '{self.days[0]}'")
            if state == BAD:
                pg.execute(_SPOIL.format(columns=columns, day=self.days[-1]))
        if state in {LATE, EMPTY}:
            for batch in self.batches():
                deliver(self.dsn, batch)

    def batches(self) -> list[Batch]:
        """Make what comes late for the last day: new flights, corrections, repeats, and rows past the watermark."""
        last = self.days[-1]
        rows = day_rows(self.dsn, last)
        return [
            late(rows, last, seed=self.late_seed, count=LATE_FLIGHTS),
            corrections(rows, last, seed=self.late_seed, count=CORRECTED, days_late=4),
            duplicates(rows, last, seed=self.late_seed, count=CORRECTED, days_late=6),
            late(rows, last, seed=self.late_seed + 1, count=3, days_late=40),
        ]


_LOCAL = "make_date(year, month, day)"
_HOUR = f"{_LOCAL} = %s AND origin = %s AND hour = %s"
_SPOIL = """
INSERT INTO ops.flights ({columns})
SELECT {columns} FROM (
  SELECT year, month, day, dep_time, sched_dep_time, 99999 AS dep_delay, arr_time, sched_arr_time, arr_delay,
         '??' AS carrier, 99000 + row_number() OVER (ORDER BY carrier, flight, origin) AS flight, tailnum,
         'XXX' AS origin, dest, air_time, -1 AS distance, hour, minute, time_hour,
         recorded_at, 13 AS delivery
  FROM ops.flights WHERE flight_date = DATE '{day}' ORDER BY carrier, flight, origin LIMIT 3) AS spoiled
"""


def oracle_filter(state: str, days: Sequence[date]) -> Mapping[str, str]:
    """Tell which rows of the base load and the late deliveries a state has, as conditions by table.

    Args:
        state: which; the database itself must be in state `late`.
        days: the graded days.
    """
    first = f"DATE '{days[0]}'"
    if state == BASE:
        return {"flights": "delivery = 0", "weather": "true"}
    if state == EMPTY:
        return {"flights": f"flight_date <> {first}", "weather": f"{_LOCAL} <> {first}"}
    return {"flights": "true", "weather": "true"}


def source_columns(pg: psycopg.Connection[tuple[object, ...]], table: str) -> str:
    """List a table's columns but the generated ones."""
    rows = pg.execute(
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = 'ops' AND table_name = %s AND is_generated = 'NEVER'",
        (table,),
    ).fetchone()
    assert rows is not None
    return str(rows[0])


def _listed(days: Sequence[date]) -> str:
    return ", ".join(f"DATE '{day}'" for day in days)
