"""Compute the right content of the tables for some days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Any

import duckdb
import psycopg

from grader.fingerprint.digest import Digest
from grader.fingerprint.postgres import copy_in
from grader.fingerprint.relation import digests, partition_name
from grader.oracle.tables import PARTITION, TableSpec

ALLOWED_LATENESS = 30
"""Days after which a late row is left out, unless a workflow says otherwise."""

WORKPLACE = "oracle"
"""The schema that the answers are computed in; the SQL files name it."""

_ORDER = ("raw_flights", "raw_weather", "curated_flights", "marts_carrier_daily", "marts_route_daily")


class Oracle:
    """The answers, as tables of the schema `oracle` in a DuckDB.

    Args:
        con: DuckDB to compute in.
        days: the flight dates that are asked for.
        lateness: days of allowed lateness.
        schema: where the answers are kept, so that answers for several states of the source can be kept side by side.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        days: Sequence[date],
        lateness: int = ALLOWED_LATENESS,
        schema: str = WORKPLACE,
    ) -> None:
        self.con = con
        self.schema = schema
        self.days = tuple(sorted(set(days)))
        self._lateness = lateness

    @classmethod
    def of_source(
        cls,
        con: duckdb.DuckDBPyConnection,
        dsn: str,
        days: Sequence[date],
        *,
        where: Mapping[str, str] | None = None,
        schema: str = WORKPLACE,
    ) -> Oracle:
        """Copy what the days need out of `ops.*` in PostgreSQL, and compute the answers.

        Args:
            con: DuckDB to compute in.
            dsn: libpq URI.
            days: the flight dates that are asked for.
            where: conditions on `flights` and `weather`: rows that are left out are as if they had not been delivered.
            schema: where the answers are kept.
        """
        oracle = cls(con, days, schema=schema)
        listed = ", ".join(f"DATE '{day}'" for day in oracle.days) or "NULL::date"
        with psycopg.connect(dsn) as pg:
            oracle.load(pg, listed, where or {})
        oracle.compute()
        return oracle

    def load(self, pg: psycopg.Connection[Any], listed: str, where: Mapping[str, str]) -> None:
        """Copy the source's rows of the days, and its small tables."""
        flights, weather = where.get("flights", "true"), where.get("weather", "true")
        queries = {
            "flights": f"SELECT * FROM ops.flights WHERE flight_date IN ({listed}) AND {flights}",
            "weather": f"SELECT * FROM ops.weather WHERE make_date(year, month, day) IN ({listed}) AND {weather}",
            "airlines": "SELECT * FROM ops.airlines",
            "airports": "SELECT * FROM ops.airports",
        }
        self.con.execute("CREATE SCHEMA IF NOT EXISTS ops")
        for name, query in queries.items():
            copy_in(self.con, pg, query, f"copied {name}")
            self.con.execute(f'CREATE OR REPLACE VIEW ops.{name} AS FROM "copied {name}"')

    def compute(self) -> None:
        """Compute every answer from the tables of the schema `ops` of the DuckDB."""
        self.con.execute(f"CREATE SCHEMA IF NOT EXISTS {WORKPLACE}")
        self.con.execute("CREATE OR REPLACE TABLE days (ds DATE)")
        if self.days:
            self.con.executemany("INSERT INTO days VALUES (?)", [[day] for day in self.days])
        self.con.execute(f"SET VARIABLE allowed_lateness = {int(self._lateness)}")
        for statement in _sql("functions").split(";\n"):
            if statement.strip():
                self.con.execute(statement)
        for name in _ORDER:
            self.con.execute(f"CREATE OR REPLACE TABLE {WORKPLACE}.{name} AS {_sql(name)}")
        if self.schema != WORKPLACE:
            self.con.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
            for name in _ORDER:
                self.con.execute(f"CREATE OR REPLACE TABLE {self.schema}.{name} AS FROM {WORKPLACE}.{name}")

    def source(self, table: TableSpec) -> str:
        """SQL source of a table's right rows."""
        return f"{self.schema}.{table.answer}"

    def digests(self, table: TableSpec) -> dict[str, Digest]:
        """Digest of each partition as it should be."""
        return digests(self.con, self.source(table), by=partition_name([PARTITION]))


def _sql(name: str) -> str:
    return files("grader.oracle").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
