"""A catalog in memory over files in a folder: Iceberg tables for unit tests, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog, MetastoreCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table import CommitTableResponse, StagedTable, Table


class MemoryCatalog(MetastoreCatalog):  # type: ignore[misc]
    """Enough of a catalog to create tables, commit to them and list them."""

    def __init__(self, folder: Path) -> None:
        super().__init__("lake", warehouse=folder.as_uri())
        self.tables: dict[tuple[str, ...], Table] = {}

    def create_table(
        self, identifier: str, schema: Any, location: str | None = None, *args: Any, **kwargs: Any
    ) -> Table:
        """Create a table; `partition_spec` as pyiceberg has it."""
        spec = kwargs.pop("partition_spec", PartitionSpec())
        staged: StagedTable = self._create_staged_table(identifier, schema, location, spec, *args, **kwargs)
        self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
        return self._keep(staged)

    def _keep(self, staged: Any) -> Table:
        name = tuple(staged.name())
        self.tables[name] = Table(name, staged.metadata, staged.metadata_location, staged.io, self)
        return self.tables[name]

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        """Apply updates to the table's newest metadata."""
        current = self.tables.get(tuple(table.name()))
        staged = self._update_and_stage_table(current, table.name(), requirements, updates)
        if current is None or staged.metadata != current.metadata:
            self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
            self._keep(staged)
        kept = self.tables[tuple(table.name())]
        return CommitTableResponse(metadata=kept.metadata, metadata_location=kept.metadata_location)

    def load_table(self, identifier: str | tuple[str, ...]) -> Table:
        """Give a table as it is now."""
        name = Catalog.identifier_to_tuple(identifier)
        if name not in self.tables:
            raise NoSuchTableError(f"Table does not exist: {identifier}")
        found = self.tables[name]
        return Table(name, found.metadata, found.metadata_location, found.io, self)

    def table_exists(self, identifier: Any) -> bool:
        """Say whether there is such a table."""
        return Catalog.identifier_to_tuple(identifier) in self.tables

    def namespace_exists(self, namespace: Any) -> bool:
        """Namespaces need no making here."""
        return True

    def list_namespaces(self, namespace: Any = ()) -> list[tuple[str, ...]]:
        """Namespaces of the tables there are."""
        return [] if namespace else sorted({name[:-1] for name in self.tables})

    def list_tables(self, namespace: Any) -> list[tuple[str, ...]]:
        """Tables of a namespace."""
        return sorted(name for name in self.tables if name[:-1] == Catalog.identifier_to_tuple(namespace))

    def load_namespace_properties(self, namespace: Any) -> dict[str, str]:
        """No namespace has properties here: tables lie under the warehouse."""
        return {}


MemoryCatalog.__abstractmethods__ = frozenset()
