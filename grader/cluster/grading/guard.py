"""What grading on a cluster must not change: it is kept before, and put back after, also after an interruption.

Iceberg tables are pointers to immutable files: the catalog's rows are kept. Reports and the source rows of the graded
days are small: they are copied. All of it is in the cluster's own database, made in one transaction, so it is there
whole or not at all, and whoever grades next finds it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from grader.data.states import SAVED, source_columns
from grader.grading.copies import copy_table, tables_of
from grader.oracle.tables import TABLES

KEPT = "before_grading"
_REPORTS = "before_grading_reports"
_REPORTING = "reporting"
_DAYS = {"flights": "flight_date", "weather": "make_date(year, month, day)"}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The tables, reports and source rows of one cluster.

    Args:
        dsn: of the database with `ops` and `reporting`.
        catalog_dsn: of the catalog's own database.
        days: the graded days.
    """

    dsn: str
    catalog_dsn: str
    days: Sequence[date]

    def keep(self) -> bool:
        """Keep everything; what an interrupted grading left is put back first. Tells whether there was such."""
        interrupted = self.kept()
        if interrupted:
            self.put_back()
        rows = self._catalog()
        with psycopg.connect(self.dsn) as pg:
            pg.execute(f"CREATE SCHEMA {KEPT}")
            pg.execute(f"CREATE SCHEMA {_REPORTS}")
            pg.execute(f"CREATE TABLE {KEPT}.iceberg (rows jsonb)")
            pg.execute(f"INSERT INTO {KEPT}.iceberg VALUES (%s)", (Jsonb(rows),))
            for table, day in _DAYS.items():
                rows_of_days = f"SELECT {source_columns(pg, table)} FROM ops.{table} WHERE {day} = ANY(%s)"
                pg.execute(f"CREATE TABLE {KEPT}.{table} AS {rows_of_days}", (list(self.days),))
            for table in tables_of(pg, _REPORTING):
                copy_table(pg, (_REPORTING, table), (_REPORTS, table))
        return interrupted

    def kept(self) -> bool:
        """Tell whether something is kept."""
        with psycopg.connect(self.dsn) as pg:
            row = pg.execute("SELECT to_regnamespace(%s) IS NOT NULL", (KEPT,)).fetchone()
        return bool(row and row[0])

    def clear(self, pipelines: Collection[str]) -> None:
        """Take away the tables of some pipelines, so that they are played from nothing; their files stay."""
        mine = [table.name.partition(".")[2] for table in TABLES if table.in_lake and table.pipeline in pipelines]
        with psycopg.connect(self.catalog_dsn) as pg:
            pg.execute("DELETE FROM iceberg_tables WHERE table_namespace || '.' || table_name = ANY(%s)", (mine,))
        if "publish" in pipelines:
            with psycopg.connect(self.dsn) as pg:
                for table in tables_of(pg, _REPORTING):
                    pg.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(_REPORTING, table)))

    def put_back(self) -> None:
        """Put everything back as it was, and forget it."""
        with psycopg.connect(self.dsn) as pg:
            (rows,) = next(iter(pg.execute(f"SELECT rows FROM {KEPT}.iceberg")))
        with psycopg.connect(self.catalog_dsn) as catalog:
            catalog.execute("DELETE FROM iceberg_tables")
            catalog.execute(
                "INSERT INTO iceberg_tables SELECT * FROM jsonb_populate_recordset(NULL::iceberg_tables, %s)",
                (Jsonb(rows),),
            )
        with psycopg.connect(self.dsn) as pg:
            for table, day in _DAYS.items():
                columns = source_columns(pg, table)
                pg.execute(f"DELETE FROM ops.{table} WHERE {day} = ANY(%s)", (list(self.days),))
                pg.execute(f"INSERT INTO ops.{table} ({columns}) SELECT {columns} FROM {KEPT}.{table}")
            for table in tables_of(pg, _REPORTING):
                pg.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(_REPORTING, table)))
            for table in tables_of(pg, _REPORTS):
                copy_table(pg, (_REPORTS, table), (_REPORTING, table))
            pg.execute(f"DROP SCHEMA IF EXISTS {KEPT}, {_REPORTS}, {SAVED} CASCADE")

    def _catalog(self) -> list[Any]:
        with psycopg.connect(self.catalog_dsn) as pg:
            rows = pg.execute("SELECT to_jsonb(t) FROM iceberg_tables t").fetchall()
        return json.loads(json.dumps([row for (row,) in rows]))  # type: ignore[no-any-return]
