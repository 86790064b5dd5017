"""Each check of M08 passes on a right past, however the pipelines run, and fails on each wrong one by its own name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

import pytest

from grader.checks.m08_lineage import M08
from grader.checks.model import Result
from grader.checks.probe import Probe, Run
from grader.checks.runner import run as run_checks
from grader.lineage.tests.story import CARRIER, CURATED, RAW, Story, whole_day
from grader.lineage.view import Lineage
from grader.oracle.tables import TABLES, TableSpec

DAYS = ("2013-03-09", "2013-03-10")


@dataclass(kw_only=True)
class Past:
    """As much of a probe as M08 looks at."""

    story: Story
    judged: Sequence[TableSpec] = TABLES
    begun: list[Run] = field(default_factory=list)

    def has(self, need: str) -> bool:
        """All plays are there."""
        return True

    def tables(self) -> Sequence[TableSpec]:
        """What is judged."""
        return self.judged

    def runs(self) -> list[Run]:
        """The runs, without content."""
        ds = date(2013, 3, 9)
        return [
            Run(play="first", ds=ds, name=name, document=document, before={}, after={})
            for name, document in self.story.runs.items()
        ]

    def lineage(self) -> Lineage:
        """What the story's events say."""
        return self.story.lineage()


def told(*, daily: bool = False, plays: Sequence[str] = ("first", "second")) -> Story:
    """Two days in each play."""
    story = Story()
    for play in plays:
        for ds in DAYS:
            whole_day(story, ds, play, daily=daily)
    return story


def verdicts(story: Story, judged: Sequence[TableSpec] = TABLES) -> dict[str, Result]:
    """All verdicts of M08, by the check's short name."""
    results = run_checks(M08.checks, cast("Probe", Past(story=story, judged=judged)))
    return {result.check.id.removeprefix("M08-"): result for result in results}


def failed(story: Story) -> dict[str, Result]:
    """Those that did not pass and were not blocked."""
    return {name: one for name, one in verdicts(story).items() if one.outcome in {"fail", "error"}}


def without(story: Story, *words: str) -> None:
    """Take away the events whose text has all of some words."""
    story.events = [one for one in story.events if not all(word in str(one) for word in words)]


@pytest.mark.parametrize("daily", [False, True])
def test_right_past(daily: bool) -> None:
    """Everything passes, whether each pipeline is a workflow run of its own or all are one; each says what it saw."""
    found = verdicts(told(daily=daily))
    assert {name: one.outcome for name, one in found.items()} == dict.fromkeys(
        ("edges", "parents", "snapshots", "nodes", "stale", "columns"), "pass"
    )
    assert all(one.rationale[0].isalnum() and one.evidence.rows for one in found.values())


def maintenance(story: Story) -> None:
    """A workflow of its own compacts a table, and says nothing of it."""
    story.run("maintain-1", steps=["compact"], template="maintain")
    story.commit(CURATED, "", "", ds="", operation="replace", problem="its summary has no batchlab.workflow")


def two_commits(story: Story) -> None:
    """A run deletes its day, then inserts it, and reads a table more."""
    run = story.run("transform-20130309-third")
    story.event(run, "curate", {}, {CURATED: story.commit(CURATED, run, "curate", operation="delete")})
    reads = dict.fromkeys((RAW, "lake.raw.weather", "ops.airlines", "ops.airports", "ops.planes"), "")
    story.write(run, "curate", CURATED, reads, columns={"dep_delay": (RAW, "dep_delay")})


def other_names(story: Story) -> None:
    """Steps and jobs are called otherwise, and write another team's tables as well."""
    run = story.run("transform-20130309-third", steps=["cook.wash", "serve"])
    reads = dict.fromkeys((RAW, "lake.raw.weather", "ops.airlines", "ops.airports"), "")
    story.write(run, "cook.wash", CURATED, reads, columns={"tailnum": (RAW, "tailnum")})
    story.write(run, "serve", "lake.team.mine", {CURATED: ""}, columns={"x": (CURATED, "carrier")})


def branch(story: Story) -> None:
    """A run stages on a branch; another step publishes what was staged, in a commit of its own."""
    run = story.run("transform-20130309-third", steps=["curate", "publish"])
    reads = dict.fromkeys((RAW, "lake.raw.weather", "ops.airlines", "ops.airports"), "")
    story.write(run, "curate", CURATED, reads, columns={"tailnum": (RAW, "tailnum")})
    story.traces[-1] = replace(story.traces[-1], visible=False)
    story.event(run, "publish", {}, {CURATED: story.commit(CURATED, run, "publish")}, engine="")


def failed_audit(story: Story) -> None:
    """A run stages on a branch and fails its audit: the branch stays, and nobody sees it."""
    run = story.run("transform-20130309-third", steps=["curate", "audit"])
    reads = dict.fromkeys((RAW, "lake.raw.weather", "ops.airlines", "ops.airports"), "")
    story.write(run, "curate", CURATED, reads, columns={"tailnum": (RAW, "tailnum")})
    story.traces[-1] = replace(story.traces[-1], visible=False)


def nothing_to_write(story: Story) -> None:
    """A day without rows: Spark's dynamic overwrite has no partition to replace, and commits nothing."""
    run = story.run("transform-20130309-third")
    reads = dict.fromkeys((RAW, "lake.raw.weather", "ops.airlines", "ops.airports"), "")
    story.event(run, "curate", reads, {CURATED: ""})


