"""An Iceberg catalog in memory over files in a folder, with rivals: what publishing meets on a real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog, MetastoreCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableResponse
from pyiceberg.table import Table as IcebergTable
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, LongType, NestedField

from pipelines.datatier.tables import Column, Table

NUMBERS = Table(
    name="lake.t.numbers",
    partition="day",
    key=("day", "n"),
    columns=(Column(name="day", type="date", required=True), Column(name="n", type="bigint")),
)


class MemoryCatalog(MetastoreCatalog):  # type: ignore[misc]
    """One process's catalog: commits are compare-and-swap on the newest metadata.

    `rival` is called once, before the next commit of a table is applied: what another process does meanwhile.
    `losing` is the number of commits that fail as if another had come first.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("lake", warehouse=folder.as_uri())
        self.tables: dict[tuple[str, ...], IcebergTable] = {}
        self.rival: Callable[[], None] | None = None
        self.losing = 0

    def create_table(self, identifier: str, schema: Any, *args: Any, **kwargs: Any) -> IcebergTable:
        """Create a table."""
        spec = kwargs.pop("partition_spec", PartitionSpec())
        staged: Any = self._create_staged_table(identifier, schema, None, spec, *args, **kwargs)
        self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
        return self._keep(staged)

    def commit_table(self, table: IcebergTable, requirements: Any, updates: Any) -> CommitTableResponse:
        """Let the rival go first, then apply the updates if their requirements still hold."""
        rival, self.rival = self.rival, None
        if rival is not None:
            rival()
        if self.losing:
            self.losing -= 1
            raise CommitFailedException("another commit came first")
        current = self.tables[tuple(table.name())]
        staged: Any = self._update_and_stage_table(current, table.name(), requirements, updates)
        if staged.metadata != current.metadata:
            self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
            current = self._keep(staged)
        return CommitTableResponse(metadata=current.metadata, metadata_location=current.metadata_location)

    def load_table(self, identifier: str | tuple[str, ...]) -> IcebergTable:
        """Give a table as it is now."""
        found = self.tables[Catalog.identifier_to_tuple(identifier)]
        return IcebergTable(found.name(), found.metadata, found.metadata_location, found.io, self)

    def table_exists(self, identifier: Any) -> bool:
        """Say whether there is such a table."""
        return Catalog.identifier_to_tuple(identifier) in self.tables

    def namespace_exists(self, namespace: Any) -> bool:
        """Namespaces need no making here."""
        return True

    def load_namespace_properties(self, namespace: Any) -> dict[str, str]:
        """No namespace has properties here."""
        return {}

    def _keep(self, staged: Any) -> IcebergTable:
        name = tuple(staged.name())
        self.tables[name] = IcebergTable(name, staged.metadata, staged.metadata_location, staged.io, self)
        return self.tables[name]


MemoryCatalog.__abstractmethods__ = frozenset()  # the rest of a catalog is none of these tests' business


def numbers(folder: Path) -> MemoryCatalog:
    """Make a catalog with the empty table `NUMBERS`."""
    catalog = MemoryCatalog(folder)
    schema = Schema(NestedField(1, "day", DateType(), required=True), NestedField(2, "n", LongType(), required=False))
    spec = PartitionSpec(PartitionField(source_id=1, field_id=1000, transform=IdentityTransform(), name="day"))
    catalog.create_table("t.numbers", schema, partition_spec=spec)
    return catalog


def rows(day: str, *values: int) -> pa.Table:
    """Make rows of one day."""
    schema = pa.schema([pa.field("day", pa.date32(), nullable=False), pa.field("n", pa.int64())])
    return pa.table({"day": [date.fromisoformat(day)] * len(values), "n": list(values)}, schema=schema)


def replace(catalog: MemoryCatalog, day: str, *values: int, branch: str = "main", **properties: str) -> None:
    """Replace a day on a branch in one commit, as a Spark step does; a new branch starts from `main`."""
    table = catalog.load_table("t.numbers")
    main = table.metadata.current_snapshot_id
    if branch not in table.metadata.refs and branch != "main" and main is not None:
        table.manage_snapshots().create_branch(main, branch).commit()
    properties = {name.replace("_", "."): value for name, value in properties.items()}
    with table.transaction() as transaction:
        transaction.overwrite(
            rows(day, *values), overwrite_filter=EqualTo("day", day), branch=branch, snapshot_properties=properties
        )


def held(catalog: MemoryCatalog) -> dict[str, list[int]]:
    """Return the values that everybody sees, by day, sorted."""
    found: dict[str, list[int]] = {}
    for row in catalog.load_table("t.numbers").scan().to_arrow().to_pylist():
        found.setdefault(str(row["day"]), []).append(row["n"])
    return {day: sorted(values) for day, values in sorted(found.items())}
