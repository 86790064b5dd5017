"""Rows that delete files take away, as DuckDB SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
from pyiceberg.table.puffin import PuffinFile

from grader.fingerprint.canonical import identifier, literal
from grader.fingerprint.files import DataFile, local_path
from grader.fingerprint.manifests import LiveFile
from grader.fingerprint.schemas import ReadSchema, schema_argument
from pipelines.local.errors import BadInput

FILE = "batchlab file"
"""Column of a source that names the file a row is from."""

POSITION = "file_row_number"
"""DuckDB's own column: which row of its file a row is."""


def readable(removals: Sequence[LiveFile]) -> bool:
    """Say whether DuckDB can read these delete files; deletion vectors are read for it."""
    return all(
        one.format == "PUFFIN" or (one.format == "PARQUET" and local_path(one.path) is not None) for one in removals
    )


def equality(file: DataFile) -> tuple[LiveFile, ...]:
    """Give the equality deletes of a data file."""
    return tuple(one for one in file.removals if one.content == "equality_deletes")


def by_equality(con: duckdb.DuckDBPyConnection, schema: ReadSchema, removals: Sequence[LiveFile]) -> list[str]:
    """Build the joins that leave out rows by the values of columns; NULL equals NULL.

    Args:
        con: reads the delete files.
        schema: of the table.
        removals: equality deletes, all of which apply to all of the rows.

    Raises:
        BadInput: the comparison cannot be made exactly.
    """
    joins = []
    for ids in sorted({one.equality_ids for one in removals}):
        paths = [str(local_path(one.path)) for one in removals if one.equality_ids == ids]
        columns = {field: schema.column(field) for field in ids}
        _require_ids(con, paths, ids)
        name = identifier(f"by {' '.join(map(str, ids))}")
        on = " AND ".join(
            f"d.{identifier(column)} IS NOT DISTINCT FROM {name}.{identifier(column)}" for column, _ in columns.values()
        )
        read = f"read_parquet({_listed(paths)}, hive_partitioning = false{schema_argument(columns)})"
        joins.append(f"ANTI JOIN {read} AS {name} ON {on}")
    return joins


def _require_ids(con: duckdb.DuckDBPyConnection, paths: Sequence[str], ids: Sequence[int]) -> None:
    """DuckDB takes a column whose id is not there for NULL, which would take away the wrong rows."""
    rows = con.execute(f"SELECT file_name, field_id FROM parquet_schema({_listed(paths)})").fetchall()
    for path in paths:
        if missing := set(ids) - {field for name, field in rows if name == path}:
            raise BadInput(f"the equality deletes lack the fields {sorted(missing)}", where=path)


def by_position(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile]) -> tuple[str, list[str]]:
    """Build the join that leaves out rows by their place in a file.

    Args:
        con: gets a relation for the deletion vectors.
        table: whose files they are.
        files: data files on this machine.

    Returns:
        The join, empty where no row is deleted by position, and names of relations to drop after use.

    Raises:
        BadInput: a deletion vector is broken.
    """
    pairs = [(one, file) for file in files for one in file.removals if one.content == "position_deletes"]
    parts, relations = [], []
    listed = [(one, file) for one, file in pairs if one.format != "PUFFIN"]
    if listed:
        parts.append(_listed_positions(listed))
    vectors = [(one, file) for one, file in pairs if one.format == "PUFFIN"]
    if vectors:
        positions = pa.concat_tables(_vector(table, one, file) for one, file in vectors)
        relations.append(f"vectors_{_digest(file.path for _, file in vectors)}")
        con.register(relations[0], positions)
        parts.append(f"SELECT file, pos FROM {relations[0]}")
    if not parts:
        return "", []
    join = f"ANTI JOIN ({' UNION ALL '.join(parts)}) AS p ON d.{identifier(FILE)} = p.file AND d.{POSITION} = p.pos"
    return join, relations


def _listed_positions(pairs: Sequence[tuple[LiveFile, DataFile]]) -> str:
    """Positions out of Parquet files, for the data files that each applies to."""
    deletes = _listed(sorted({str(local_path(one.path)) for one, _ in pairs}))
    rows = ", ".join(
        f"({literal(str(local_path(one.path)))}, {literal(file.path)}, {literal(str(file.local))})"
        for one, file in pairs
    )
    read = f"read_parquet({deletes}, filename = {literal(FILE)}, hive_partitioning = false)"
    return (
        f"SELECT m.file, r.pos FROM {read} AS r JOIN (VALUES {rows}) AS m(deletes, path, file) "
        f"ON r.{identifier(FILE)} = m.deletes AND r.file_path = m.path"
    )


def _vector(table: Table, one: LiveFile, file: DataFile) -> pa.Table:
    """Positions in one deletion vector; their number must be what the manifest says."""
    try:
        with table.io.new_input(one.path).open() as stream:
            found = deletion_vectors_from_puffin_file(PuffinFile(stream.read()))
        chunks: list[Any] = [vector.to_vector() for vector in found if vector.referenced_data_file == file.path]
        positions = [position for chunk in chunks for position in chunk.to_pylist()]
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise BadInput(f"the deletion vector cannot be read: {error}", where=one.path) from error
    if len(positions) != one.records:
        raise BadInput(f"the deletion vector has {len(positions)} rows, not {one.records}", where=one.path)
    return pa.table({"file": [str(file.local)] * len(positions), "pos": pa.array(positions, pa.int64())})


def _listed(paths: Sequence[str]) -> str:
    return f"[{', '.join(literal(path) for path in paths)}]"


def _digest(texts: Any) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
