"""Fingerprint of an Iceberg table at a snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import duckdb
from pyiceberg.table import Table

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.canonical import identifier
from grader.fingerprint.digest import Digest, Fingerprint
from grader.fingerprint.files import FILE, DataFile, FileReader, data_files, schema_key
from grader.fingerprint.relation import WHOLE, columns, digests


def fingerprint(
    con: duckdb.DuckDBPyConnection, table: Table, name: str, snapshot: int | None, cache: DigestCache | None = None
) -> Fingerprint:
    """Fingerprint a table, reading only the files whose digest is not cached.

    Args:
        con: does the reading.
        table: the table.
        name: how to call it in the answer.
        snapshot: its snapshot id; None: a table without a snapshot, which is empty.
        cache: digests of files read before; None reads everything.
    """
    if snapshot is None:
        return Fingerprint(table=name, snapshot=None, partitions={})
    files = data_files(table, snapshot)
    schema = schema_key(table.schema())
    keys = {file: _key(file, schema) for file in files}
    known = cache.get(keys.values()) if cache else {}
    missing = [file for file in files if keys[file] not in known]
    fresh = _read(con, table, missing)
    if cache and fresh:
        cache.put({keys[file]: digest for file, digest in fresh.items()})
    partitions: dict[str, Digest] = {}
    for file in files:
        digest = fresh[file] if file in fresh else known[keys[file]]
        if digest.rows:
            partitions[file.partition] = partitions.get(file.partition, Digest()) + digest
    return Fingerprint(table=name, snapshot=snapshot, partitions=partitions, files_read=len(missing), files=len(files))


def _key(file: DataFile, schema: str) -> str:
    """A data file never changes: its address, its deletes and the schema that reads it say what comes out."""
    text = "\n".join((schema, str(file.task.file.file_size_in_bytes), file.path, *file.deletes))
    return hashlib.sha256(text.encode()).hexdigest()


def _read(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile]) -> dict[DataFile, Digest]:
    reader = FileReader(con, table)
    direct = {str(file.local): file for file in files if reader.direct(file)}
    found: dict[DataFile, Digest] = {}
    if direct:
        source = reader.source(list(direct.values()))
        content = [column for column in columns(con, source) if column[0] != FILE]
        by_path = digests(con, source, by=identifier(FILE), content=content)
        found = {file: by_path.get(path, Digest()) for path, file in direct.items()}
    for file in files:
        if file not in found:
            found[file] = digests(con, reader.arrow([file])).get(WHOLE, Digest())
    return found
