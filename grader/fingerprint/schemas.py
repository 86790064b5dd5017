"""How DuckDB is told which columns to take out of the Parquet files of an Iceberg table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import duckdb
from pyiceberg.table import Table
from pyiceberg.types import DecimalType, DoubleType, FixedType, FloatType, NestedField

from grader.fingerprint.canonical import literal
from pipelines.local.errors import BadInput

_NAME_MAPPING = "schema.name-mapping.default"
_SQL_TYPES = {
    "boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "date": "DATE",
    "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "timestamp_ns": "TIMESTAMP_NS",
    "timestamptz_ns": "TIMESTAMPTZ_NS", "string": "VARCHAR", "uuid": "UUID", "binary": "BLOB", "unknown": "VARCHAR",
}  # fmt: skip


class ReadSchema:
    """The columns of a table as `read_parquet` can find them: by field id, or not at all.

    Attributes:
        by_id: columns can be found by field id, so files of older schemas come out right.
        readable: DuckDB can read the table's files at all. Defaults and imported files are beyond it, and so are nested
            columns, which it finds by name, once the schema has changed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._fields = table.schema().fields
        types = [_sql_type(one) for one in self._fields]
        plain = _NAME_MAPPING not in table.properties and not any(_default(one) for one in self._fields)
        self.by_id = plain and all(types)
        self.readable = self.by_id or (plain and len(table.metadata.schemas) == 1)

    @cached_property
    def columns(self) -> list[tuple[str, Any]] | None:
        """Names and DuckDB types of the table's columns; None where only the files can tell."""
        if not self.by_id:
            return None
        return [(one.name, duckdb.sqltype(str(_sql_type(one)))) for one in self._fields]

    def argument(self, more: Iterable[int] = ()) -> str:
        """Give the `schema` argument of `read_parquet`, with a leading comma; nothing where columns go by name.

        Args:
            more: ids of fields that the table has no more, but equality deletes compare by.
        """
        if not self.by_id:
            return ""
        columns = {one.field_id: (one.name, str(_sql_type(one))) for one in self._fields}
        return schema_argument(columns | {field: self.column(field) for field in more})

    def column(self, field: int) -> tuple[str, str]:
        """Give name and SQL type of a field by which equality deletes compare; it may have left the table since.

        Raises:
            BadInput: it is nested, or of a type whose equality is a matter of taste.
        """
        schemas = [self._table.schema(), *reversed(self._table.metadata.schemas)]
        found = next((one for schema in schemas for one in schema.fields if one.field_id == field), None)
        kind = _sql_type(found) if found is not None else None
        if found is None or kind is None or isinstance(found.field_type, FloatType | DoubleType):
            raise BadInput(
                f"equality deletes by field {field} cannot be read: nested fields and floats are not supported",
                where=".".join(self._table.name()),
                remedy="compact the table first (rewrite_data_files)",
            )
        present = any(one.field_id == field for one in self._fields)
        return (found.name if present else f"batchlab field {field}"), kind


def schema_argument(columns: Mapping[int, tuple[str, str]]) -> str:
    """Write columns by field id as `read_parquet` takes them."""
    entries = (
        f"{field}: {{name: {literal(name)}, type: {literal(kind)}, default_value: NULL}}"
        for field, (name, kind) in columns.items()
    )
    return f", schema = MAP {{{', '.join(entries)}}}"


def _default(one: NestedField) -> bool:
    return getattr(one, "initial_default", None) is not None


def _sql_type(one: NestedField) -> str | None:
    kind: Any = one.field_type
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if isinstance(kind, FixedType):
        return "BLOB"
    return _SQL_TYPES.get(str(kind))
