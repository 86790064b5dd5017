"""The probe of the embedded platform."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.checks.manifests import ManifestProbe
from grader.checks.probe import Delivery, Installed, Run, SparkRun
from grader.data.states import BASE, LATE, oracle_filter
from grader.fingerprint.lake import Lake
from grader.lineage.gather import known_runs, traces
from grader.lineage.snapshots import Document
from grader.lineage.view import Lineage, read_lineage
from grader.oracle.answers import Oracle
from grader.oracle.tables import TABLES, TableSpec
from pipelines.local.engine import Engine
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

_APPLICATIONS = """
SELECT pods.run, pods.node, objects.document FROM objects JOIN pods
  ON pods.run = json_extract(objects.document, '$.run')
  AND json_extract(pods.document, '$.uid') = json_extract(objects.document, '$.pod')
WHERE objects.kind = 'SparkApplication' ORDER BY json_extract(objects.document, '$.object.metadata.creationTimestamp')
"""


@dataclass(kw_only=True)
class LocalProbe(ManifestProbe):
    """Evidence from a state directory.

    Args:
        state: whose.
        platform: its servers, running.
        days: the days that were played.
        made: the runs, in the order they were made.
        begun: when the first run began; older events and snapshots prove nothing about these runs.
        since: number of webhook calls that were there before.
        lake: its tables.
    """

    state: StateDir
    platform: Platform
    days: tuple[date, ...]
    made: Sequence[Run]
    begun: datetime
    since: int = 0
    lake: Lake = field(kw_only=True)
    _oracles: dict[str, Oracle] = field(default_factory=dict, repr=False)

    def has(self, need: str) -> bool:
        """A play is there if it was played, and a Flux tree if one was given; a cluster never is."""
        if need == "flux":
            return self.flux_root is not None
        return any(run.play == need for run in self.made)

    def tables(self) -> Sequence[TableSpec]:
        """All tables."""
        return TABLES

    def oracle(self, play: str) -> Oracle:
        """The answers, computed once for each state of the source: nothing is delivered while checks run."""
        state = self.source_of(play)
        if state not in self._oracles:
            self._oracles[state] = Oracle.of_source(
                self.lake.con, self.platform.endpoints.postgres_dsn, self.days,
                where=oracle_filter(state, self.days), schema=f"oracle_{state}",
            )  # fmt: skip
        return self._oracles[state]

    def source_of(self, play: str) -> str:
        """Name the state of the source that a play saw: late data comes before the replay."""
        return BASE if play in {"first", "second"} else LATE

    def rows(self, table: TableSpec, run: Run) -> str:
        """Read a table of the lake as it was; one of PostgreSQL as it is."""
        state = run.after.get(table.name)
        if state is None or not state.metadata or state.snapshot is None:
            return self.lake.rows(table.name)
        return self.lake.rows_of(state.metadata, state.snapshot)

    def runs(self) -> Sequence[Run]:
        """The runs."""
        return self.made

    def faults(self, play: str) -> Sequence[Run]:  # noqa: ARG002
        """None: no fault is injected here."""
        return ()

    def log(self, workflow: str, node: str) -> str:
        """Everything that a node wrote to its logs."""
        folder = self.state.steps / workflow / node
        logs = sorted(folder.rglob("*.log")) if folder.is_dir() else []
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)

    def deliveries(self, play: str = "") -> Sequence[Delivery]:  # noqa: ARG002
        """What the webhook receiver recorded."""
        from pipelines.local.platform.webhook import Deliveries

        found = Deliveries(self.platform.receiver.database).list()
        return [delivery(one, self.since) for one in found]

    @cached_property
    def _lineage(self) -> Lineage:
        return self.lineage_of(self.state.lineage)

    def lineage_of(self, events: Path) -> Lineage:
        """Read the events of a folder, and trace the snapshots of the tables."""
        runs: dict[str, Document] = {run.name: run.document for run in self.runs()}
        names = [table.name for table in self.tables() if table.in_lake]
        manifest = next(
            (found / "manifest.json" for run in reversed(self.runs()) if (found := self.dbt_artifacts(run))), None
        )
        known = {**runs, **known_runs(self.state)}  # what is stored also says a run's uid and template
        return read_lineage(events, known, traces(self.lake, names, known), manifest, self.begun, made=list(runs))

    def lineage(self) -> Lineage:
        """Events and snapshots, read once."""
        return self._lineage

    def spark_runs(self) -> Sequence[SparkRun]:
        """SparkApplications that the engine's store keeps."""
        return spark_runs(self.state, {run.name for run in self.runs()})

    def parameters(self) -> Sequence[Mapping[str, Any]]:
        """The objects that the platform gives to every workflow."""
        return self.platform.objects()

    def installed(self) -> Sequence[Installed]:
        """Nothing: there is no cluster."""
        return ()

    def dbt_artifacts(self, run: Run) -> Path | None:
        """Find what the run's dbt step left under its working folder."""
        found = sorted((self.state.steps / run.name).rglob("target/run_results.json"))
        return found[-1].parent if found else None


def delivery(one: Mapping[str, Any], since: int) -> Delivery:
    """Read what the webhook receiver recorded of a call; what came after number `since` is recent."""
    body = one["body"] if isinstance(one["body"], dict) else {}
    return Delivery(
        key=one["key"] or "",
        effect=one["effect"],
        ds=str(body.get("ds", "")),
        pipeline=str(body.get("pipeline", "")),
        recent=one["id"] > since,
    )


def spark_runs(state: StateDir, names: Collection[str]) -> list[SparkRun]:
    """Give the SparkApplications of some runs that the engine's store still keeps: each has a time to live."""
    rows = Engine(state).store.rows(_APPLICATIONS)
    return [_spark_run(node, json.loads(text)) for run, node, text in rows if run in names]


def _spark_run(node: str, record: Mapping[str, Any]) -> SparkRun:
    made = record["object"]
    return SparkRun(workflow=record["run"], node=node, name=made["metadata"]["name"], status=made.get("status") or {})
