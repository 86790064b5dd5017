"""Data files of a snapshot, by partition, and reading them with DuckDB."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.types import DecimalType, NestedField

from grader.fingerprint.canonical import identifier, literal
from grader.fingerprint.relation import WHOLE
from pipelines.local.errors import BadInput

FILE = "batchlab file"
"""Column of a source that names the file a row is from."""

_NAME_MAPPING = "schema.name-mapping.default"
_SQL_TYPES = {
    "boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "date": "DATE",
    "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "string": "VARCHAR", "uuid": "UUID",
    "binary": "BLOB",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One data file of a snapshot with the delete files that apply to it.

    Args:
        path: address as the manifest has it.
        partition: `flight_date=2013-01-03`, or `(all)`.
        deletes: addresses of the delete files, sorted.
        task: pyiceberg's own description, for reading through it.
    """

    path: str
    partition: str
    deletes: tuple[str, ...] = ()
    task: FileScanTask = field(repr=False, compare=False)

    @property
    def local(self) -> str | None:
        """Path on this machine, or None where the file is elsewhere."""
        found = re.fullmatch(r"(?:file:(?://)?)?(/.*)", self.path)
        return found[1] if found else None


def data_files(table: Table, snapshot: int) -> list[DataFile]:
    """List the data files that make up a snapshot.

    Raises:
        BadInput: the table has equality deletes, which nothing here can read.
    """
    schema = table.schema()
    specs = table.specs()
    try:
        tasks = list(table.scan(snapshot_id=snapshot).plan_files())
    except ValueError as error:
        name = ".".join(table.name())
        raise BadInput(str(error), where=name, remedy="compact the table first (rewrite_data_files)") from error
    files = []
    for task in tasks:
        spec = specs[task.file.spec_id]
        partition = spec.partition_to_path(task.file.partition, schema) if spec.fields else WHOLE
        deletes = tuple(sorted(delete.file_path for delete in task.delete_files))
        files.append(DataFile(path=task.file.file_path, partition=partition or WHOLE, deletes=deletes, task=task))
    return files


def schema_key(schema: Schema) -> str:
    """Short hash of what a schema makes of a file: field ids, names and types."""
    return hashlib.sha256(str(schema.as_struct()).encode()).hexdigest()[:16]


class FileReader:
    """Gives data files to DuckDB as one relation with the table's present columns.

    Plain files on this machine are read by DuckDB itself, columns found by field id, so that renamed, added and widened
    columns come out as Iceberg has them. What needs more (deletes, remote files, nested columns of a changed schema,
    imported files without ids, defaults) goes through pyiceberg.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Table) -> None:
        self._con = con
        self._table = table
        self._schema = table.schema()
        self._direct = _types_by_id(table)

    def direct(self, file: DataFile) -> bool:
        """Say whether DuckDB can read this file as it is."""
        plain = not file.deletes and file.local is not None
        return plain and self._direct is not None and str(file.task.file.file_format).endswith("PARQUET")

    def source(self, files: Sequence[DataFile]) -> str:
        """Give the SQL source of several files that DuckDB can read; it has the column `FILE` besides."""
        paths = ", ".join(literal(str(file.local)) for file in files)
        schema = f", schema = {self._direct}" if self._direct else ""
        return f"read_parquet([{paths}], filename = {literal(FILE)}, hive_partitioning = false{schema})"

    def rows(self, files: Iterable[DataFile]) -> str:
        """Give the SQL source of any files, with the table's columns only."""
        chosen = list(files)
        direct = [file for file in chosen if self.direct(file)]
        slow = [file for file in chosen if not self.direct(file)]
        names = ", ".join(identifier(one.name) for one in self._schema.fields)
        parts = [f"SELECT {names} FROM {self.source(direct)}"] if direct else []
        if slow or not parts:
            parts.append(f"SELECT * FROM {self.arrow(slow)}")
        return f"({' UNION ALL BY NAME '.join(parts)})"

    def arrow(self, files: Sequence[DataFile]) -> str:
        """Read files through pyiceberg and name the DuckDB relation that has them."""
        from pyiceberg.expressions import AlwaysTrue

        scan = ArrowScan(self._table.metadata, self._table.io, self._schema, AlwaysTrue())
        read = scan.to_table([file.task for file in files])
        digest = hashlib.sha256("\n".join(file.path for file in files).encode()).hexdigest()[:16]
        name = f"arrow_{digest}"
        self._con.register(name, read)
        return name


def _types_by_id(table: Table) -> str | None:
    """Give the `schema` argument of `read_parquet`; empty: columns are found by name; None: DuckDB must not read it."""
    fields = table.schema().fields
    if _NAME_MAPPING in table.properties or any(_default(one) is not None for one in fields):
        return None
    types = [_sql_type(one) for one in fields]
    if all(types):
        entries = (
            f"{one.field_id}: {{name: {literal(one.name)}, type: {literal(str(kind))}, default_value: NULL}}"
            for one, kind in zip(fields, types, strict=True)
        )
        return f"MAP {{{', '.join(entries)}}}"
    return "" if len(table.metadata.schemas) == 1 else None


def _default(one: NestedField) -> Any:
    return getattr(one, "initial_default", None)


def _sql_type(one: NestedField) -> str | None:
    kind = one.field_type
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _SQL_TYPES.get(str(kind))