@pytest.mark.parametrize("write", [maintenance, two_commits, other_names, branch, failed_audit, nothing_to_write])
@pytest.mark.parametrize("daily", [False, True])
def test_other_right_ways(write: Callable[[Story], None], daily: bool) -> None:
    """What is done otherwise and rightly passes."""
    story = told(daily=daily)
    write(story)
    assert failed(story) == {}


def missing(story: Story) -> None:
    """The Spark step that curates has no listener."""
    without(story, "curate.query")


def phantom(story: Story) -> None:
    """The mart's event names the source."""
    story.event("transform-20130309-first", "build", {"ops.flights": "", CURATED: ""}, {CARRIER: ""})


def cut_later(story: Story) -> None:
    """In the second play the step that publishes emits nothing."""
    without(story, "publish-20130310-second.replace")


def random_parent(story: Story) -> None:
    """The parent's run id is random."""
    for one in story.events:
        if "publish-20130310-second.replace" in str(one):
            one["run"]["facets"]["parent"]["run"]["runId"] = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


def no_parent(story: Story) -> None:
    """The events of the second day's mart have no parent."""
    for one in story.events:
        if "transform-20130310-second.build" in str(one):
            del one["run"]["facets"]["parent"]


def by_hand(story: Story) -> None:
    """Somebody commits by hand."""
    story.commit(CARRIER, "", "", ds="", problem="its summary has no batchlab.workflow")


def untold(story: Story) -> None:
    """A node commits twice, to another table the second time, and has an event for the first only."""
    story.commit("lake.marts.route_daily", "transform-20130309-second", "curate")


def unborne(story: Story) -> None:
    """A step says that it published a snapshot which the table never had."""
    story.event("ingest-20130309-second", "write", {}, {RAW: "4711"}, engine="")


def wrong_measure(story: Story) -> None:
    """A mart sums another column than it says."""
    columns = {"arr_delay_minutes": (CURATED, "dep_delay")}
    story.write("transform-20130309-second", "build", CARRIER, {CURATED: ""}, columns=columns)


def phantom_column(story: Story) -> None:
    """An event names a column that the source has not."""
    columns = {"carrier": (CURATED, "airline")}
    story.write("transform-20130309-second", "build", CARRIER, {CURATED: ""}, columns=columns)


def no_columns(story: Story) -> None:
    """The frame that is written came out of an RDD: no event tells columns of the mart."""
    for one in story.events:
        for use in one["outputs"]:
            if "carrier_daily" in use["name"] and "reporting" not in use["name"]:
                use["facets"].pop("columnLineage", None)


@pytest.mark.parametrize(
    ("spoil", "check", "says"),
    [
        (missing, "edges", f"no event says that {CURATED} is made from {RAW}; 3 more edges are missing"),
        (phantom, "edges", f"{CARRIER} is made from ops.flights, which nothing in the specification explains"),
        (random_parent, "parents", "not derived from the workflow's uid and the node"),
        (no_parent, "parents", "its events name no parent"),
        (by_hand, "snapshots", "cannot be traced: its summary has no batchlab.workflow"),
        (untold, "nodes", "committed snapshot"),
        (unborne, "nodes", "no snapshot bears it out"),
        (cut_later, "stale", "publish-20130310-second wrote reporting.carrier_daily of 2013-03-10"),
        (wrong_measure, "columns", f"column arr_delay_minutes is wrong: its events say that it comes from {CURATED}."),
        (phantom_column, "columns", f"{CURATED} has no column airline"),
        (no_columns, "columns", "no event says which column comes from which"),
    ],
)
def test_wrong_pasts(spoil: Callable[[Story], None], check: str, says: str) -> None:
    """Each is failed by the check it is for, with rows, what was expected and found, a command and three hints."""
    story = told()
    spoil(story)
    found = failed(story)
    assert list(found) == [check]
    result = found[check]
    assert says in result.rationale.replace("column lineage of lake.marts.carrier_daily, ", "")
    assert len(result.hints) == 3
    document: dict[str, Any] = result.as_json()["evidence"]
    assert 1 <= len(document["rows"]) <= 10
    assert all(len(row) == len(document["columns"]) for row in document["rows"])
    assert document["expected"]
    assert document["found"]
    assert document["query"].startswith(("batchlab ", "SELECT "))


def test_only_what_is_judged() -> None:
    """Where one pipeline is graded, what another's lineage lacks is not its fault."""
    story = told()
    without(story, "curate.query")
    without(story, "build.query")
    for names, outcome in ((("ingest",), "pass"), (("publish",), "pass"), (("transform",), "fail")):
        judged = [table for table in TABLES if table.pipeline in names]
        assert verdicts(story, judged)["edges"].outcome == outcome
    assert verdicts(story, [table for table in TABLES if not table.in_lake])["snapshots"].outcome == "pass"


def test_nothing_was_written() -> None:
    """Runs without a snapshot are no pass."""
    story = told(plays=("first",))
    story.traces = []
    assert "there is no snapshot yet" in verdicts(story)["snapshots"].rationale
    assert verdicts(story)["nodes"].outcome == "blocked"
