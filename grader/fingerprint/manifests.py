"""Live files of a snapshot, as its manifests have them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from pyiceberg.avro.file import AvroFile
from pyiceberg.manifest import (
    MANIFEST_ENTRY_SCHEMAS,
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import VoidTransform
from pyiceberg.typedef import Record

from grader.fingerprint.relation import WHOLE
from pipelines.local.errors import BadInput

if TYPE_CHECKING:
    from grader.fingerprint.cache import DigestCache

_VERSION = 3
_EQUALITY_IDS, _TARGET, _OFFSET = 14, 17, 18
"""Places in a manifest's `data_file` of this version for which pyiceberg has no names."""

_FILE_PATH = 2147483546
"""Field id of the column of position deletes that names data files."""


@dataclass(frozen=True, kw_only=True)
class LiveFile:
    """A data file or a delete file that a snapshot has.

    Args:
        path: address as the manifest has it.
        content: `data`, `position_deletes` or `equality_deletes`.
        format: `PARQUET`, `ORC`, `AVRO` or `PUFFIN` (deletion vectors).
        partition: `flight_date=2013-01-03`, or `(all)`.
        place: partition spec and values, exactly.
        everywhere: the spec has no partitions, so equality deletes apply to files of every spec.
        records: rows of a data file, deletes of a delete file.
        size: bytes.
        sequence: number of the commit that added it.
        equality_ids: field ids by which equality deletes compare.
        target: the one data file that position deletes are about, where they say so.
        offset: where in its file a deletion vector starts.
    """

    path: str
    content: str
    format: str
    partition: str
    place: str
    everywhere: bool
    records: int
    size: int
    sequence: int
    equality_ids: tuple[int, ...] = ()
    target: str | None = None
    offset: int | None = None

    @property
    def address(self) -> str:
        """The path; of a deletion vector, with its place in the file."""
        return self.path if self.offset is None else f"{self.path}#{self.offset}"


def live_files(table: Table, snapshot: int, cache: DigestCache | None = None) -> Iterator[LiveFile]:
    """Read the manifests of a snapshot; those read before come from the cache, for a manifest never changes.

    Raises:
        BadInput: a file is encrypted.
    """
    found = table.snapshot_by_id(snapshot)
    manifests = found.manifests(table.io) if found is not None else []
    keys = {manifest: _key(manifest) for manifest in manifests}
    known = cache.manifests(keys.values()) if cache else {}
    fresh: dict[str, str] = {}
    for manifest, key in keys.items():
        if key in known:
            yield from _from_json(known[key])
            continue
        files = list(_read(table, manifest))
        fresh[key] = json.dumps([vars(file) for file in files])
        yield from files
    if cache and fresh:
        cache.put_manifests(fresh)


def _key(manifest: ManifestFile) -> str:
    text = f"{manifest.manifest_path}\n{manifest.manifest_length}\n{manifest.sequence_number}"
    return hashlib.sha256(text.encode()).hexdigest()


def _from_json(text: str) -> Iterator[LiveFile]:
    for one in json.loads(text):
        yield LiveFile(**{**one, "equality_ids": tuple(one["equality_ids"])})


def _read(table: Table, manifest: ManifestFile) -> Iterator[LiveFile]:
    """Read the files that are not marked as deleted; a sequence number left out is that of the manifest."""
    spec = table.specs()[manifest.partition_spec_id]
    name = _partition_name(spec, table.schema())
    with AvroFile[ManifestEntry](
        table.io.new_input(manifest.manifest_path),
        MANIFEST_ENTRY_SCHEMAS[_VERSION],
        read_types={-1: ManifestEntry, 2: DataFile},
        read_enums={0: ManifestEntryStatus, 101: FileFormat, 134: DataFileContent},
    ) as entries:
        for entry in entries:
            if entry.status == ManifestEntryStatus.DELETED:
                continue
            file = entry.data_file
            if file.key_metadata is not None:
                raise BadInput("the file is encrypted, which nothing here can read", where=file.file_path)
            sequence = manifest.sequence_number if entry.sequence_number is None else entry.sequence_number
            yield _live(file, spec, name(file.partition), sequence)


def _live(file: DataFile, spec: PartitionSpec, partition: str, sequence: int) -> LiveFile:
    return LiveFile(
        path=file.file_path,
        content=DataFileContent(file.content).name.lower(),
        format=FileFormat(file.file_format).name,
        partition=partition,
        place=f"{spec.spec_id} {file.partition}",
        everywhere=all(isinstance(field.transform, VoidTransform) for field in spec.fields),
        records=file.record_count,
        size=file.file_size_in_bytes,
        sequence=sequence,
        equality_ids=tuple(file[_EQUALITY_IDS] or ()),
        target=_target(file),
        offset=file[_OFFSET],
    )


def _target(file: DataFile) -> str | None:
    """The one data file of position deletes: named, or the smallest and largest address that they have."""
    if file[_TARGET] or file.content != DataFileContent.POSITION_DELETES:
        return file[_TARGET] or None
    least, most = ((bounds or {}).get(_FILE_PATH) for bounds in (file.lower_bounds, file.upper_bounds))
    return least.decode() if least and least == most else None


def _partition_name(spec: PartitionSpec, schema: Schema) -> Callable[[Record], str]:
    """Name partitions as Iceberg's paths do; pyiceberg's own way does the same work for every file."""
    types = [one.field_type for one in spec.partition_type(schema).fields]
    fields = [
        (quote_plus(one.name, safe=""), one.transform, kind) for one, kind in zip(spec.fields, types, strict=True)
    ]

    def name(values: Record) -> str:
        if not fields:
            return WHOLE
        texts = (transform.to_human_string(kind, values[at]) for at, (_, transform, kind) in enumerate(fields))
        return "/".join(f"{field[0]}={quote_plus(text, safe='')}" for field, text in zip(fields, texts, strict=True))

    return name
