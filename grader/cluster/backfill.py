"""A backfill on a cluster: one Workflow of a WorkflowTemplate for each date, several at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from grader.cluster.workflows import NAMESPACE, Workflows, told
from pipelines.local.cron.backfill import Backfill
from pipelines.local.cron.runs import Outcome
from pipelines.local.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class ClusterRuns:
    """The `Runs` of a backfill, carried out by Argo.

    Args:
        workflows: where.
        patience: seconds that one may take.
    """

    workflows: Workflows
    patience: float

    def run(self, workflow: Mapping[str, Any], *, name: str, scheduled_time: datetime) -> Outcome:  # noqa: ARG002
        """Create a workflow and wait for its end; one that takes too long goes on, and is told as it is."""
        try:
            self.workflows.create(workflow)
            found = self.workflows.follow(name, patience=self.patience)
        except BadInput as error:
            return Outcome(name=name, phase="Error", message=str(error))
        phase = str(found["status"]["phase"])
        return Outcome(name=name, phase=phase, message="" if phase == "Succeeded" else told(found))

    def terminate(self, name: str) -> None:
        """End a run at once."""
        self.workflows.terminate(name)

    def exists(self, name: str) -> bool:
        """Tell whether there is a run of this name."""
        try:
            self.workflows.get(name)
        except BadInput:
            return False
        return True


def backfill(workflows: Workflows, template: str, first: date, last: date, *, shuffle: int | None) -> Backfill:
    """Plan the runs of a WorkflowTemplate that is on the cluster.

    Args:
        workflows: the cluster's.
        template: its name; it must have a parameter `ds`.
        first: the first logical date.
        last: the last one, included.
        shuffle: seed of a random order.

    Raises:
        BadInput: the cluster has no such template, or it takes no `ds`.
    """
    there = {
        each["metadata"]["name"]: each
        for each in workflows.kubectl.items("workflowtemplates.argoproj.io", "-n", NAMESPACE)
    }
    if template not in there:
        raise BadInput(
            f"the cluster has no WorkflowTemplate {template}",
            where="TEMPLATE",
            remedy=f"it has: {', '.join(sorted(there))}",
        )
    parameters = (there[template]["spec"].get("arguments") or {}).get("parameters") or []
    if "ds" not in {one["name"] for one in parameters}:
        raise BadInput(f"WorkflowTemplate {template} has no parameter ds", where="TEMPLATE", remedy="name a pipeline")
    return Backfill(first=first, last=last, template=there[template], shuffle=shuffle)
