"""Events of one run put together, and what their facets say."""

from __future__ import annotations

import json
from typing import Any

from grader.lineage.events import Event, parse
from grader.lineage.executions import Execution, executions
from grader.lineage.facets import use_of
from grader.lineage.makers import Maker, parameter, steps_of, template_of
from grader.lineage.tests.story import CURATED, RAW, Story, dataset


def raw(run: str, time: str, **more: Any) -> dict[str, Any]:
    """One event with its run and time."""
    return {
        "eventTime": time, "eventType": "RUNNING", "run": {"runId": run, "facets": more.pop("facets", {})},
        "job": {"name": "j"}, **more,
    }  # fmt: skip


def together(*events: dict[str, Any]) -> list[Execution]:
    """The executions of some events, sorted as a reader sorts them; one workflow, `w`, is known."""
    parsed: list[Event] = [found for one in events if (found := parse(json.dumps(one)))]
    return executions(sorted(parsed, key=lambda one: one.moment), ["w"])


def parent(name: str, run: str, root: str = "") -> dict[str, Any]:
    """A parent facet."""
    facet: dict[str, Any] = {"job": {"name": name}, "run": {"runId": run}}
    if root:
        facet["root"] = {"job": {"name": root}, "run": {"runId": "top"}}
    return {"parent": facet}


def test_first_version_read_is_the_one() -> None:
    """A table may move on while a query runs: the version that was planned is what it read. Times are instants."""
    use = {**dataset(RAW)}
    first, later = json.loads(json.dumps(use)), json.loads(json.dumps(use))
    first["facets"]["version"], later["facets"]["version"] = {"datasetVersion": "1"}, {"datasetVersion": "2"}
    (one,) = together(
        raw("q", "2026-11-23T09:00:00.95Z", inputs=[later]), raw("q", "2026-11-23T10:00:00.9+01:00", inputs=[first])
    )
    assert one.reads[RAW].version == "1"
    assert (one.ended - one.started).total_seconds() == 0.05


def test_cut_file_falls_back_on_the_root() -> None:
    """Where the application's own events are lost, the query still names the topmost parent."""
    (one,) = together(raw("q", "2026-11-23T09:00:00Z", facets=parent("app", "a", root="w.w.curate")))
    assert (one.maker, one.parent_run) == (Maker(workflow="w", node="curate"), "top")
    (one,) = together(raw("q", "2026-11-23T09:00:00Z", facets=parent("app", "a", root="elsewhere")))
    assert one.parent == "app"


def test_what_facets_say() -> None:
    """Rows, filters, created tables, sorts that change nothing, and joins that decide which rows there are."""
    facets = {
        "columnLineage": {
            "fields": {},
            "dataset": [
                {**dataset("ops.flights"), "field": "carrier", "transformations": [{"subtype": "JOIN"}]},
                {**dataset("ops.flights"), "field": "flight", "transformations": [{"subtype": "SORT"}]},
                {**dataset("ops.flights"), "field": "dest"},
            ],
        },
        "lifecycleStateChange": {"lifecycleStateChange": "CREATE"},
    }
    use = use_of(
        {
            "namespace": "lake", "name": "raw.flights", "facets": facets,
            "outputFacets": {"outputStatistics": {"rowCount": 0}},
            "inputFacets": {"icebergScanReport": {"filterDescription": "true"}},
        }
    )  # fmt: skip
    assert use.influences == (("ops.flights", "carrier"), ("ops.flights", "dest"))
    assert (use.rows, use.filter, use.change) == (0, "true", True)


def test_a_dataset_twice_in_one_event() -> None:
    """A table that is joined with itself is one dataset."""
    (one,) = together(raw("q", "2026-11-23T09:00:00Z", inputs=[dataset(RAW), dataset(RAW)], outputs=[dataset(CURATED)]))
    assert list(one.reads) == [RAW]
    assert one.sources(CURATED) == [RAW]


def test_nodes_parameters_and_templates() -> None:
    """A node is found by its attempt, too; its template comes from another's where its scope says so."""
    story = Story()
    story.run("w", "2013-03-10", ["curate"], "transform")
    run = story.runs["w"]
    assert steps_of(run, "w.curate(0)") == steps_of(run, "curate") == {"curate"}
    assert steps_of(run, "gone") == {"gone"}
    assert parameter(run, "curate", "ds") == "2013-03-10"
    assert parameter(run, "curate", "other") == ""
    assert template_of(run, "curate") == "transform"
    for node in run["nodes"].values():
        node["templateScope"] = "namespaced/library"
    assert template_of(run, "curate") == "library"
