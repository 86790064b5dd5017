"""Data files of a snapshot, by partition, with the delete files that apply to each."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.schema import Schema
from pyiceberg.table import Table

from grader.fingerprint.manifests import LiveFile, live_files

if TYPE_CHECKING:
    from grader.fingerprint.cache import DigestCache


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One data file of a snapshot with the delete files that apply to it.

    Args:
        snapshot: the snapshot.
        file: the file.
        removals: its delete files, sorted by address.
    """

    snapshot: int
    file: LiveFile
    removals: tuple[LiveFile, ...] = ()

    @property
    def path(self) -> str:
        """Address as the manifest has it."""
        return self.file.path

    @property
    def partition(self) -> str:
        """`flight_date=2013-01-03`, or `(all)`."""
        return self.file.partition

    @property
    def deletes(self) -> tuple[str, ...]:
        """Addresses of the delete files, sorted."""
        return tuple(one.address for one in self.removals)

    @property
    def local(self) -> str | None:
        """Path by which DuckDB reads it on this machine, or None where it cannot."""
        return local_path(self.path)


def local_path(address: str) -> str | None:
    """Give the path of a file on this machine; None where it is elsewhere, or is a pattern to DuckDB."""
    found = re.fullmatch(r"(?:file:(?://)?)?(/[^*?\[]*)", address)
    return found[1] if found else None


def data_files(table: Table, snapshot: int, cache: DigestCache | None = None) -> list[DataFile]:
    """List the data files that make up a snapshot.

    Args:
        table: the table.
        snapshot: its snapshot id.
        cache: has manifests that were read before.

    Raises:
        BadInput: a file is encrypted.
    """
    data, deletes = [], Deletes()
    for file in live_files(table, snapshot, cache):
        if file.content == "data":
            data.append(file)
        else:
            deletes.add(file)
    return [DataFile(snapshot=snapshot, file=file, removals=deletes.of(file)) for file in data]


class Deletes:
    """Delete files of a snapshot, and which of them apply to a data file by the rules of Iceberg's specification."""

    def __init__(self, files: Iterable[LiveFile] = ()) -> None:
        self._vectors: dict[str | None, list[LiveFile]] = defaultdict(list)
        self._positions: dict[str, list[LiveFile]] = defaultdict(list)
        self._equality: dict[str | None, list[LiveFile]] = defaultdict(list)
        for file in files:
            self.add(file)

    def add(self, file: LiveFile) -> None:
        """Take note of a delete file."""
        if file.content == "equality_deletes":
            self._equality[None if file.everywhere else file.place].append(file)
        elif file.format == "PUFFIN":
            self._vectors[file.target].append(file)
        else:
            self._positions[file.place].append(file)

    def of(self, file: LiveFile) -> tuple[LiveFile, ...]:
        """Give the delete files of a data file.

        Deletes by position are of the same commit or a later one; a deletion vector replaces all others of them.
        Equality deletes are of a later commit; those of a spec without partitions apply everywhere.
        """
        found = [one for one in self._vectors.get(file.path, ()) if one.sequence >= file.sequence]
        if not found:
            near = self._positions.get(file.place, ())
            found = [one for one in near if one.sequence >= file.sequence and one.target in {None, file.path}]
        for place in (file.place, None):
            found += [one for one in self._equality.get(place, ()) if one.sequence > file.sequence]
        return tuple(sorted(found, key=lambda one: one.address))


def schema_key(schema: Schema) -> str:
    """Short hash of what a schema makes of a file: field ids, names and types."""
    return hashlib.sha256(str(schema.as_struct()).encode()).hexdigest()[:16]
