"""Where checks get their evidence from: one interface, whatever the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from grader.fingerprint.digest import Digest
from grader.fingerprint.lake import Lake
from grader.lineage.view import Lineage
from grader.oracle.answers import Oracle


@dataclass(frozen=True, kw_only=True)
class TableState:
    """A table's content at one moment; `snapshot` is None for a table that has none."""

    snapshot: int | None
    partitions: Mapping[str, Digest]


State = Mapping[str, TableState]
"""Content of all tables at one moment, by full name; a table that did not exist is not in it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One workflow run of a play.

    Args:
        play: `first`, `second` or `replay`.
        ds: the day it was for.
        name: the workflow's name.
        document: the run as `batchlab run --json` prints it.
        before: content of the tables when it began.
        after: content of the tables when it ended.
    """

    play: str
    ds: date
    name: str
    document: Mapping[str, Any]
    before: State = field(repr=False)
    after: State = field(repr=False)

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


class Probe(Protocol):
    """Evidence about the pipelines of one target."""

    days: tuple[date, ...]
    lake: Lake

    def has(self, need: str) -> bool:
        """Say whether something is there: `plays`, `cluster`."""
        ...

    def oracle(self) -> Oracle:
        """The right answers for the days, from the source as it is now."""
        ...

    def runs(self) -> Sequence[Run]:
        """The runs, in the order they were made."""
        ...

    def log(self, workflow: str, node: str) -> str:
        """What a node printed; empty where it printed nothing."""
        ...

    def deliveries(self) -> Sequence[Delivery]:
        """All calls of the webhook, in order."""
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

    def plan(self, cron: str, first: date, last: date) -> Sequence[Planned]:
        """When a CronWorkflow would run, and for which day."""
        ...

    def attempts(self, strategy: Mapping[str, Any], exit_code: int) -> Sequence[Attempt]:
        """Attempts of a step that always ends with an exit code, under a retry strategy, on a virtual clock."""
        ...

    def conditions(self, status: Mapping[str, Any], success: str, failure: str) -> str:
        """What a resource step makes of an object's status: `succeeded`, `failed` or `waiting`."""
        ...

    def dbt_artifacts(self, run: Run) -> Path | None:
        """Folder with the `manifest.json` and `run_results.json` that a run's dbt step left."""
        ...
