"""Lineage from events as Spark's and Python's emitters write them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.lineage.datasets import dataset_name, kind_of
from grader.lineage.events import parse, read_events
from grader.lineage.expected import MARTS, SPECIFIED, compare, dbt_edges, expected
from grader.lineage.graph import Graph, Maker, build, maker_of, short_job
from grader.lineage.snapshots import find_nodes
from grader.lineage.view import around, read_lineage, trees

WORKFLOW = "daily-1362900600"


def iceberg(name: str, version: str = "") -> dict[str, Any]:
    """A dataset as OpenLineage's Spark integration names an Iceberg table of a REST catalog."""
    facets: dict[str, Any] = {
        "symlinks": {"identifiers": [{"namespace": "http://127.0.0.1:41001", "name": name, "type": "TABLE"}]}
    }
    if version:
        facets["version"] = {"datasetVersion": version}
    return {"namespace": "file", "name": f"/home/x/.batchlab/warehouse/{name.replace('.', '/')}", "facets": facets}


def postgres(name: str) -> dict[str, Any]:
    """A dataset as the JDBC reader names a table of PostgreSQL."""
    return {"namespace": "postgres://127.0.0.1:41002", "name": f"batchlab.{name}"}


def event(kind: str, run: str, node: str, inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    """One run event with its parent."""
    parent = {"run": {"runId": f"parent-{node}"}, "job": {"namespace": "batchlab", "name": f"{WORKFLOW}.{node}"}}
    return {
        "eventTime": f"2026-11-23T09:00:{len(run):02}Z",
        "eventType": kind,
        "run": {"runId": run, "facets": {"parent": parent}},
        "job": {"namespace": "batchlab", "name": "append_data"},
        "inputs": inputs,
        "outputs": outputs,
    }


def graph(*events: dict[str, Any]) -> Graph:
    """Build the graph of some events."""
    parsed = [parse(json.dumps(one)) for one in events]
    return build([one for one in parsed if one], [WORKFLOW])


@pytest.mark.parametrize(
    ("namespace", "name", "expected_name"),
    [
        ("postgres://127.0.0.1:5432", "batchlab.ops.flights", "ops.flights"),
        ("postgres://db:5432", "ops.flights", "ops.flights"),
        ("file", "/a b/.batchlab/warehouse/raw/flights", "lake.raw.flights"),
        ("s3://lake", "warehouse/marts/route_daily", "lake.marts.route_daily"),
        ("http://127.0.0.1:41001", "/deliveries", "webhook"),
        ("lake", "raw.flights", "lake.raw.flights"),
        ("lake", "lake.raw.flights.branch_audit_ingest_20130309", "lake.raw.flights"),
        ("lake", "lake.raw.flights.snapshots", "lake.raw.flights"),
    ],
)
def test_dataset_names(namespace: str, name: str, expected_name: str) -> None:
    """One table has one name, whoever names it, and a branch of it is that table."""
    assert dataset_name(namespace, name) == expected_name


def test_symlink_wins() -> None:
    """The catalog's name for a table is better than its place in the warehouse."""
    assert dataset_name("file", "/warehouse/elsewhere", iceberg("raw.flights")["facets"]) == "lake.raw.flights"


def test_kinds() -> None:
    """Sources, tables, marts and what is published are told apart."""
    names = ("ops.flights", "lake.raw.flights", "lake.marts.route_daily", "reporting.route_daily", "webhook")
    assert [kind_of(name) for name in names] == ["source", "table", "mart", "published", "published"]


def test_inputs_and_outputs_from_several_events() -> None:
    """Spark tells inputs at the start and outputs at the end; together they are the edge, with its columns and node."""
    output = iceberg("raw.flights", "7771")
    field = {"inputFields": [{**postgres("ops.flights"), "field": "dest"}]}
    output["facets"]["columnLineage"] = {"fields": {"dest": field}}
    found = graph(
        event("START", "r1", "ingest.stage(0)", [postgres("ops.flights")], []),
        event("COMPLETE", "r1", "ingest.stage(0)", [], [output]),
    )
    (edge,) = found.edges.values()
    assert (edge.source, edge.target) == ("ops.flights", "lake.raw.flights")
    assert [(one.source_column, one.column) for one in edge.columns] == [("dest", "dest")]
    assert edge.makers == (Maker(workflow=WORKFLOW, node="ingest.stage(0)"),)
    document = found.as_json()["edges"][0]
    assert document["job"] == "ingest.stage"
    assert document["columns"] == [{"from": "dest", "to": "dest"}]


def test_several_outputs_of_one_run() -> None:
    """Where one run writes two tables, each is made from what its columns name, not from all that the run read."""

    def output(name: str) -> dict[str, Any]:
        fields = {"n": {"inputFields": [{"namespace": "file", "name": f"/w/marts/{name}", "field": "n"}]}}
        return {**postgres(f"reporting.{name}"), "facets": {"columnLineage": {"fields": fields}}}

    names = ("carrier_daily", "route_daily")
    inputs = [{"namespace": "file", "name": f"/w/marts/{name}"} for name in names]
    found = graph(event("COMPLETE", "r1", "publish.replace", inputs, [output(name) for name in names]))
    assert found.edges.keys() == {(f"lake.marts.{name}", f"reporting.{name}") for name in names}


def test_older_events_prove_nothing(tmp_path: Path) -> None:
    """Edges of runs before a moment are left out, whatever zone their times are written in."""
    line = json.dumps(event("COMPLETE", "r1", "n", [postgres("ops.flights")], [iceberg("raw.flights")]))
    (tmp_path / "a.ndjson").write_text(line)
    for moment, count in (("2026-11-23T10:00:01+01:00", 1), ("2026-11-23T09:00:03+00:00", 0)):
        found = read_lineage(tmp_path, {}, [], since=datetime.fromisoformat(moment))
        assert len(found.graph.edges) == count


def test_query_of_an_application() -> None:
    """A query's parent is the application's run, whose parent is the workflow node: that node made the edge."""
    application = event("START", "app", "ingest.stage(0)", [], [])
    query = event("COMPLETE", "query", "n", [postgres("ops.flights")], [iceberg("raw.flights")])
    query["run"]["facets"]["parent"] = {
        "run": {"runId": "app"},
        "job": {"namespace": "batchlab", "name": "ingest_stage"},
    }
    (edge,) = graph(application, query).edges.values()
    assert edge.makers == (Maker(workflow=WORKFLOW, node="ingest.stage(0)"),)
    application["run"]["facets"]["parent"]["run"]["runId"] = "query"
    assert graph(application, query).edges.keys() == {("ops.flights", "lake.raw.flights")}


def test_failed_run_proves_nothing() -> None:
    """Only a run that completed makes edges."""
    assert graph(event("FAIL", "r1", "n", [postgres("ops.flights")], [iceberg("raw.flights")])).edges == {}


def test_table_read_and_written_is_no_edge() -> None:
    """A replace that reads its own table does not make it from itself."""
    assert graph(event("COMPLETE", "r1", "n", [iceberg("raw.flights")], [iceberg("raw.flights")])).edges == {}


def test_newest_maker_is_last() -> None:
    """An edge that two nodes made names both, the newest last, each once."""
    events = [
        event("COMPLETE", run, node, [postgres("ops.flights")], [iceberg("raw.flights")])
        for run, node in (("r1", "a"), ("r22", "b"), ("r333", "a"))
    ]
    (edge,) = graph(*events).edges.values()
    assert [maker.node for maker in edge.makers] == ["b", "a"]


def test_parent_names() -> None:
    """A workflow whose name has dots is known by the runs; a node's full name loses the workflow's."""
    assert maker_of("a.b.c", ["a.b"]) == Maker(workflow="a.b", node="c")
    assert maker_of("w.w.ingest.stage(1)", ["w"]) == Maker(workflow="w", node="ingest.stage(1)")
    assert short_job("ingest.stage(1)") == "ingest.stage"


def test_broken_lines_are_counted(tmp_path: Path) -> None:
    """A line cut short by a kill, and lines that are no event, are passed over and counted."""
    good = json.dumps(event("COMPLETE", "r1", "n", [postgres("ops.flights")], [iceberg("raw.flights")]))
    (tmp_path / "a.ndjson").write_text(f"{good}\n\n{good[:100]}\n[1]\n{{}}\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.ndjson").write_bytes(b"\xff\xfe\n")
    events, broken = read_events(tmp_path)
    assert (len(events), broken) == (1, 4)
    assert read_events(tmp_path / "nowhere") == ([], 0)


def test_dbt_edges() -> None:
    """Edges come from sources and models, through ephemeral models, and tests make none."""
    manifest = {
        "sources": {
            "source.p.flights": {"resource_type": "source", "schema": "curated", "name": "f", "identifier": "flights"}
        },
        "nodes": {
            "model.p.base": node("base", ["source.p.flights"], materialized="ephemeral"),
            "model.p.carrier": node("carrier", ["model.p.base"], alias="carrier_daily"),
            "test.p.unique": {**node("unique", ["model.p.carrier"]), "resource_type": "test"},
        },
    }
    assert dbt_edges(manifest) == {("lake.curated.flights", "lake.marts.carrier_daily")}


def node(name: str, parents: list[str], materialized: str = "incremental", alias: str = "") -> dict[str, Any]:
    """A model of a dbt manifest."""
    return {
        "resource_type": "model", "name": name, "alias": alias or name, "schema": "marts",
        "config": {"materialized": materialized}, "depends_on": {"nodes": parents},
    }  # fmt: skip


def test_manifest_replaces_the_specification_for_dbt(tmp_path: Path) -> None:
    """With a manifest, the marts' edges are those that dbt knows."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"sources": {}, "nodes": {}}))
    assert expected(path) == SPECIFIED
    assert expected(None) == SPECIFIED | MARTS
    assert expected(tmp_path / "none.json") == SPECIFIED | MARTS


def test_missing_and_phantom() -> None:
    """A cut edge is missing; one between known tables that nobody specified is a phantom; a stranger's table is not."""
    pairs = sorted(SPECIFIED | MARTS)
    events = [
        event(
            "COMPLETE",
            f"r{number}",
            "n",
            [{"namespace": "lake", "name": source}],
            [{"namespace": "lake", "name": target}],
        )
        for number, (source, target) in enumerate(
            [
                *pairs[1:],
                ("ops.flights", "lake.marts.route_daily"),
                ("lake.raw.flights", "lake.team.mine"),
                ("lake.marts.route_daily", "webhook"),
            ]
        )
    ]
    events[-1]["outputs"] = [{"namespace": "http://127.0.0.1:1", "name": "/deliveries"}]
    found = compare(graph(*events), pairs)
    assert found.missing == (pairs[0],)
    assert found.phantom == (("ops.flights", "lake.marts.route_daily"),)


def test_around_keeps_ancestors_and_descendants() -> None:
    """What a table is made from and what is made from it is kept, its siblings are not."""
    pairs = [("a.a.a", "a.a.b"), ("a.a.b", "a.a.c"), ("a.a.a", "a.a.sibling"), ("a.a.other", "a.a.c")]
    events = [
        event("COMPLETE", f"r{number}", "n", [{"namespace": "x", "name": one}], [{"namespace": "x", "name": other}])
        for number, (one, other) in enumerate(pairs)
    ]
    kept = around(graph(*events), "lake.a.a.b")
    assert kept.datasets == ["lake.a.a.a", "lake.a.a.b", "lake.a.a.c"]


def test_tree_of_a_circle_ends() -> None:
    """A circle is drawn once and marked."""
    pairs = [("x.a", "x.b"), ("x.b", "x.a"), ("x.s", "x.a")]
    events = [
        event(
            "COMPLETE",
            f"r{number}",
            "ingest.stage(0)",
            [{"namespace": "x", "name": one}],
            [{"namespace": "x", "name": other}],
        )
        for number, (one, other) in enumerate(pairs)
    ]
    console = Console(width=100, file=None, record=True, quiet=False)
    with console.capture() as capture:
        for name in (None, "lake.x.b"):
            for tree in trees(graph(*events), name):
                console.print(tree)
    text = capture.get()
    assert "(again)" in text
    assert "by ingest.stage" in text
    assert "lake.x.b is made from" in text


def test_nodes_are_found_by_any_of_their_names() -> None:
    """A snapshot may name a node by id, full name, name below the run, or display name."""
    one = {"id": "w-7", "name": "w.ingest.stage(0)", "displayName": "stage(0)"}
    run = {"name": "w", "nodes": {"w-7": one}}
    for name in ("w-7", "w.ingest.stage(0)", "ingest.stage(0)", "stage(0)"):
        assert find_nodes(run, name) == [one]
    assert find_nodes(run, "stage(1)") == []
