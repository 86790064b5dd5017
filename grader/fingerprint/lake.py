"""Every table that can be fingerprinted, found by name: Iceberg tables of the catalog and tables of PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import duckdb
import psycopg
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import BadRequestError, NoSuchIdentifierError, NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import StaticTable, Table

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.canonical import identifier
from grader.fingerprint.digest import Fingerprint
from grader.fingerprint.files import DataFile, data_files
from grader.fingerprint.iceberg import fingerprint
from grader.fingerprint.postgres import copy_in, tables
from grader.fingerprint.reader import FileReader
from grader.fingerprint.relation import connect, digests, partition_name
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

CATALOG = "lake"
_NO_SUCH = (NoSuchTableError, NoSuchNamespaceError, NoSuchIdentifierError, BadRequestError, ValueError)
PARTITION = "flight_date"
"""Column that names a partition in PostgreSQL, where there are no partitions: the logical date."""


@dataclass(kw_only=True)
class Lake:
    """The tables of one platform.

    Args:
        catalog: Iceberg catalog that the name `lake` stands for.
        dsn: PostgreSQL connection string; empty where there is none.
        cache: digests of files read before; None reads everything.
        con: the DuckDB that reads.
    """

    catalog: Catalog
    dsn: str = ""
    cache: DigestCache | None = None
    con: duckdb.DuckDBPyConnection = field(default_factory=connect)
    _files: dict[tuple[str, int], list[DataFile]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, state: StateDir, *, cached: bool = True) -> Lake:
        """Open the tables of the embedded platform, which is started where it does not run."""
        from pipelines.local.platform import Platform

        platform = Platform(state.ensure())
        platform.start(warm=False)
        ends = platform.endpoints
        catalog = load_catalog(CATALOG, type="rest", uri=ends.catalog_uri)
        cache = DigestCache(state.cache / "fingerprints.db") if cached else None
        return cls(catalog=catalog, dsn=ends.postgres_dsn, cache=cache)

    def tables(self) -> list[str]:
        """Names of all tables: `lake.raw.flights`, `reporting.carrier_daily`."""
        found = [
            ".".join((CATALOG, *name))
            for space in self.catalog.list_namespaces()
            for name in self.catalog.list_tables(space)
        ]
        return sorted([*found, *self._reports()])

    def _reports(self) -> list[str]:
        if not self.dsn:
            return []
        with psycopg.connect(self.dsn) as pg:
            return tables(pg)

    def find(self, name: str) -> tuple[str, Table | None]:
        """Give a table's full name and the Iceberg table, or None where it is one of PostgreSQL.

        Raises:
            BadInput: there is no such table; the remedy names those that there are.
        """
        if not name.startswith(f"{CATALOG}.") and name in self._reports():
            return name, None
        short = name.removeprefix(f"{CATALOG}.")
        try:
            return f"{CATALOG}.{short}", self.catalog.load_table(tuple(short.split(".")))
        except _NO_SUCH:
            pass
        names = self.tables()
        raise BadInput(
            f"there is no table {name}",
            where="TABLE",
            remedy=f"there are: {', '.join(names)}"
            if names
            else "there are no tables yet: run a pipeline, or `make demo`",
        )

    def iceberg(self, name: str) -> Table:
        """Give an Iceberg table by name.

        Raises:
            BadInput: there is none of that name.
        """
        full, table = self.find(name)
        if table is None:
            raise BadInput(f"{full} is a PostgreSQL table: it has no snapshots", where="TABLE")
        return table

    def fingerprint(self, name: str, snapshot: str | int | None = None) -> Fingerprint:
        """Fingerprint a table, by default as it is now.

        Args:
            name: `lake.raw.flights`, `raw.flights` or `reporting.carrier_daily`.
            snapshot: a snapshot id, or a branch or tag.

        Raises:
            BadInput: no such table or snapshot.
        """
        full, table = self.find(name)
        if table is not None:
            return self.fingerprint_of(table, full, snapshot)
        if snapshot is not None:
            raise BadInput(f"{full} is a PostgreSQL table: it has no snapshots", where="--snapshot")
        source = self.rows(full)
        names = [column for column, *_ in self.con.execute(f"SELECT * FROM {source} LIMIT 0").description or []]
        by = partition_name([PARTITION]) if PARTITION in names else None
        return Fingerprint(table=full, snapshot=None, partitions=digests(self.con, source, by=by))

    def fingerprint_of(self, table: Table, name: str, snapshot: str | int | None = None) -> Fingerprint:
        """Fingerprint an Iceberg table that was found already."""
        return fingerprint(self.con, table, name, snapshot_id(table, name, snapshot), self.cache)

    def files(self, name: str, snapshot: int) -> list[DataFile]:
        """List the data files of a table's snapshot; they never change, so they are read once."""
        found = self._files.get((name, snapshot))
        if found is None:
            found = self._files[name, snapshot] = data_files(self.iceberg(name), snapshot, self.cache)
        return found

    def files_of(self, metadata: str, snapshot: int) -> list[DataFile]:
        """List the data files of a snapshot of a table, by the location of a metadata file that knows the snapshot."""
        found = self._files.get((metadata, snapshot))
        if found is None:
            found = self._files[metadata, snapshot] = data_files(self.static(metadata), snapshot, self.cache)
        return found

    def static(self, metadata: str) -> StaticTable:
        """Give a table as a metadata file has it, read as the catalog's tables are, wherever they are stored."""
        return StaticTable.from_metadata(metadata, self.catalog.properties)

    def rows(self, name: str, snapshot: str | int | None = None) -> str:
        """Give the SQL source of a table's rows, for the connection `con`."""
        full, table = self.find(name)
        if table is not None:
            found = snapshot_id(table, full, snapshot)
            return self.file_rows(table, data_files(table, found, self.cache) if found is not None else [])
        with psycopg.connect(self.dsn) as pg:
            copy_in(self.con, pg, f"SELECT * FROM {full}", full)
        return identifier(full)

    def rows_of(self, metadata: str, snapshot: int) -> str:
        """Give the SQL source of a snapshot's rows, by the location of a metadata file that knows the snapshot."""
        found = self.static(metadata)
        return self.file_rows(found, data_files(found, snapshot))

    def file_rows(self, table: Table, files: list[DataFile]) -> str:
        """Give the SQL source of the rows of some of a table's files."""
        return FileReader(self.con, table).rows(files)


def snapshot_id(table: Table, name: str, wanted: str | int | None) -> int | None:
    """Resolve a snapshot id, branch or tag; None means the table's present snapshot, if it has one.

    Raises:
        BadInput: the table has no such snapshot; the remedy names the newest ones.
    """
    if wanted is None:
        current = table.current_snapshot()
        return current.snapshot_id if current else None
    text = str(wanted)
    if text in table.metadata.refs:
        return int(table.metadata.refs[text].snapshot_id)
    if text.isdigit() and table.snapshot_by_id(int(text)) is not None:
        return int(text)
    newest: list[Any] = sorted(table.snapshots(), key=lambda one: -one.timestamp_ms)
    listed = ", ".join(str(one.snapshot_id) for one in newest[:5])
    raise BadInput(
        f"{name} has no snapshot {text}",
        where="snapshot",
        remedy=f"its newest are: {listed}" if listed else "it has none yet",
    )
