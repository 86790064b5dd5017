"""Backfills that put partitions right."""

from __future__ import annotations

from datetime import date, datetime, timezone

from grader.lineage.taint.history import Write
from grader.lineage.taint.repair import pipeline_of, ranges, repairs
from grader.lineage.tests.story import CARRIER, CURATED, RAW, Story


def write(dataset: str, ds: str, run: str = "") -> Write:
    """One partition."""
    moment = datetime(2026, 11, 23, tzinfo=timezone.utc)
    partition = f"flight_date={ds}"
    return Write(dataset=dataset, partition=partition, ds=ds, workflow=run, node="n", snapshot="1", moment=moment)


def test_ranges() -> None:
    """Days that follow one another are one range, over the end of a month too."""
    days = [date(2013, 2, 27), date(2013, 2, 28), date(2013, 3, 1), date(2013, 3, 4)]
    assert ranges(days) == [(days[0], days[2]), (days[3], days[3])]
    assert ranges([]) == []


def test_the_fewest_commands_in_order() -> None:
    """A day that all pipelines must write again is one run of the whole; what depends on it comes later."""
    whole = [write(name, f"2013-03-{day:02}") for day in (9, 10) for name in (RAW, CARRIER, "reporting.route_daily")]
    found = repairs([write(CURATED, "2013-03-11"), *whole, write(RAW, "2013-03-20")], {})
    assert [(one.pipeline, one.first.day, one.last.day) for one in found] == [
        ("daily", 9, 10), ("ingest", 20, 20), ("transform", 11, 11),
    ]  # fmt: skip
    assert found[0].as_json()["command"].endswith("--name daily --from 2013-03-09 --to 2013-03-10")


def test_whose_pipeline_it_is() -> None:
    """The node's template is of a WorkflowTemplate; else the specification says who writes a table."""
    story = Story()
    story.run("nightly-1", steps=["n"], template="nightly")
    assert pipeline_of(write("lake.team.mine", "2013-03-09", "nightly-1"), story.runs) == "nightly"
    assert pipeline_of(write(CURATED, "2013-03-09", "gone"), story.runs) == "transform"
    assert pipeline_of(write("lake.team.mine", "2013-03-09"), {}) == ""
    assert repairs([write("lake.team.mine", "2013-03-09"), write(RAW, "")], {}) == []
