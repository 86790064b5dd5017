"""The reference graded on a cluster: ten verdicts from live objects, and a cluster that is as it was before."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import requests

from grader.checks.model import Check
from grader.cluster.commands import Kubectl
from grader.cluster.grading.grade import ClusterGrading
from grader.cluster.grading.site import site
from grader.cluster.place import load
from grader.cluster.reach import forwarded
from grader.demo.display import Display
from grader.grading.grade import Graded
from grader.grading.plays import PLAYS, needed
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


@dataclass(frozen=True, kw_only=True)
class Twice:
    """The reference, graded twice: all pipelines by one run each, and by all plays the one that others build upon."""

    once: Graded
    deep: Graded
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def documents(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Both verdicts."""
        return self.once.document, self.deep.document


def grading(display: Display, **more: Any) -> ClusterGrading:
    """Grade the last day."""
    state = StateDir.locate()
    return ClusterGrading(state=state, place=load(state), display=display, days=1, **more)


def short(check: Check) -> bool:
    """Whether one run of a pipeline, or none, is enough."""
    return {play.name for play in needed(need for need in check.needs if need in PLAYS)} <= {"first"}


@pytest.fixture(scope="module")
def graded(kubectl: Kubectl) -> Twice:
    """Grade what one run shows of all pipelines, and what takes more runs of `ingest`; of all it takes 17 minutes."""
    assert kubectl
    before = seen()
    with closing(Display(StateDir.locate().logs / "grade-cluster.log")) as display:
        whole, ingest = grading(display), grading(display, scope=("ingest",), keep=False)
        first = [check.id for check in whole.checks(()) if short(check)]
        rest = [check.id for check in ingest.checks(()) if not short(check) and "ingest" in check.pipelines]
        with whole.graded(reference(), first) as once, ingest.graded(reference(), rest) as deep:
            found = once, deep
    return Twice(once=found[0], deep=found[1], before=before, after=seen())


def failing(document: dict[str, Any]) -> dict[str, str]:
    """Give what each check that does not pass says."""
    return {
        check["id"]: check["rationale"]
        for item in document["items"].values()
        for check in item["checks"]
        if check["outcome"] != "pass"
    }


ITEMS = [f"M{number:02}" for number in range(1, 11)]


def test_ten_verdicts(graded: Twice) -> None:
    """Every item is judged on the cluster, and the reference passes."""
    for document in graded.documents:
        assert failing(document) == {}
        assert document["target"] == "cluster"
        assert document["score"] == document["max_score"]
    assert sorted({item for document in graded.documents for item in document["items"]}) == ITEMS


@pytest.mark.slow
def test_ten_verdicts_by_all_plays(kubectl: Kubectl) -> None:
    """What `make grade TARGET=cluster` does."""
    assert kubectl
    with (
        closing(Display(StateDir.locate().logs / "grade-cluster.log")) as display,
        grading(display).graded(reference()) as found,
    ):
        document = found.document
    assert failing(document) == {}
    assert sorted(document["items"]) == ITEMS
    assert document["score"] == document["max_score"]


def test_every_run_has_a_page(graded: Twice) -> None:
    """The verdict leads to the runs in Argo's own view."""
    runs = [run for document in graded.documents for run in document["runs"]]
    assert {one["play"] for one in runs} >= {"first", "second", "replay", "parameter", "bad"}
    assert all(one["url"].endswith(f"/workflows/batch/{one['name']}") for one in runs)


def test_argo_server_shows_the_nodes_that_were_judged(graded: Twice, kubectl: Kubectl) -> None:
    """What the page shows comes from argo-server: the same nodes and phases, and a step's log."""
    run = next(one for one in graded.once.probe.runs() if one.pipeline == "ingest")
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


def test_the_cluster_is_as_before(graded: Twice) -> None:
    """Tables stand where they stood; reports and source rows are the same."""
    assert graded.after == graded.before
