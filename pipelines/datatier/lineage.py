"""OpenLineage events of steps that are not Spark."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.datatier.errors import BadParameter

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent, RunState
    from pyiceberg.table import Table as IcebergTable

NAMESPACE = "batchlab"
PRODUCER = "https://batchlab.invalid/datatier"


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset as OpenLineage names it.

    Args:
        namespace: where it is, such as `file`, `s3://lake`, `postgres://host:port`.
        name: its name there.
        columns: column → columns of inputs that it comes from, as (input, column).
        version: snapshot id, where it has one.
        alias: the catalog's name of a table that is named by its location.
    """

    namespace: str
    name: str
    columns: Mapping[str, Sequence[tuple[Dataset, str]]] = field(default_factory=dict)
    version: str = ""
    alias: str = ""


def iceberg_dataset(table: IcebergTable, name: str, snapshot: int | None, **more: Any) -> Dataset:
    """Name an Iceberg table as Spark's listener does: by its location."""
    place = urlsplit(table.location())
    namespace = f"{place.scheme}://{place.netloc}" if place.netloc else (place.scheme or "file")
    path = place.path if namespace == "file" else place.path.lstrip("/")
    return Dataset(namespace=namespace, name=path, alias=name, version=str(snapshot or ""), **more)


def postgres_dataset(table: str, environment: Mapping[str, str] | None = None, **more: Any) -> Dataset:
    """Name a PostgreSQL table as Spark's listener does."""
    env = os.environ if environment is None else environment
    namespace = f"postgres://{env.get('POSTGRES_HOST', '')}:{env.get('POSTGRES_PORT', '')}"
    return Dataset(namespace=namespace, name=f"{env.get('POSTGRES_DATABASE', '')}.{table}", **more)


@contextmanager
def emitting(job: str, environment: Mapping[str, str] | None = None) -> Iterator[Emitter]:
    """Emit START now and COMPLETE or FAIL at the end of a `with` block, as `OPENLINEAGE_*` says; else nothing.

    `OPENLINEAGE_TYPE` is `file` (events are appended to `OPENLINEAGE_LOCATION`), `http` (sent to `OPENLINEAGE_URL`) or
    empty; `OPENLINEAGE_PARENT_ID` is `namespace/job/run id` of the workflow node.

    Args:
        job: name of the job, such as `publish.replace`.
        environment: default: the process's.
    """
    emitter = Emitter(job, os.environ if environment is None else environment)
    emitter.emit("START")
    try:
        yield emitter
    except BaseException:
        emitter.emit("FAIL")
        raise
    emitter.emit("COMPLETE")


class Emitter:
    """One run of one job: collects its inputs and outputs, and sends its events."""

    def __init__(self, job: str, environment: Mapping[str, str]) -> None:
        self.job = job
        self.run = str(uuid.uuid4())
        self.inputs: list[Dataset] = []
        self.outputs: list[Dataset] = []
        self._parent = environment.get("OPENLINEAGE_PARENT_ID", "")
        self._client = _client(environment)

    def emit(self, state: str) -> None:
        """Send an event with what is known by now."""
        if self._client is not None:
            from openlineage.client.event_v2 import RunState

            self._client.emit(self._event(RunState[state]))

    def _event(self, state: RunState) -> RunEvent:
        from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent
        from openlineage.client.facet_v2 import parent_run

        facets: dict[str, Any] = {}
        if self._parent.count("/") >= 2:
            namespace, _, rest = self._parent.partition("/")
            name, _, run = rest.rpartition("/")
            facets["parent"] = parent_run.ParentRunFacet(
                run=parent_run.Run(runId=run), job=parent_run.Job(namespace=namespace, name=name)
            )
        return RunEvent(
            eventType=state,
            eventTime=datetime.now(timezone.utc).isoformat(),
            run=Run(runId=self.run, facets=facets),
            job=Job(namespace=NAMESPACE, name=self.job),
            inputs=[InputDataset(namespace=d.namespace, name=d.name, facets=_facets(d)) for d in self.inputs],
            outputs=[OutputDataset(namespace=d.namespace, name=d.name, facets=_facets(d)) for d in self.outputs],
            producer=PRODUCER,
        )


def _facets(dataset: Dataset) -> dict[str, Any]:
    from openlineage.client.facet_v2 import column_lineage_dataset, dataset_version_dataset, symlinks_dataset

    facets: dict[str, Any] = {}
    if dataset.version:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=dataset.version)
    if dataset.alias:
        known = symlinks_dataset.Identifier(namespace=dataset.namespace, name=dataset.alias, type="TABLE")
        facets["symlinks"] = symlinks_dataset.SymlinksDatasetFacet(identifiers=[known])
    if dataset.columns:
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={
                column: column_lineage_dataset.Fields(
                    inputFields=[
                        column_lineage_dataset.InputField(namespace=source.namespace, name=source.name, field=name)
                        for source, name in origins
                    ]
                )
                for column, origins in dataset.columns.items()
            }
        )
    return facets


def _client(environment: Mapping[str, str]) -> OpenLineageClient | None:
    kind = environment.get("OPENLINEAGE_TYPE", "")
    if not kind:
        return None
    from openlineage.client import OpenLineageClient

    if kind == "file":
        from openlineage.client.transport.file import FileConfig, FileTransport

        path = environment.get("OPENLINEAGE_LOCATION", "")
        return OpenLineageClient(transport=FileTransport(FileConfig(log_file_path=path, append=True)))
    if kind == "http":
        from openlineage.client.transport.http import HttpConfig, HttpTransport

        return OpenLineageClient(transport=HttpTransport(HttpConfig(url=environment.get("OPENLINEAGE_URL", ""))))
    raise BadParameter("OPENLINEAGE_TYPE", f"is '{kind}'; ConfigMap lake's openlineageType may be file or http")
