"""OpenLineage events of Python steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.datatier.errors import BadParameter
from pipelines.datatier.lineage import Dataset, emitting, iceberg_dataset, postgres_dataset
from pipelines.datatier.tests.memory import numbers, replace

RUN = "6a6f3a52-2b8e-5b6f-a000-000000000001"


def _environment(folder: Path) -> dict[str, str]:
    return {
        "OPENLINEAGE_TYPE": "file",
        "OPENLINEAGE_LOCATION": str(folder / "run.ndjson"),
        "OPENLINEAGE_PARENT_ID": f"batchlab/wf-1.wf-1.publish.replace/{RUN}",
    }


def _events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run.ndjson").read_text().splitlines()]


def test_a_run_is_told_with_parent_datasets_and_columns(tmp_path: Path) -> None:
    """START and COMPLETE share a run; the end names inputs, outputs, snapshot and columns."""
    source = Dataset(namespace="file", name="/w/t", version="7", alias="lake.t")
    with emitting("publish.replace", _environment(tmp_path)) as lineage:
        lineage.inputs = [source]
        lineage.outputs = [Dataset(namespace="postgres://h:1", name="d.r.t", columns={"a": [(source, "a")]})]
    start, end = _events(tmp_path)
    assert [start["eventType"], end["eventType"]] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == end["run"]["runId"]
    parent = end["run"]["facets"]["parent"]
    assert (parent["job"]["name"], parent["run"]["runId"]) == ("wf-1.wf-1.publish.replace", RUN)
    assert end["inputs"][0]["facets"]["version"]["datasetVersion"] == "7"
    assert end["inputs"][0]["facets"]["symlinks"]["identifiers"][0]["name"] == "lake.t"
    fields = end["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert [(item["name"], item["field"]) for item in fields["a"]["inputFields"]] == [("/w/t", "a")]


def test_a_failure_is_told(tmp_path: Path) -> None:
    """A run that raises ends with FAIL, and still raises."""
    with pytest.raises(ZeroDivisionError), emitting("x", _environment(tmp_path)):
        print(1 // 0)
    assert [event["eventType"] for event in _events(tmp_path)] == ["START", "FAIL"]


def test_without_a_transport_nothing_is_told(tmp_path: Path) -> None:
    """A job by hand needs no lineage."""
    with emitting("x", {}) as lineage:
        lineage.inputs = []
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_transport_is_refused() -> None:
    """A typo in the ConfigMap is told before any work."""
    with pytest.raises(BadParameter, match="may be file or http"), emitting("x", {"OPENLINEAGE_TYPE": "kafka"}):
        pass


@pytest.mark.filterwarnings("ignore:Delete operation did not match")
def test_datasets_are_named_as_sparks_listener_names_them(tmp_path: Path) -> None:
    """An Iceberg table by its place, a PostgreSQL table by server and database."""
    catalog = numbers(tmp_path)
    replace(catalog, "2013-03-09", 1)
    found = iceberg_dataset(catalog.load_table("t.numbers"), "lake.t.numbers", 5)
    assert (found.namespace, found.name, found.version) == ("file", f"{tmp_path}/t/numbers", "5")
    env = {"POSTGRES_HOST": "h", "POSTGRES_PORT": "1", "POSTGRES_DATABASE": "d"}
    table = postgres_dataset("reporting.route_daily", env)
    assert (table.namespace, table.name) == ("postgres://h:1", "d.reporting.route_daily")
