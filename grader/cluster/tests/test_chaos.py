"""What breaks on a cluster while a day is ingested: the pipeline ends well, and the table holds the day once."""

from __future__ import annotations

from typing import Any

import pytest

from grader.cluster import lake
from grader.cluster.commands import Kubectl
from grader.cluster.tests.spark import driver, ingest, pod
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


def test_a_lost_driver_is_replaced(workflows: Workflows, kubectl: Kubectl, catalog: Any) -> None:
    """The step is retried with an application of another name, and nothing is there twice."""
    name = ingest(workflows, kubectl, "2013-03-11")
    kill(kubectl, "batch", driver(kubectl, name))
    done = workflows.follow(name, patience=PATIENCE)
    assert done["status"]["phase"] == "Succeeded", told(done)
    attempts = [each for each in done["status"]["nodes"].values() if each["displayName"].startswith("extract(")]
    assert sorted(each["phase"] for each in attempts) == ["Failed", "Succeeded"]
    assert rows(catalog, "2013-03-11") == 980


def test_a_lost_executor_is_replaced(workflows: Workflows, kubectl: Kubectl, catalog: Any) -> None:
    """The driver asks for another one; the step does not notice."""
    name = ingest(workflows, kubectl, "2013-03-15")
    until("no executor came up", lambda: bool(pod(kubectl, name, "executor")))
    kill(kubectl, "batch", pod(kubectl, name, "executor"))
    done = workflows.follow(name, patience=PATIENCE)
    assert done["status"]["phase"] == "Succeeded", told(done)
    attempts = [each for each in done["status"]["nodes"].values() if each["displayName"].startswith("extract(")]
    assert [each["phase"] for each in attempts] == ["Succeeded"]
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
