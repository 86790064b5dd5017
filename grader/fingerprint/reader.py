"""Rows of an Iceberg table's data files, for DuckDB."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.exceptions import ResolveError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile as ManifestDataFile
from pyiceberg.table import FileScanTask, Table

from grader.fingerprint.canonical import identifier, literal
from grader.fingerprint.files import DataFile
from grader.fingerprint.manifests import LiveFile
from grader.fingerprint.removals import FILE, by_equality, by_position, equality, readable
from grader.fingerprint.schemas import ReadSchema
from pipelines.local.errors import BadInput

BATCH = 512
"""Files per query, so that neither its text nor its plan grows with the table."""

_UNREADABLE = (ValueError, KeyError, OSError, ResolveError, NotImplementedError, pa.ArrowException)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows of some files.

    Args:
        sql: a query in parentheses with the table's columns, and `FILE`.
        files: the files by the name that `FILE` gives them.
        columns: names and DuckDB types of the table's columns; None where a query must tell.
        relations: DuckDB relations that it reads, to be dropped after use.
    """

    sql: str
    files: Mapping[str, DataFile]
    columns: Sequence[tuple[str, Any]] | None = None
    relations: Sequence[str] = ()


class FileReader:
    """Gives data files to DuckDB with the table's present columns, without the rows that delete files take away.

    Parquet files on this machine are read by DuckDB itself, columns found by field id, so that renamed, added and
    widened columns come out as Iceberg has them. What needs more (remote files, nested columns of a changed schema,
    imported files without ids, defaults) goes through pyiceberg, file by file. What neither reads exactly is refused.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Table) -> None:
        self._con = con
        self._table = table
        self._schema = ReadSchema(table)
        self._names = ", ".join(identifier(one.name) for one in table.schema().fields)
        self._tasks: dict[int, dict[str, ManifestDataFile]] = {}

    def direct(self, file: DataFile) -> bool:
        """Say whether DuckDB can read this file."""
        parquet = file.file.format == "PARQUET" and file.local is not None
        return parquet and self._schema.readable and readable(file.removals)

    def sources(self, files: Iterable[DataFile]) -> Iterator[Source]:
        """Give the rows of any files in parts that may be read one after the other.

        Raises:
            BadInput: a file cannot be read exactly.
        """
        alike: dict[tuple[bool, tuple[LiveFile, ...]], list[DataFile]] = {}
        slow = []
        for file in files:
            if self.direct(file):
                by_value = equality(file)
                alike.setdefault((len(by_value) < len(file.removals), by_value), []).append(file)
            else:
                slow.append(file)
        for (_, by_value), group in alike.items():
            for start in range(0, len(group), BATCH):
                yield self._read(group[start : start + BATCH], by_value)
        for file in slow:
            yield self.slowly(file)

    def rows(self, files: Iterable[DataFile]) -> str:
        """Give the SQL source of any files, with the table's columns only."""
        chosen = list(files)
        bare = self._without_ids([file for file in chosen if self.direct(file)])
        found = [*self.sources(file for file in chosen if file.path not in bare)]
        found += [self.slowly(file) for file in chosen if file.path in bare]
        if not found:
            return f"(SELECT * FROM {self._empty()})"
        return f"({' UNION ALL BY NAME '.join(f'SELECT {self._names} FROM {one.sql}' for one in found)})"

    def slowly(self, file: DataFile) -> Source:
        """Read one file through pyiceberg.

        Raises:
            BadInput: pyiceberg cannot read it.
        """
        if equality(file):
            raise BadInput(
                "the file has equality deletes, and its kind is one that can only be read without",
                where=file.path,
                remedy="compact the table first (rewrite_data_files)",
            )
        scan = ArrowScan(self._table.metadata, self._table.io, self._table.schema(), AlwaysTrue())
        known = self._manifest_files(file.snapshot)
        try:
            task = FileScanTask(known[file.path], {known[one.path] for one in file.removals})
            read = scan.to_table([task])
        except _UNREADABLE as error:
            raise BadInput(f"the file cannot be read: {error}", where=file.path) from error
        name = f"arrow_{hashlib.sha256(repr((file.path, file.deletes)).encode()).hexdigest()[:16]}"
        self._con.register(name, read)
        sql = f"(SELECT *, {literal(file.path)} AS {identifier(FILE)} FROM {name})"
        return Source(sql=sql, files={file.path: file}, relations=(name,))

    def _read(self, files: Sequence[DataFile], by_value: Sequence[LiveFile]) -> Source:
        """Files that DuckDB can read, all with the same equality deletes."""
        join, relations = by_position(self._con, self._table, files)
        joins = [join, *by_equality(self._con, self._schema, by_value)]
        gone = sorted({field for one in by_value for field in one.equality_ids} - self._present)
        numbered = ", file_row_number = true" if join else ""
        read = (
            f"read_parquet([{', '.join(literal(str(file.local)) for file in files)}], filename = {literal(FILE)}, "
            f"hive_partitioning = false{numbered}{self._schema.argument(gone)})"
        )
        sql = f"(SELECT {self._names}, {identifier(FILE)} FROM {read} AS d {' '.join(joins)})"
        by_path = {str(file.local): file for file in files}
        return Source(sql=sql, files=by_path, columns=self._schema.columns, relations=relations)

    @cached_property
    def _present(self) -> set[int]:
        return {one.field_id for one in self._table.schema().fields}

    def _without_ids(self, files: Sequence[DataFile]) -> set[str]:
        """Paths of files whose columns have no ids, which DuckDB would take for NULL."""
        if not files or not self._schema.by_id:
            return set()
        paths = ", ".join(literal(str(file.local)) for file in files)
        query = f"SELECT DISTINCT file_name FROM parquet_schema([{paths}]) WHERE field_id IS NOT NULL"
        having = {name for (name,) in self._con.execute(query).fetchall()}
        return {file.path for file in files if file.local not in having}

    def _manifest_files(self, snapshot: int) -> dict[str, ManifestDataFile]:
        """All files of a snapshot as pyiceberg has them."""
        if snapshot not in self._tasks:
            found: Any = self._table.snapshot_by_id(snapshot)
            manifests = found.manifests(self._table.io)
            entries = (entry for manifest in manifests for entry in manifest.fetch_manifest_entry(self._table.io))
            self._tasks[snapshot] = {entry.data_file.file_path: entry.data_file for entry in entries}
        return self._tasks[snapshot]

    def _empty(self) -> str:
        """A relation with the table's columns and no rows."""
        name = f"empty_{self._table.metadata.table_uuid.hex}"
        self._con.register(name, self._table.schema().as_arrow().empty_table())
        return name
