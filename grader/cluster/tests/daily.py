"""The run of `daily` that several tests look at."""

from __future__ import annotations

import json
from typing import Any

from grader.cluster.commands import Kubectl
from grader.cluster.grading.live import plain
from grader.cluster.tests.until import until
from grader.cluster.workflows import Workflows
from pipelines.local.cron.conversion import CRON_LABEL

NOW = "daily-now"
PATIENCE = 1500.0


def fired(kubectl: Kubectl, workflows: Workflows) -> dict[str, Any]:
    """Have the CronWorkflow `daily` fire within the next minute, and not again; gives its workflow at its end."""

    def mine() -> list[dict[str, Any]]:
        return kubectl.items("workflows.argoproj.io", "-n", "batch", "-l", f"{CRON_LABEL}={NOW}")

    earlier = {each["metadata"]["name"] for each in mine()}
    cron = json.loads(kubectl("get", "cronworkflow.argoproj.io", "daily", "-n", "batch", "-o", "json"))
    soon = {**cron["spec"], "schedules": ["* * * * *"], "concurrencyPolicy": "Forbid"}
    kubectl.apply({**plain(cron), "metadata": {"name": NOW, "namespace": "batch"}, "spec": soon})
    made: list[dict[str, Any]] = []

    def seen() -> bool:
        made[:] = [each for each in mine() if each["metadata"]["name"] not in earlier]
        return bool(made)

    try:
        until("the CronWorkflow did not fire", seen)
    finally:
        kubectl("delete", "cronworkflow.argoproj.io", NOW, "-n", "batch", "--cascade=orphan", check=False)
    return workflows.follow(made[0]["metadata"]["name"], patience=PATIENCE)


def day_of(run: dict[str, Any]) -> str:
    """Give the logical date that the schedule's expression gave a run."""
    nodes = run["status"]["nodes"].values()
    values = {
        str(one["value"])
        for node in nodes
        for one in (node.get("inputs") or {}).get("parameters") or ()
        if one["name"] == "ds"
    }
    (found,) = values
    return found
