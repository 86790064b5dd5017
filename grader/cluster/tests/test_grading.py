"""The reference graded on a cluster: ten verdicts from live objects, and a cluster that is as it was before."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import psycopg
import pytest
import requests

from grader.cluster.commands import Kubectl
from grader.cluster.grading.grade import ClusterGrading
from grader.cluster.grading.site import site
from grader.cluster.place import load
from grader.cluster.reach import forwarded
from grader.demo.display import Display
from grader.grading.grade import Graded
from grader.submission import reference
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3000)]


def seen() -> dict[str, Any]:
    """Give where every table stands, and what reports and source hold."""
    state = StateDir.locate()
    with site(load(state), state) as here:
        catalog = here.lake.catalog
        names = [name for space in catalog.list_namespaces() for name in catalog.list_tables(space)]
        with psycopg.connect(here.lake.dsn) as pg:
            digest = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
            tables = pg.execute(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables "
                "WHERE table_schema IN ('reporting', 'ops') AND table_type = 'BASE TABLE' ORDER BY 1"
            ).fetchall()
            held = {name: pg.execute(digest.format(name)).fetchall() for (name,) in tables}
        lake = {".".join(name): catalog.load_table(name).metadata_location for name in names}
    return {"lake": lake, "postgres": held}


@pytest.fixture(scope="module")
def graded(kubectl: Kubectl) -> tuple[Graded, dict[str, Any], dict[str, Any]]:
    """Grade the last day; gives the verdict, and what was there before and after."""
    state = StateDir.locate()
    assert kubectl
    before = seen()
    with closing(Display(state.logs / "grade-cluster.log")) as display:
        grading = ClusterGrading(state=state, place=load(state), display=display, days=1)
        with grading.graded(reference()) as found:
            result = found
    return result, before, seen()


def test_ten_verdicts(graded: Any) -> None:
    """Every item is judged on the cluster, and the reference passes."""
    document = graded[0].document
    bad = {
        check["id"]: check["rationale"]
        for item in document["items"].values()
        for check in item["checks"]
        if check["outcome"] != "pass"
    }
    assert bad == {}
    assert [f"M{number:02}" for number in range(1, 11)] == list(document["items"])
    assert document["target"] == "cluster"
    assert document["score"] == document["max_score"]


def test_every_run_has_a_page(graded: Any) -> None:
    """The verdict leads to the runs in Argo's own view."""
    runs = graded[0].document["runs"]
    assert {one["play"] for one in runs} >= {"first", "second", "replay", "parameter", "bad"}
    assert all(one["url"].endswith(f"/workflows/batch/{one['name']}") for one in runs)


def test_argo_server_shows_the_nodes_that_were_judged(graded: Any, kubectl: Kubectl) -> None:
    """What the page shows comes from argo-server: the same nodes and phases, and a step's log."""
    run = next(one for one in graded[0].probe.runs() if one.pipeline == "ingest")
    with forwarded(kubectl, "argo", "argo-server", 2746) as port:
        address = f"http://127.0.0.1:{port}/api/v1/workflows/batch/{run.name}"
        shown = requests.get(address, timeout=60).json()
        leaf = next(one for one in run.nodes if one["displayName"].startswith("validate") and one["type"] == "Pod")
        log = requests.get(
            f"{address}/log", params={"nodeId": leaf["id"], "logOptions.container": "main"}, timeout=60
        ).text
    nodes = {one["id"]: (one["displayName"], one["phase"]) for one in shown["status"]["nodes"].values()}
    assert nodes == {one["id"]: (one["displayName"], one["phase"]) for one in run.nodes}
    lines = [json.loads(line)["result"]["content"] for line in log.splitlines() if line.strip()]
    assert any("left out" in line for line in lines)


def test_the_cluster_is_as_before(graded: Any) -> None:
    """Tables stand where they stood; reports and source rows are the same."""
    assert graded[2] == graded[1]
