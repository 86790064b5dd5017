"""Spark applications of the cluster's workflows, while they run."""

from __future__ import annotations

from grader.cluster.commands import Kubectl
from grader.cluster.tests.until import until
from grader.cluster.workflows import Workflows


def pod(kubectl: Kubectl, workflow: str, role: str) -> str:
    """Name the running pod of a role (`driver`, `executor`) of a workflow's application; empty where there is none."""
    label = f"workflows.argoproj.io/workflow={workflow}"
    mine = {each["metadata"]["name"] for each in kubectl.items("sparkapplications", "-n", "batch", "-l", label)}
    running = ("-l", f"spark-role={role}", "--field-selector=status.phase=Running")
    for each in kubectl.items("pods", "-n", "batch", *running):
        if each["metadata"]["labels"].get("sparkoperator.k8s.io/app-name") in mine:
            return str(each["metadata"]["name"])
    return ""


def driver(kubectl: Kubectl, workflow: str) -> str:
    """Name the running driver of a workflow's application; empty where there is none."""
    return pod(kubectl, workflow, "driver")


def ingest(workflows: Workflows, kubectl: Kubectl, day: str) -> str:
    """Start an ingest, and wait until its driver runs; gives the workflow's name."""
    name = workflows.start("ingest", {"ds": day})
    until("no driver came up", lambda: bool(driver(kubectl, name)))
    return name
