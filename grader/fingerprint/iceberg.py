"""Fingerprint of an Iceberg table at a snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import duckdb
from pyiceberg.table import Table

from grader.fingerprint.cache import DigestCache
from grader.fingerprint.canonical import identifier
from grader.fingerprint.digest import Digest, Fingerprint
from grader.fingerprint.files import DataFile, data_files, schema_key
from grader.fingerprint.reader import FileReader, Source
from grader.fingerprint.relation import WHOLE, columns, digests
from grader.fingerprint.removals import FILE
from pipelines.local.errors import BadInput


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

    Raises:
        BadInput: a file cannot be read exactly.
    """
    if snapshot is None:
        return Fingerprint(table=name, snapshot=None, partitions={})
    files = data_files(table, snapshot, cache)
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
    text = "\n".join((schema, str(file.file.size), file.path, *file.deletes))
    return hashlib.sha256(text.encode()).hexdigest()


def _read(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile]) -> dict[DataFile, Digest]:
    if not files:
        return {}
    reader = FileReader(con, table)
    found: dict[DataFile, Digest] = {}
    for source in reader.sources(files):
        found |= _digests(con, source)
    nothing = digests(con, "(SELECT NULL AS nothing)")[WHOLE]
    for file, digest in found.items():
        if digest.rows and digest == nothing.times(digest.rows) and reader.direct(file):
            # Every column was NULL in every row: so it is, or the file has no field ids to find columns by.
            found |= _digests(con, reader.slowly(file))
        _require_all_rows(file, found[file])
    return found


def _digests(con: duckdb.DuckDBPyConnection, source: Source) -> Mapping[DataFile, Digest]:
    try:
        content = source.columns or [column for column in columns(con, source.sql) if column[0] != FILE]
        by_name = digests(con, source.sql, by=identifier(FILE), content=content)
    except duckdb.Error as error:
        first = next(iter(source.files.values()))
        raise BadInput(f"its data files cannot be read: {str(error).splitlines()[0]}", where=first.path) from error
    finally:
        for name in source.relations:
            con.unregister(name)
    return {file: by_name.get(name, Digest()) for name, file in source.files.items()}


def _require_all_rows(file: DataFile, digest: Digest) -> None:
    """A file that says otherwise than its manifest was changed or cut off after it was committed."""
    wanted = file.file.records - sum(one.records for one in file.removals if one.format == "PUFFIN")
    exact = all(one.format == "PUFFIN" for one in file.removals)
    if digest.rows > wanted or (exact and digest.rows != wanted):
        raise BadInput(
            f"the data file has {digest.rows} rows where its manifest says {wanted}",
            where=file.path,
            remedy="it was changed after it was committed; write its partition anew",
        )
