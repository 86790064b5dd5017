"""What is the same on every target: what manifests tell of templates, schedules, retries, conditions, and a tree."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from grader.checks.probe import Attempt, Planned, Run
from pipelines.local.cron import Schedule
from pipelines.local.cron.logical import Logical
from pipelines.local.engine import Engine, VirtualClock
from pipelines.local.lang import Lang
from pipelines.local.manifest import Documents
from pipelines.local.state import StateDir

MOST_ATTEMPTS = 25
"""A strategy without a limit is cut here."""
_MOMENT = datetime.fromisoformat("2013-03-10T00:00:00+00:00")


@dataclass(kw_only=True)
class ManifestProbe:
    """The part of a probe that looks at manifests.

    Args:
        documents: the pipelines' manifests.
        flux_root: folder of the Flux tree that is graded; None for none.
        hello: runs of the small workloads of that tree.
    """

    documents: Documents
    flux_root: Path | None = None
    hello: Sequence[Run] = ()

    def templates(self) -> Sequence[Mapping[str, Any]]:
        """The WorkflowTemplates."""
        return list(self.documents.templates.values())

    def crons(self) -> Sequence[Mapping[str, Any]]:
        """The CronWorkflows."""
        return self.documents.crons

    def plan(self, cron: str, first: date, last: date, *, delay: timedelta = timedelta()) -> Sequence[Planned]:
        """Ask the schedule for its times, and the manifest's own expression for the day of each."""
        body = next(one for one in self.documents.crons if one["metadata"]["name"] == cron)
        lang = Lang.shared()
        objects = [*self.documents.configmaps, *self.parameters()]
        logical = Logical(cron=body, templates=self.documents.templates, objects=objects, lang=lang)
        times = Schedule.of(body["spec"]).days(first, last, lang)
        return [Planned(scheduled=at, ds=logical.ds(at, created=at + delay) or "") for at in times]

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

    def flux(self) -> Path:
        """The tree that was given."""
        if self.flux_root is None:
            raise LookupError("no Flux tree was given")
        return self.flux_root

    def hello_runs(self) -> Sequence[Run]:
        """The runs that were given with it."""
        return self.hello

    def parameters(self) -> Sequence[Mapping[str, Any]]:
        """ConfigMaps and Secrets that parameters come from, beside those of the manifests."""
        return ()


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
