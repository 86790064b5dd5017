"""The pushed tree on a real cluster: what Flux made of it, and a day of the pipelines (`batchlab cluster up` first)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from grader.cluster import lake
from grader.cluster.commands import Kubectl
from grader.cluster.credentials import read
from grader.cluster.reach import forwarded
from grader.cluster.waiting import LAYERS, flux_states, pod_troubles
from grader.cluster.workflows import Workflows, told

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
DAY = "2013-03-10"
PLATFORM = ("argo", "spark-operator", "platform", "flux-system")
PATIENCE = 1500.0


@pytest.fixture(scope="session")
def ran(workflows: Workflows) -> dict[str, Any]:
    """Run a day of all pipelines, as the CronWorkflow would; gives the workflow."""
    return workflows.follow(workflows.start("daily", {"ds": DAY}), patience=PATIENCE)


def rows(catalog: Any, table: str, column: str = "flight_date") -> list[dict[str, Any]]:
    """Read a day of a table, in an order that content alone decides."""
    found = catalog.load_table(table).scan(row_filter=f"{column} == '{DAY}'").to_arrow().to_pylist()
    return sorted(found, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def sql(kubectl: Kubectl, query: str) -> str:
    """Ask the database that plays the airline's."""
    password = read(kubectl, "platform", "postgres-credentials")["STEPS_PASSWORD"]
    address = f"postgresql://batchlab:{password}@127.0.0.1/batchlab"
    return kubectl("exec", "-n", "platform", "postgres-0", "--", "psql", address, "-Atc", query).strip()


def received(kubectl: Kubectl, service: str) -> list[dict[str, Any]]:
    """List what a receiver recorded."""
    with forwarded(kubectl, "platform", service, 8080) as port:
        found: list[dict[str, Any]] = requests.get(f"http://127.0.0.1:{port}/deliveries", timeout=30).json()
    return found


def test_flux_made_everything(kubectl: Kubectl) -> None:
    """Every source, release and layer is Ready, and no pod has troubles."""
    states = flux_states(kubectl)
    assert [each for each in states if not each.ready] == []
    titles = {each.title for each in states}
    assert {f"Kustomization flux-system/{name}" for name in LAYERS} <= titles
    assert {"HelmRelease spark-operator/spark-operator", "HelmRelease batch/data-tier"} <= titles
    pods = [each for name in PLATFORM for each in kubectl.items("pods", "-n", name)]
    assert list(pod_troubles(pods)) == []


def test_the_platform_leaves_room(kubectl: Kubectl) -> None:
    """All its requests stay under one core; of its own pods none is root, none has a token of the API server."""
    total = 0
    for name in PLATFORM:
        for pod in kubectl.items("pods", "-n", name, "--field-selector=status.phase=Running"):
            for container in pod["spec"]["containers"]:
                request = str(((container.get("resources") or {}).get("requests") or {}).get("cpu", "0m"))
                total += int(request[:-1]) if request.endswith("m") else 1000 * int(request)
            if name == "platform":
                assert pod["spec"]["securityContext"]["runAsNonRoot"]
                assert "kube-api-access" not in json.dumps(pod["spec"]["volumes"])
    assert total < 1000


def test_the_source_is_loaded(kubectl: Kubectl) -> None:
    """Every flight of the year is in the operational database."""
    assert sql(kubectl, "SELECT count(*) FROM ops.flights WHERE delivery = 0") == "336776"


def test_the_smallest_workloads_ran(kubectl: Kubectl, workflows: Workflows) -> None:
    """The application and the workflow that Flux applied."""
    assert workflows.follow("hello", patience=300)["status"]["phase"] == "Succeeded"
    (application,) = kubectl.items("sparkapplications", "-n", "batch", "--field-selector=metadata.name=hello")
    assert application["status"]["applicationState"]["state"] == "COMPLETED"


def test_a_day_runs_through_all_pipelines(ran: dict[str, Any]) -> None:
    """Ingest, transform and publish succeed, with Spark through SparkApplications."""
    assert ran["status"]["phase"] == "Succeeded", told(ran)
    steps = {each["displayName"].partition("(")[0] for each in ran["status"]["nodes"].values() if each["type"] == "Pod"}
    assert {"extract", "validate", "write", "curate", "build", "audit", "read", "replace", "notify"} <= steps


def test_the_tables_hold_the_day(ran: dict[str, Any], catalog: Any, kubectl: Kubectl) -> None:
    """As many rows as the source has, and every commit says which node of which workflow made it."""
    expected = int(sql(kubectl, f"SELECT count(*) FROM ops.flights WHERE flight_date = '{DAY}'"))
    assert len(rows(catalog, "raw.flights")) == expected
    summary = catalog.load_table("raw.flights").current_snapshot().summary
    assert summary["batchlab.workflow"] == ran["metadata"]["name"]
    assert summary["batchlab.ds"] == DAY
    assert summary["batchlab.code"].startswith("batchlab/work:")


def test_lineage_comes_from_the_drivers(ran: dict[str, Any], kubectl: Kubectl) -> None:
    """Events of Spark and of Python steps, each with the workflow's node as its parent."""
    events = [each["body"] for each in received(kubectl, "lineage")]
    parents = {
        event["run"]["facets"]["parent"]["job"]["name"]
        for event in events
        if "parent" in event["run"].get("facets", {})
    }
    name = ran["metadata"]["name"]
    assert any(parent.startswith(f"{name}.") and ".extract" in parent for parent in parents)
    inputs = {one["name"] for event in events for one in event.get("inputs", [])}
    assert "batchlab.ops.flights" in inputs


def test_the_second_run_changes_nothing(
    ran: dict[str, Any], catalog: Any, kubectl: Kubectl, workflows: Workflows
) -> None:
    """The same day once more: the same rows in every table, and no second effect of the webhook."""
    before = {name: rows(catalog, name) for name in ("raw.flights", "curated.flights")}
    effects = [each for each in received(kubectl, "webhook") if each["effect"]]
    again = workflows.follow(workflows.start("daily", {"ds": DAY}), patience=PATIENCE)
    assert again["status"]["phase"] == "Succeeded", told(again)
    assert {name: rows(catalog, name) for name in before} == before
    assert [each for each in received(kubectl, "webhook") if each["effect"]] == effects
    assert effects


def test_steps_know_no_more_than_they_need(kubectl: Kubectl) -> None:
    """The Secret of the steps holds one login; those of the platform are in a namespace that steps cannot read."""
    assert set(read(kubectl, "batch", "lake-credentials")) == {"postgresUser", "postgresPassword"}
    account = "--as=system:serviceaccount:batch:spark"
    for verb, what, namespace in (
        ("get", "secrets", "platform"),
        ("get", "secrets", "batch"),
        ("create", "pods", "platform"),
    ):
        assert kubectl("auth", "can-i", verb, what, "-n", namespace, account, check=False).strip() == "no"


def test_tables_can_be_taken_away(ran: dict[str, Any], kubectl: Kubectl, tmp_path: Path) -> None:
    """What `down --export` writes: every table, with its rows."""
    from pyarrow import parquet

    files = {path.name: path for path in lake.export(kubectl, tmp_path / "tables", lambda _: None)}
    assert {"raw.flights.parquet", "curated.flights.parquet"} <= set(files)
    assert parquet.read_table(files["raw.flights.parquet"]).num_rows > 0
