"""The probe of the embedded platform."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.checks.probe import Attempt, Delivery, Planned, Run, SparkRun
from grader.fingerprint.lake import Lake
from grader.lineage.gather import known_runs, traces
from grader.lineage.snapshots import Document
from grader.lineage.view import Lineage, read_lineage
from grader.oracle.answers import Oracle
from grader.oracle.tables import TABLES
from pipelines.local.cron import Schedule
from pipelines.local.cron.logical import Logical
from pipelines.local.engine import Engine, VirtualClock
from pipelines.local.lang import Lang
from pipelines.local.manifest import Documents
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

MOST_ATTEMPTS = 25
"""A strategy without a limit is cut here."""
_APPLICATIONS = """
SELECT pods.run, pods.node, objects.document FROM objects JOIN pods
  ON pods.run = json_extract(objects.document, '$.run')
  AND json_extract(pods.document, '$.uid') = json_extract(objects.document, '$.pod')
WHERE objects.kind = 'SparkApplication' ORDER BY json_extract(objects.document, '$.object.metadata.creationTimestamp')
"""
_MOMENT = datetime.fromisoformat("2013-03-10T00:00:00+00:00")


@dataclass(kw_only=True)
class LocalProbe:
    """Evidence from a state directory.

    Args:
        state: whose.
        platform: its servers, running.
        documents: the pipelines' manifests.
        days: the days that were played.
        made: the runs, in the order they were made.
        begun: when the first run began; older events and snapshots prove nothing about these runs.
        since: number of webhook calls that were there before.
        lake: its tables.
    """

    state: StateDir
    platform: Platform
    documents: Documents
    days: tuple[date, ...]
    made: Sequence[Run]
    begun: datetime
    since: int = 0
    lake: Lake = field(kw_only=True)

    def has(self, need: str) -> bool:
        """Runs are there if some were made; a cluster never is."""
        return need == "plays" and bool(self.made)

    @cached_property
    def _oracle(self) -> Oracle:
        return Oracle.of_source(self.lake.con, self.platform.endpoints.postgres_dsn, self.days)

    def oracle(self) -> Oracle:
        """The answers, computed once: nothing is delivered while checks run."""
        return self._oracle

    def runs(self) -> Sequence[Run]:
        """The runs."""
        return self.made

    def log(self, workflow: str, node: str) -> str:
        """Everything that a node wrote to its logs."""
        folder = self.state.steps / workflow / node
        logs = sorted(folder.rglob("*.log")) if folder.is_dir() else []
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)

    def deliveries(self) -> Sequence[Delivery]:
        """What the webhook receiver recorded."""
        from pipelines.local.platform.webhook import Deliveries

        found = Deliveries(self.platform.receiver.database).list()
        return [_delivery(one, self.since) for one in found]

    @cached_property
    def _lineage(self) -> Lineage:
        runs: dict[str, Document] = {run.name: run.document for run in self.made}
        names = [table.name for table in TABLES if table.in_lake]
        manifest = next(
            (found / "manifest.json" for run in reversed(self.made) if (found := self.dbt_artifacts(run))), None
        )
        known = {**known_runs(self.state), **runs}
        return read_lineage(self.state.lineage, known, traces(self.lake, names, known), manifest, self.begun)

    def lineage(self) -> Lineage:
        """Events and snapshots, read once."""
        return self._lineage

    def templates(self) -> Sequence[Mapping[str, Any]]:
        """The WorkflowTemplates."""
        return list(self.documents.templates.values())

    def crons(self) -> Sequence[Mapping[str, Any]]:
        """The CronWorkflows."""
        return self.documents.crons

    def spark_runs(self) -> Sequence[SparkRun]:
        """SparkApplications that the engine's store keeps."""
        rows = Engine(self.state).store.rows(_APPLICATIONS)
        names = {run.name for run in self.made}
        return [_spark_run(node, json.loads(text)) for run, node, text in rows if run in names]

    def plan(self, cron: str, first: date, last: date) -> Sequence[Planned]:
        """Ask the schedule for its times, and the manifest's own expression for the day of each."""
        body = next(one for one in self.documents.crons if one["metadata"]["name"] == cron)
        lang = Lang.shared()
        objects = [*self.documents.configmaps, *self.platform.objects()]
        logical = Logical(cron=body, templates=self.documents.templates, objects=objects, lang=lang)
        times = Schedule.of(body["spec"]).days(first, last, lang)
        return [Planned(scheduled=at, ds=logical.ds(at) or "") for at in times]

    def attempts(self, strategy: Mapping[str, Any], exit_code: int) -> Sequence[Attempt]:
        """Run a step that fails, in a state directory of its own, on a clock that jumps over the waits."""
        limit = str(strategy.get("limit", ""))
        cut = strategy if limit.isdigit() and int(limit) < MOST_ATTEMPTS else {**strategy, "limit": str(MOST_ATTEMPTS)}
        step = {
            "name": "fail",
            "retryStrategy": cut,
            "container": {"image": "busybox", "command": ["sh", "-c"], "args": [f"exit {exit_code}"]},
        }
        workflow = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "retry"},
            "spec": {"entrypoint": "fail", "templates": [step]},
        }
        with tempfile.TemporaryDirectory(prefix="batchlab-retry-") as folder:
            engine = Engine(StateDir(root=Path(folder) / "state"), clock=VirtualClock(_MOMENT))
            try:
                return attempts_of(engine.run(workflow).document)
            finally:
                engine.close()

    def conditions(self, status: Mapping[str, Any], success: str, failure: str) -> str:
        """Judge a status as Argo does."""
        succeeded, failed = Lang.shared().conditions({"status": status}, success, failure)
        return "failed" if failed else "succeeded" if succeeded else "waiting"

    def dbt_artifacts(self, run: Run) -> Path | None:
        """Find what the run's dbt step left under its working folder."""
        found = sorted((self.state.steps / run.name).rglob("target/run_results.json"))
        return found[-1].parent if found else None


def _delivery(one: Mapping[str, Any], since: int) -> Delivery:
    body = one["body"] if isinstance(one["body"], dict) else {}
    return Delivery(
        key=one["key"] or "",
        effect=one["effect"],
        ds=str(body.get("ds", "")),
        pipeline=str(body.get("pipeline", "")),
        recent=one["id"] > since,
    )


def attempts_of(document: Mapping[str, Any]) -> list[Attempt]:
    """Read the attempts of a workflow of one step from its nodes, oldest first."""
    pods = [node for node in document["nodes"].values() if node.get("type") == "Pod"]
    times = sorted((_moment(node["startedAt"]), _moment(node["finishedAt"]), str(node["phase"])) for node in pods)
    return [
        Attempt(
            started=(start - times[0][0]).total_seconds(), finished=(end - times[0][0]).total_seconds(), phase=phase
        )
        for start, end, phase in times
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _spark_run(node: str, record: Mapping[str, Any]) -> SparkRun:
    made = record["object"]
    return SparkRun(workflow=record["run"], node=node, name=made["metadata"]["name"], status=made.get("status") or {})
