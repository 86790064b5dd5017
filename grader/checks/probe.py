"""Where checks get their evidence from: one interface, whatever the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from grader.fingerprint.digest import Digest
from grader.fingerprint.lake import Lake
from grader.lineage.view import Lineage
from grader.oracle.answers import Oracle
from grader.oracle.tables import TableSpec


@dataclass(frozen=True, kw_only=True)
class TableState:
    """A table's content at one moment.

    Args:
        snapshot: its snapshot; None for a table that has none.
        partitions: digests by partition.
        metadata: location of an Iceberg table's metadata file: the table as it was, whatever happens to its name.
    """

    snapshot: int | None
    partitions: Mapping[str, Digest]
    metadata: str = ""


DAILY = "daily"
"""The workflow that runs all pipelines of a day."""

State = Mapping[str, TableState]
"""Content of all tables at one moment, by full name; a table that did not exist is not in it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One workflow run of a play.

    Args:
        play: `first`, `second`, `replay`…: see `grader.grading.plays`.
        ds: the day it was for.
        name: the workflow's name.
        document: the run as `batchlab run --json` prints it.
        before: content of the tables when it began, or the runs beside it did.
        after: content of the tables when it ended, and the runs beside it had.
        pipeline: which one; `daily` is all of them.
        beside: days of the runs that ran at the same time.
        facts: what else was seen of it: `killed`, `announced`…
    """

    play: str
    ds: date
    name: str
    document: Mapping[str, Any]
    before: State = field(repr=False)
    after: State = field(repr=False)
    pipeline: str = DAILY
    beside: tuple[date, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def writes(self, table: TableSpec) -> bool:
        """Whether a table is one that the run's pipeline writes."""
        return self.pipeline in {DAILY, table.pipeline}

    @property
    def days(self) -> frozenset[date]:
        """The days whose partitions may differ between `before` and `after`."""
        return frozenset((self.ds, *self.beside))

    @property
    def phase(self) -> str:
        """Succeeded, Failed or Error."""
        return str(self.document.get("phase", ""))

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        """Its nodes, as Argo has them."""
        return list((self.document.get("nodes") or {}).values())


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One call of the webhook.

    Args:
        key: its idempotency key; empty where it had none.
        effect: whether the receiver acted on it.
        ds: the day that its body names.
        pipeline: the pipeline that its body names.
        recent: whether it came after the runs began.
    """

    key: str
    effect: bool
    ds: str
    pipeline: str = "publish"
    recent: bool = True


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt of a step, in seconds from the first one's start."""

    started: float
    finished: float
    phase: str


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run that a schedule plans."""

    scheduled: datetime
    ds: str


@dataclass(frozen=True, kw_only=True)
class SparkRun:
    """A SparkApplication object as it was left: the node that made it, its name and its status."""

    workflow: str
    node: str
    name: str
    status: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An object of a cluster's platform.

    Args:
        kind: of Flux, `CustomResourceDefinition` or `Deployment`.
        namespace: empty for one of the whole cluster.
        name: its name.
        ready: whether it is what its manifest says, now.
        message: what its status says.
        images: of a Deployment's containers.
        by: who applied it, of Flux's objects: `HelmRelease argo/argo-workflows`; empty for anyone else.
    """

    kind: str
    namespace: str
    name: str
    ready: bool
    message: str = ""
    images: tuple[str, ...] = ()
    by: str = ""

    @property
    def title(self) -> str:
        """Kind, namespace and name."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Probe(Protocol):
    """Evidence about the pipelines of one target."""

    days: tuple[date, ...]
    lake: Lake

    def has(self, need: str) -> bool:
        """Say whether something is there: `plays`, `cluster`."""
        ...

    def tables(self) -> Sequence[TableSpec]:
        """The tables that are judged: all of the specification, or those of the pipelines that are graded."""
        ...

    def oracle(self, play: str) -> Oracle:
        """The right answers for the days, from the source as it was in a play."""
        ...

    def rows(self, table: TableSpec, run: Run) -> str:
        """SQL source of a table's rows as they were when a run had ended, for the connection of `lake`."""
        ...

    def runs(self) -> Sequence[Run]:
        """The runs that must succeed, in the order they were made."""
        ...

    def faults(self, play: str) -> Sequence[Run]:
        """The runs of a play that injects a fault: `bad`, `parameter`, `gate`, `flaky`, `crash`."""
        ...

    def log(self, workflow: str, node: str) -> str:
        """What a node printed; empty where it printed nothing."""
        ...

    def deliveries(self, play: str = "") -> Sequence[Delivery]:
        """The calls of the webhook up to the end of a play, in order; of the runs that must succeed by default."""
        ...

    def lineage(self) -> Lineage:
        """Edges, and the origin of every snapshot."""
        ...

    def templates(self) -> Sequence[Mapping[str, Any]]:
        """The WorkflowTemplates, as applied."""
        ...

    def crons(self) -> Sequence[Mapping[str, Any]]:
        """The CronWorkflows, as applied."""
        ...

    def spark_runs(self) -> Sequence[SparkRun]:
        """SparkApplications that the runs created."""
        ...

    def plan(self, cron: str, first: date, last: date, *, delay: timedelta = timedelta()) -> Sequence[Planned]:
        """When a CronWorkflow would run, and for which day, if each run really started so much after it was due."""
        ...

    def attempts(self, strategy: Mapping[str, Any], exit_code: int) -> Sequence[Attempt]:
        """Attempts of a step that always ends with an exit code, under a retry strategy, on a virtual clock."""
        ...

    def conditions(self, status: Mapping[str, Any], success: str, failure: str) -> str:
        """What a resource step makes of an object's status: `succeeded`, `failed` or `waiting`."""
        ...

    def flux(self) -> Path:
        """Folder of the Flux tree that is graded; there if `has("flux")`."""
        ...

    def hello_runs(self) -> Sequence[Run]:
        """Runs of the tree's own small workloads, play `hello`: those of `grader.flux.hello_workflows`, by their names.

        One that was refused has the phase `Error`, and a message: `not started: `, and why.
        """
        ...

    def installed(self) -> Sequence[Installed]:
        """What a cluster's platform is made of, as it is now; there if `has("cluster")`."""
        ...

    def dbt_artifacts(self, run: Run) -> Path | None:
        """Folder with the `manifest.json` and `run_results.json` that a run's dbt step left."""
        ...
