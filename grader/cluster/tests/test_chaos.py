"""What breaks on a cluster while a day is ingested: the pipeline ends well, and the table holds the day once."""

from __future__ import annotations

from typing import Any

import pytest

from grader.cluster import lake
from grader.cluster.commands import Kubectl
from grader.cluster.tests.spark import ingest, pod
from grader.cluster.tests.until import until
from grader.cluster.workflows import Workflows, told

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]
PATIENCE = 1200.0


def kill(kubectl: Kubectl, namespace: str, *words: str) -> None:
    """End pods without a word."""
    kubectl("delete", "pods", "-n", namespace, *words, "--grace-period=0", "--force", "--wait=false")


def rows(catalog: Any, day: str) -> int:
    """Count a day's rows of `raw.flights`."""
    return int(catalog.load_table("raw.flights").scan(row_filter=f"flight_date == '{day}'").to_arrow().num_rows)


@pytest.fixture(scope="module")
def lost(workflows: Workflows, kubectl: Kubectl) -> dict[str, dict[str, Any]]:
    """Ingest two days at once; one loses its driver, the other its executor. Gives both workflows at their ends."""
    runs = {"driver": ingest(workflows, kubectl, "2013-03-11"), "executor": ingest(workflows, kubectl, "2013-03-15")}
    for role, name in runs.items():
        until(f"no {role} came up", lambda name=name, role=role: bool(pod(kubectl, name, role)))  # type: ignore[misc]
        kill(kubectl, "batch", pod(kubectl, name, role))
    return {role: workflows.follow(name, patience=PATIENCE) for role, name in runs.items()}


def extracts(run: dict[str, Any]) -> list[str]:
    """Give the phases of the Spark step's attempts."""
    return sorted(
        each["phase"] for each in run["status"]["nodes"].values() if each["displayName"].startswith("extract(")
    )


def test_a_lost_driver_is_replaced(lost: dict[str, dict[str, Any]], catalog: Any) -> None:
    """The step is retried with an application of another name, and nothing is there twice."""
    assert lost["driver"]["status"]["phase"] == "Succeeded", told(lost["driver"])
    assert extracts(lost["driver"]) == ["Failed", "Succeeded"]
    assert rows(catalog, "2013-03-11") == 980


def test_a_lost_executor_is_replaced(lost: dict[str, dict[str, Any]], catalog: Any) -> None:
    """The driver asks for another one; the step does not notice."""
    assert lost["executor"]["status"]["phase"] == "Succeeded", told(lost["executor"])
    assert extracts(lost["executor"]) == ["Succeeded"]
    assert rows(catalog, "2013-03-15") == 979


def test_controllers_come_back(workflows: Workflows, kubectl: Kubectl, catalog: Any) -> None:
    """Argo's controller and the Spark Operator die while a driver runs; the run goes on where it was."""
    name = ingest(workflows, kubectl, "2013-03-12")
    kill(kubectl, "argo", "-l", "app=workflow-controller")
    kill(kubectl, "spark-operator", "--all")
    done = workflows.follow(name, patience=PATIENCE)
    assert done["status"]["phase"] == "Succeeded", told(done)
    assert rows(catalog, "2013-03-12") == 966


def test_the_platform_comes_back(workflows: Workflows, kubectl: Kubectl, catalog: Any) -> None:
    """Object store, database and catalog die while a driver runs: tables are as before, and the day is there once."""
    before = rows(catalog, "2013-03-12")
    name = ingest(workflows, kubectl, "2013-03-13")
    kill(kubectl, "platform", "store-0", "postgres-0")
    kill(kubectl, "platform", "-l", "app.kubernetes.io/name=catalog")
    done = workflows.follow(name, patience=PATIENCE)
    assert done["status"]["phase"] == "Succeeded", told(done)
    with lake.catalog(kubectl) as again:  # what was forwarded before led to pods that are gone
        assert rows(again, "2013-03-12") == before
        assert rows(again, "2013-03-13") == 974
