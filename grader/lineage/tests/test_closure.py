"""Run, node, snapshot: no snapshot without an event, no event without a snapshot."""

from __future__ import annotations

from dataclasses import replace

from grader.lineage.closure import Gap, gaps
from grader.lineage.tests.story import CURATED, RAW, Story, whole_day


def told() -> Story:
    """A day, every node saying what it wrote."""
    story = Story()
    whole_day(story, "2013-03-09")
    return story


def found(story: Story) -> tuple[Gap, ...]:
    """The gaps of a story."""
    return gaps(story.executions(), story.runs, story.traces)


def test_a_day_is_closed() -> None:
    """Every node that committed has its event, and every event its snapshot."""
    assert found(told()) == ()


def test_snapshot_without_event() -> None:
    """A node that committed and emitted nothing about the table is found, whatever its neighbours emit."""
    story = told()
    snapshot = story.commit("lake.marts.route_daily", "transform-20130309-first", "curate")
    (gap,) = found(story)
    assert (gap.kind, gap.table, gap.snapshot) == ("snapshot without event", "lake.marts.route_daily", snapshot)
    assert gap.as_json()["node"] == "transform-20130309-first.curate"


def test_event_that_never_completed() -> None:
    """A node that succeeded must have said COMPLETE; one that failed on its way need not."""
    story = told()
    run = story.run("transform-again")
    story.event(run, "curate", {RAW: ""}, {CURATED: ""}, kind="FAIL")
    story.commit(CURATED, run, "curate")
    (gap,) = found(story)
    assert "do not say COMPLETE" in gap.problem
    for node in story.runs[run]["nodes"].values():
        node["phase"] = "Failed"
    assert found(story) == ()


def test_retried_node_needs_one_event() -> None:
    """A node whose first attempt was killed after its commit has the event of its second."""
    story = told()
    run = story.run("transform-again")
    story.commit(CURATED, run, "curate")
    story.event(run, "curate", {RAW: ""}, {CURATED: ""}, kind="START")
    story.write(run, "curate", CURATED, {RAW: ""})
    assert found(story) == ()


def test_node_by_any_of_its_names() -> None:
    """A summary that names the node by id, or by its attempt, means the node that the event names."""
    story = told()
    at = next(number for number, one in enumerate(story.traces) if one.table == CURATED)
    for name in ("transform-20130309-first-0", "curate(0)", "curate", "transform-20130309-first.curate"):
        story.traces[at] = replace(story.traces[at], node=name)
        assert found(story) == ()


def test_untraced_snapshots_are_another_checks() -> None:
    """A commit by hand is not reported twice, and a compaction needs no event."""
    story = told()
    story.commit(CURATED, "", "", problem="its summary has no batchlab.workflow")
    story.commit(CURATED, "transform-20130309-first", "build", operation="replace")
    assert found(story) == ()


def test_event_that_names_no_snapshot_of_the_table() -> None:
    """An event that names a snapshot which the table never had is found."""
    story = told()
    story.event("ingest-20130309-first", "write", {}, {RAW: "4711"}, engine="")
    (gap,) = found(story)
    assert (gap.kind, gap.snapshot, gap.problem) == (
        "event without snapshot", "4711", "write.query: the table has no snapshot 4711",
    )  # fmt: skip


def test_event_of_a_write_that_was_none() -> None:
    """Spark says how many rows it wrote: the very node must have committed. Where it wrote none, none is needed."""
    story = told()
    run = story.run("transform-again")
    story.event(run, "curate", {RAW: ""}, {CURATED: ""}, rows=0)
    assert found(story) == ()
    story.event(run, "curate", {RAW: ""}, {CURATED: ""}, rows=7)
    (gap,) = found(story)
    assert "7 rows were written, and its node committed no snapshot" in gap.problem


def test_event_of_another_emitter() -> None:
    """An emitter that names no snapshot must belong to a run that has one of the table; it may be another node's."""
    story = told()
    story.event("ingest-20130309-first", "write", {}, {RAW: ""}, engine="")
    assert found(story) == ()
    story.event("transform-20130309-first", "build", {}, {RAW: ""}, engine="")
    (gap,) = found(story)
    assert gap.problem == "build.query: its run committed no snapshot of the table"


def test_tables_that_are_not_judged() -> None:
    """Further datasets, and tables that were only created, are no matter."""
    story = told()
    story.event("transform-20130309-first", "build", {CURATED: ""}, {"lake.team.mine": "", "reporting.other": ""})
    story.event("transform-20130309-first", "build", {}, {RAW: ""}, engine="")
    created = {"lifecycleStateChange": "CREATE"}
    story.events[-2]["outputs"] = []
    story.events[-1]["outputs"][0]["facets"]["lifecycleStateChange"] = created
    assert found(story) == ()


def test_expired_snapshots() -> None:
    """Where old snapshots were expired, events of then, and ids that only old events can know, are not judged."""
    story = told()
    whole_day(story, "2013-03-09", "second")
    story.traces = [one for one in story.traces if one.workflow.endswith("-second")]
    assert found(story) == ()
    story.traces = [replace(one, parent=None, sequence=2) for one in story.traces]
    assert found(story) == ()
    story.traces = [replace(one, parent=None, sequence=1) for one in story.traces]
    assert {gap.kind for gap in found(story)} == {"event without snapshot"}


def test_snapshots_of_before_are_known() -> None:
    """A run may name a snapshot from before the time that is judged: the table's history has it."""
    story = told()
    old = story.traces
    story.event("ingest-20130309-first", "write", {}, {RAW: str(old[0].snapshot)}, engine="")
    late = [one for one in old if one.table != RAW]
    assert gaps(story.executions(), story.runs, late, old) == ()
    assert gaps(story.executions(), story.runs, [], old) == ()
