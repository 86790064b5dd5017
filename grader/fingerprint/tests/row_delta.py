"""Commits of delete files, as engines write them that merge on read: pyiceberg itself writes none."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.table.puffin import MAGIC_BYTES
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record
from pyroaring import BitMap

from grader.fingerprint.files import DataFile as Planned

_VECTOR_MAGIC = b"\xd1\xd3\x39\x64"


def delete_rows(table: Table, *files: DataFile, spec_id: int | None = None, branch: str = "main") -> None:
    """Commit delete files.

    Args:
        table: the table.
        files: what `positions`, `vector` and `equality` gave.
        spec_id: partition spec that they are of; the table's own by default.
        branch: the branch that gets the commit.
    """
    with table.transaction() as transaction:
        delta = _RowDelta(Operation.DELETE, transaction, table.io, branch=branch)
        delta.deletes = files
        delta.deletes_spec = table.specs()[table.spec().spec_id if spec_id is None else spec_id]
        delta.commit()


def positions(path: Path, partition: Record, deleted: Sequence[tuple[str, int]], target: str | None = None) -> DataFile:
    """Write position deletes: address of a data file and place in it."""
    rows = {"file_path": [file for file, _ in deleted], "pos": pa.array([at for _, at in deleted], pa.int64())}
    pq.write_table(pa.table(rows), path)
    return _file(path, DataFileContent.POSITION_DELETES, partition, len(deleted), referenced_data_file=target)


def equality(path: Path, partition: Record, columns: Mapping[int, tuple[str, pa.Array]], **more: Any) -> DataFile:
    """Write equality deletes: values by field id."""
    fields = [
        pa.field(name, values.type, metadata={"PARQUET:field_id": str(field)})
        for field, (name, values) in columns.items()
    ]
    rows = pa.table([values for _, values in columns.values()], schema=pa.schema(fields))
    pq.write_table(rows, path)
    more.setdefault("equality_ids", list(columns))
    return _file(path, DataFileContent.EQUALITY_DELETES, partition, rows.num_rows, **more)


def vectors(path: Path, deleted: Mapping[Planned, Sequence[int]], partition: Record) -> list[DataFile]:
    """Write a Puffin file with the deletion vectors of some data files."""
    blobs, footer, at = b"", [], len(MAGIC_BYTES)
    for file, rows in deleted.items():
        blob = _vector(rows)
        footer.append(_blob_metadata(file.path, at, len(blob), len(rows)))
        blobs, at = blobs + blob, at + len(blob)
    text = f'{{"blobs": [{", ".join(footer)}]}}'.encode()
    end = MAGIC_BYTES + text + len(text).to_bytes(4, "little") + bytes(4) + MAGIC_BYTES
    path.write_bytes(MAGIC_BYTES + blobs + end)
    found, at = [], len(MAGIC_BYTES)
    for file, rows in deleted.items():
        size = len(_vector(rows))
        more: dict[str, Any] = {"referenced_data_file": file.path, "content_offset": at, "content_size_in_bytes": size}
        found.append(_file(path, DataFileContent.POSITION_DELETES, partition, len(rows), FileFormat.PUFFIN, **more))
        at += size
    return found


def _vector(rows: Sequence[int]) -> bytes:
    """A blob `deletion-vector-v1`: one 32-bit bitmap is enough here."""
    body = _VECTOR_MAGIC + (1).to_bytes(8, "little") + (0).to_bytes(4, "little") + BitMap(rows).serialize()
    return len(body).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _blob_metadata(path: str, at: int, size: int, count: int) -> str:
    return (
        f'{{"type": "deletion-vector-v1", "fields": [], "snapshot-id": -1, "sequence-number": -1, "offset": {at}, '
        f'"length": {size}, "properties": {{"referenced-data-file": "{path}", "cardinality": "{count}"}}}}'
    )


def _file(
    path: Path, content: Any, partition: Record, count: int, kind: Any = FileFormat.PARQUET, **more: Any
) -> DataFile:
    return DataFile.from_args(
        _table_format_version=3, content=content, file_path=path.as_uri(), file_format=kind, record_count=count,
        file_size_in_bytes=path.stat().st_size, partition=partition, **more,
    )  # fmt: skip


class _RowDelta(_FastAppendFiles):  # type: ignore[misc]
    """A commit that adds delete files and leaves the data files alone."""

    deletes: Sequence[DataFile]
    deletes_spec: Any

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        output = self.new_manifest_output()
        writer = _DeleteManifestWriter(self.deletes_spec, self.schema(), output, self.snapshot_id, self._compression)
        with writer:
            for file in self.deletes:
                writer.add(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED, snapshot_id=self.snapshot_id, data_file=file
                    )
                )
        return [*manifests, writer.to_manifest_file()]


class _DeleteManifestWriter(ManifestWriterV2):  # type: ignore[misc]
    """Writes a manifest of delete files with the fields of version 3, which deletion vectors need."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}

    def new_writer(self) -> AvroOutputFile[ManifestEntry]:
        schema = self._with_partition(3)
        return AvroOutputFile[ManifestEntry](
            output_file=self._output_file, file_schema=schema, record_schema=schema,
            schema_name="manifest_entry", metadata=self._meta,
        )  # fmt: skip
