"""Stale edges: said once, and not by the run that wrote the partition as it is."""

from __future__ import annotations

import pytest

from grader.lineage.stale import Stale
from grader.lineage.tests.story import CURATED, RAW, Story, whole_day
from grader.lineage.view import lineage_of

DAYS = ("2013-03-09", "2013-03-10")


def told(*, daily: bool = False) -> Story:
    """Both days run twice, every run saying its edges."""
    story = Story()
    for play in ("first", "second"):
        for ds in DAYS:
            whole_day(story, ds, play, daily=daily)
    return story


def silence(story: Story, run: str, node: str) -> None:
    """Take away what a node emitted."""
    story.events = [
        one
        for one in story.events
        if not one["run"]["facets"]["parent"]["job"]["name"].endswith(f"{run}.{node}")
        or not one["run"]["facets"]["parent"]["job"]["name"].startswith(run)
    ]


def edges(found: tuple[Stale, ...]) -> set[tuple[str, str, str, str]]:
    """Source, target, day and who wrote it."""
    return {(one.source, one.target, one.ds, one.written_by) for one in found}


@pytest.mark.parametrize("daily", [False, True])
def test_every_run_says_its_edges(daily: bool) -> None:
    """Nothing is stale, whether the pipelines run apart or as one workflow."""
    assert told(daily=daily).lineage().comparison.stale == ()


def test_lineage_cut_later() -> None:
    """A partition written last by a run that says nothing has stale edges; the other day's are as good as before."""
    story = told()
    silence(story, "transform-20130310-second", "curate")
    found = story.lineage().comparison
    assert found.missing == ()
    sources = (RAW, "lake.raw.weather", "ops.airlines", "ops.airports")
    assert edges(found.stale) == {(one, CURATED, DAYS[1], "transform-20130310-second") for one in sources}
    one = found.stale[0]
    assert one.said_by == "transform-20130309-second"
    assert one.snapshot == str(
        next(t.snapshot for t in story.traces if (t.table, t.workflow) == (CURATED, "transform-20130310-second"))
    )
    assert one.as_json()["to"] == CURATED


def test_cut_in_an_older_run_only() -> None:
    """What an older run did not say is no matter once a newer one wrote the partition and says it."""
    story = told()
    silence(story, "transform-20130310-first", "curate")
    assert story.lineage().comparison.stale == ()


def test_cut_everywhere_is_missing() -> None:
    """An edge that no run says is missing, not stale."""
    story = told()
    for ds in DAYS:
        for play in ("first", "second"):
            silence(story, f"transform-{ds.replace('-', '')}-{play}", "curate")
    found = story.lineage().comparison
    assert (RAW, CURATED) in found.missing
    assert not [one for one in found.stale if one.target == CURATED]


def test_compaction_and_staged_snapshots_write_nothing() -> None:
    """A compaction after the last run, and a branch that was never published, make no edge stale."""
    story = told()
    story.run("maintain", DAYS[0], ["compact"], "maintain")
    story.commit(CURATED, "maintain", "compact", operation="replace")
    story.commit(CURATED, "maintain", "compact", visible=False)
    assert story.lineage().comparison.stale == ()
    story.commit(CURATED, "maintain", "compact")
    assert {one.written_by for one in story.lineage().comparison.stale} == {"maintain"}


def test_two_commits_and_a_further_table() -> None:
    """A run that deletes first, then inserts, and reads one table more, says the edge once: that is enough."""
    story = told()
    run = story.run("transform-again", DAYS[0])
    story.event(run, "curate", {}, {CURATED: story.commit(CURATED, run, "curate", operation="delete")})
    reads = {RAW: "", "lake.raw.weather": "", "ops.airlines": "", "ops.airports": "", "ops.planes": ""}
    story.write(run, "curate", CURATED, reads)
    assert story.lineage().comparison.stale == ()


@pytest.mark.parametrize("daily", [False, True])
def test_reports_without_snapshots(daily: bool) -> None:
    """A table of PostgreSQL is stale where its step succeeded in a later run and said nothing."""
    story = told(daily=daily)
    run, node = ("daily-20130309-second", "publish.replace") if daily else ("publish-20130309-second", "replace")
    silence(story, run, node)
    assert edges(story.lineage().comparison.stale) == {
        (f"lake.marts.{name}", f"reporting.{name}", DAYS[0], run) for name in ("carrier_daily", "route_daily")
    }


def test_step_of_the_same_name_elsewhere() -> None:
    """A step that is called as the publishing one is, but of another pipeline, or failed, wrote no report."""
    story = told()
    story.run("ingest-20130309-third", DAYS[0], ["replace"], "ingest")
    story.run("publish-20130309-third", DAYS[0], ["replace"], "publish")
    for node in story.runs["publish-20130309-third"]["nodes"].values():
        node["phase"] = "Failed"
    found = lineage_of(story.parsed(), story.runs, story.traces, made=list(story.runs))
    assert found.comparison.stale == ()


def test_runs_of_which_nothing_is_known() -> None:
    """A run that left no sign is not held to have said nothing, unless it is one of those that are judged."""
    story = told()
    run = story.run("publish-20130309-third", DAYS[0], ["replace"], "publish")
    assert story.lineage().comparison.stale == ()
    found = lineage_of(story.parsed(), story.runs, story.traces, made=list(story.runs)).comparison
    assert {one.written_by for one in found.stale} == {run}
