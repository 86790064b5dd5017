"""The sandbox that plays run in: tables, database and webhook of a platform of its own, put back to any earlier moment.

Iceberg tables are pointers to immutable files, so a moment is kept as the catalog's rows, a copy of the small reporting
tables, and the webhook's deliveries; putting it back takes a fraction of a second and copies no table.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from grader import data
from grader.autograde import database, isolation
from grader.data.states import Source
from grader.fingerprint.lake import Lake
from grader.grading.copies import copy_table, tables_of
from grader.sample import DEFAULT, Sample
from pipelines.local.platform import Platform
from pipelines.local.platform.postgres import CATALOG_DATABASE
from pipelines.local.platform.webhook import shape
from pipelines.local.state import StateDir

_REPORTING = "reporting"
_KEPT = "kept"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the outside of a pipeline looks like at one moment.

    Args:
        tables: the catalog's row of each Iceberg table, by `namespace.table`.
        reporting: suffix of the copies that hold the reporting tables; empty where there were none.
        deliveries: rows of the webhook receiver.
    """

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reporting: str = ""
    deliveries: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)


class World:
    """The platform of a grading state directory, with its source database.

    Args:
        state: a state directory that is used for grading only.
        sample: the graded days, and the late data; a state directory has those of one sample only.
    """

    def __init__(self, state: StateDir, sample: Sample = DEFAULT) -> None:
        self.state = state
        self.platform = Platform(state, isolation())
        self.sample = sample
        self._started = False

    def start(self, progress: Any = lambda _: None) -> None:
        """Start the platform, load the source where it is not, and keep what its states are made from; once."""
        if self._started:
            return
        self.platform.start(progress)
        dsn = self.platform.endpoints.postgres_dsn
        data.load(dsn, progress=lambda what, done: progress(f"{what} {done:.0%}"))
        self.source = Source(dsn=dsn, days=self.sample.days, late_seed=self.sample.late_seed)
        self.source.prepare()
        if isolation() is not None:
            database.provide(self.platform)
        self._started = True

    def open_lake(self, *, cached: bool = True) -> Lake:
        """Open the tables."""
        return Lake.open(self.state, cached=cached)

    def capture(self, name: str) -> Moment:
        """Keep the present moment.

        Args:
            name: goes into the names of the reporting tables' copies; earlier copies of that name are replaced.
        """
        with psycopg.connect(self._catalog_dsn) as pg:
            rows = pg.execute("SELECT to_jsonb(t) FROM iceberg_tables t").fetchall()
        tables = {f"{row['table_namespace']}.{row['table_name']}": row for (row,) in rows}
        with psycopg.connect(self.platform.endpoints.postgres_dsn) as pg:
            names = tables_of(pg, _REPORTING)
            pg.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(_kept(name)))
            if names:
                pg.execute(sql.SQL("CREATE SCHEMA {}").format(_kept(name)))
            for table in names:
                copy_table(pg, (_REPORTING, table), (f"{_KEPT}_{name}", table))
        return Moment(tables=tables, reporting=name if names else "", deliveries=self.deliveries())

    def restore(self, moment: Moment) -> None:
        """Put a moment back: all of it, or an error."""
        with psycopg.connect(self._catalog_dsn) as pg:
            pg.execute("DELETE FROM iceberg_tables")
            pg.execute(
                "INSERT INTO iceberg_tables SELECT * FROM jsonb_populate_recordset(NULL::iceberg_tables, %s)",
                (Jsonb(list(moment.tables.values())),),
            )
        with psycopg.connect(self.platform.endpoints.postgres_dsn) as pg:
            pg.execute(f"DROP SCHEMA IF EXISTS {_REPORTING} CASCADE")
            pg.execute(f"CREATE SCHEMA {_REPORTING}")
            if moment.reporting:
                for table in tables_of(pg, f"{_KEPT}_{moment.reporting}"):
                    copy_table(pg, (f"{_KEPT}_{moment.reporting}", table), (_REPORTING, table))
            if isolation() is not None:
                database.hand_over(pg)
        self._put_deliveries(moment.deliveries)

    def holds(self, moment: Moment) -> bool:
        """Tell whether what a moment points to is still there: a solution may have purged files or dropped copies."""
        files = [str(row["metadata_location"]) for row in moment.tables.values()]
        if not all(_exists(one) for one in files):
            return False
        if not moment.reporting:
            return True
        with psycopg.connect(self.platform.endpoints.postgres_dsn) as pg:
            return bool(tables_of(pg, f"{_KEPT}_{moment.reporting}"))

    def deliveries(self) -> list[dict[str, Any]]:
        """Give the webhook receiver's rows, in order."""
        with self._receiver() as db:
            rows = db.execute("SELECT * FROM deliveries ORDER BY id").fetchall()
            return [dict(row) for row in rows]

    def delivered(self, moment: Moment) -> list[dict[str, Any]]:
        """Give the deliveries of a moment as the receiver lists them."""
        return [shape(row) for row in moment.deliveries]

    def kept_schema(self, moment: Moment) -> str:
        """Name the schema with a moment's reporting tables."""
        return f"{_KEPT}_{moment.reporting}" if moment.reporting else _REPORTING

    def wipe(self) -> None:
        """Begin anew: drop every table, copy, run and event; the loaded source stays."""
        self.restore(Moment())
        with psycopg.connect(self.platform.endpoints.postgres_dsn) as pg:
            kept = pg.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", (f"{_KEPT}\\_%",)).fetchall()
            for (schema,) in kept:
                pg.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        for folder in (self.state.steps, self.state.lineage, self.state.warehouse):
            for path in folder.iterdir() if folder.is_dir() else ():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.state.root.glob(f"{self.state.runs_db.name}*"):
            path.unlink()

    @property
    def _catalog_dsn(self) -> str:
        return self.platform.postgres.dsn("catalog", CATALOG_DATABASE)

    def _put_deliveries(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._receiver() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM deliveries")
            for row in rows:
                names = ", ".join(row)
                db.execute(f"INSERT INTO deliveries ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
            db.execute("COMMIT")

    def _receiver(self) -> _Database:
        return _Database(str(self.platform.receiver.database))


class _Database:
    """A SQLite file for the time of a `with` block."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def moment_of(document: Mapping[str, Any]) -> Moment:
    """Read what `Moment.as_json` gave."""
    return Moment(**document)


def joined(*moments: Moment) -> Moment:
    """Put moments of several pipelines together; a later one's tables and reports come over an earlier's."""
    tables: dict[str, Mapping[str, Any]] = {}
    deliveries: list[Mapping[str, Any]] = []
    for one in moments:
        tables |= one.tables
        deliveries += one.deliveries
    reporting = next((one.reporting for one in reversed(moments) if one.reporting), "")
    return Moment(tables=tables, reporting=reporting, deliveries=_numbered(deliveries))


def _numbered(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "id": number + 1} for number, row in enumerate(json.loads(json.dumps(list(rows))))]


def _exists(location: str) -> bool:
    return Path(url2pathname(urlsplit(location).path) if location.startswith("file:") else location).is_file()


def _kept(name: str) -> sql.Identifier:
    return sql.Identifier(f"{_KEPT}_{name}")
