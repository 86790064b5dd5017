"""The pushed tree on a real cluster: what Flux made of it, and a day of the pipelines (`batchlab cluster up` first)."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from grader.cluster import lake, place
from grader.cluster.commands import Kubectl
from grader.cluster.credentials import read
from grader.cluster.images import push_code
from grader.cluster.reach import forwarded
from grader.cluster.registry import Registry
from grader.cluster.tests.daily import day_of
from grader.cluster.tests.until import until
from grader.cluster.tree import year_shift
from grader.cluster.waiting import LAYERS, flux_states, pod_troubles
from grader.cluster.workflows import Workflows, told
from grader.submission import reference
from pipelines.local.cron.conversion import TIME_ANNOTATION
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
PLATFORM = ("argo", "spark-operator", "platform", "flux-system")


def rows(catalog: Any, table: str, day: str) -> list[dict[str, Any]]:
    """Read a day of a table."""
    found = catalog.load_table(table).scan(row_filter=f"flight_date == '{day}'").to_arrow()
    return list(found.to_pylist())


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

    def completed() -> bool:  # an image that was pushed since has the operator run it again
        (one,) = kubectl.items("sparkapplications", "-n", "batch", "--field-selector=metadata.name=hello")
        return bool(one["status"]["applicationState"]["state"] == "COMPLETED")

    until("application hello did not complete", completed)


def test_a_day_runs_through_all_pipelines(ran: dict[str, Any]) -> None:
    """Ingest, transform and publish succeed, with Spark through SparkApplications."""
    assert ran["status"]["phase"] == "Succeeded", told(ran)
    steps = {each["displayName"].partition("(")[0] for each in ran["status"]["nodes"].values() if each["type"] == "Pod"}
    assert {"extract", "validate", "write", "curate", "build", "audit", "read", "replace", "notify"} <= steps


def test_the_logical_date_is_yesterday_in_new_york(ran: dict[str, Any]) -> None:
    """The schedule's own expression: the day before the one on which it fired, in the data's year."""
    fired = datetime.fromisoformat(ran["metadata"]["annotations"][TIME_ANNOTATION])
    local = fired.astimezone(ZoneInfo("America/New_York")).date()
    shifted = local.replace(year=local.year + int(year_shift(fired))) - timedelta(days=1)
    assert day_of(ran) == str(shifted)


def test_the_tables_hold_the_day(ran: dict[str, Any], catalog: Any, kubectl: Kubectl) -> None:
    """As many rows as the source has, and every commit says which node of which workflow made it."""
    day = day_of(ran)
    expected = int(sql(kubectl, f"SELECT count(*) FROM ops.flights WHERE flight_date = '{day}'"))
    assert len(rows(catalog, "raw.flights", day)) == expected
    assert len(rows(catalog, "curated.flights", day)) == expected
    assert int(sql(kubectl, f"SELECT sum(scheduled_flights) FROM reporting.carrier_daily WHERE flight_date = '{day}'"))
    summary = catalog.load_table("raw.flights").current_snapshot().summary
    assert summary["batchlab.workflow"] == ran["metadata"]["name"]
    assert summary["batchlab.ds"] == day
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


def test_finished_jobs_are_in_sparks_history(ran: dict[str, Any], kubectl: Kubectl) -> None:
    """Every application of the day left its event log, with its jobs, where the history server reads it."""
    label = f"workflows.argoproj.io/workflow={ran['metadata']['name']}"
    mine = {each["metadata"]["name"] for each in kubectl.items("sparkapplications", "-n", "batch", "-l", label)}
    assert mine
    with forwarded(kubectl, "batch", "spark-history", 18080) as port:
        address = f"http://127.0.0.1:{port}/api/v1/applications"

        def listed() -> dict[str, str]:
            found = requests.get(address, params={"status": "completed"}, timeout=60).json()
            return {each["name"]: each["id"] for each in found if each["name"] in mine}

        until("not every application is in the history", lambda: set(listed()) == mine, patience=60)
        for each in listed().values():
            jobs = requests.get(f"{address}/{each}/jobs", timeout=60).json()
            assert {job["status"] for job in jobs} == {"SUCCEEDED"}


def test_two_versions_of_the_code_run_side_by_side(kubectl: Kubectl, workflows: Workflows, tmp_path: Path) -> None:
    """Each hash is an image of its own: what runs with the one before goes on with it."""
    registry, folders = Registry(address=place.load(StateDir.locate()).push), reference().folders()
    changed = tmp_path / "ingest"
    shutil.copytree(folders["ingest"], changed)
    (changed / "version.txt").write_text("changed\n")
    images = [push_code(registry, folders), push_code(registry, {**folders, "ingest": changed})]
    assert images[0] != images[1]
    running = [workflows.create(sight_of_code(image)) for image in images]
    done = [workflows.follow(name, patience=600) for name in running]
    pods = [each for run in done for each in run["status"]["nodes"].values() if each["type"] == "Pod"]
    seen = [each["outputs"]["parameters"][0]["value"] for each in pods]
    assert seen == ["reference", "changed"], [told(run) for run in done]


def sight_of_code(image: str) -> dict[str, Any]:
    """Make a workflow that tells which code its image has."""
    source = (
        "from pathlib import Path\n"
        "import pipelines.ingest\n"
        "file = Path(pipelines.ingest.__file__).parent / 'version.txt'\n"
        "Path('/tmp/code').write_text(file.read_text().strip() if file.exists() else 'reference')\n"
    )
    template = {
        "name": "main",
        "script": {"image": image, "command": ["python3"], "source": source},
        "outputs": {"parameters": [{"name": "code", "valueFrom": {"path": "/tmp/code"}}]},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "sight-"},
        "spec": {"entrypoint": "main", "serviceAccountName": "workflow", "templates": [template]},
    }


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
