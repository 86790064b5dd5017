"""What a bad input tainted: over tables, partitions, snapshots and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from grader.lineage.taint.answer import Answer, answer
from grader.lineage.taint.question import Question, understand
from grader.lineage.taint.tests.past import NINE, REPORT, TEN, Past, past
from grader.lineage.tests.story import CARRIER, CURATED, RAW
from pipelines.local.errors import BadInput

KNOWN = {RAW: frozenset({"dep_delay", "tailnum"}), "ops.flights": frozenset({"flight_date", "dep_delay", "tailnum"})}


def ask(told: Past, dataset: str, deliveries: Sequence[Mapping[str, Any]] = (), **more: Any) -> Answer:
    """Ask about a past."""
    history = told.history()
    return answer(understand(Question(dataset=dataset, **more), history, KNOWN), history, deliveries)


def states(found: Answer) -> dict[tuple[str, str, str], str]:
    """Status by dataset, day and run."""
    return {(one.write.dataset, one.write.ds, one.write.workflow): one.status for one in found.found}


def snapshot(told: Past, table: str, run: str) -> str:
    """The snapshot of a table that a run made."""
    return next(str(one.snapshot) for one in told.traces if (one.table, one.workflow) == (table, run))


def test_bad_snapshot_and_what_was_rewritten_since() -> None:
    """What was made from the bad snapshot is clean where it was rewritten, and tainted where it was not."""
    told = past()
    found = ask(told, "raw.flights", snapshot=snapshot(told, RAW, f"ingest-{NINE}-1"))
    assert states(found) == {
        (CURATED, NINE, f"transform-{NINE}-1"): "clean",
        (CARRIER, NINE, f"transform-{NINE}-1"): "clean",
        (REPORT, NINE, f"publish-{NINE}-1"): "tainted",
    }
    assert [one.command for one in found.repairs] == [
        f"batchlab backfill cluster/apps --name publish --from {NINE} --to {NINE}"
    ]
    rewritten = found.as_json()["tainted"][0]["rewrittenBy"]
    assert (rewritten["run"], rewritten["node"]) == (f"transform-{NINE}-2", "curate")
    assert "1 partition of 1 table now holds content" in found.sentence
    assert "2 partitions did, and have been rewritten since" in found.sentence


def test_snapshot_that_few_have_read() -> None:
    """Who read the partition before the bad snapshot was committed is not tainted by it."""
    told = past()
    found = ask(told, RAW, snapshot=snapshot(told, RAW, f"ingest-{NINE}-2"))
    assert set(states(found)) == {(one, NINE, f"transform-{NINE}-2") for one in (CURATED, CARRIER)}
    assert {one.pipeline for one in found.repairs} == {"ingest", "transform"}


def test_all_that_was_ever_written() -> None:
    """Without a snapshot, all that a partition ever held is taken for bad, and that is said; other days are not."""
    found = ask(past(), RAW, partitions=(f"flight_date={NINE}",))
    assert states(found)[CURATED, NINE, f"transform-{NINE}-1"] == "tainted again"
    assert states(found)[REPORT, NINE, f"publish-{NINE}-1"] == "tainted"
    assert not [key for key in states(found) if key[1] == TEN]
    assert any("--snapshot or --run" in note for note in found.notes)
    assert [(one.pipeline, str(one.first), str(one.last)) for one in found.repairs] == [("daily", NINE, NINE)]


def test_a_run_that_wrote_it() -> None:
    """A run's writes are bad; what another run wrote of the same partition is not."""
    found = ask(past(), RAW, run=f"ingest-{TEN}-1")
    assert {key[1] for key in states(found)} == {TEN}
    assert set(states(found).values()) == {"tainted"}


@pytest.mark.parametrize(
    ("column", "tainted"),
    [
        ("dep_delay", {CURATED: ["dep_delay"], CARRIER: ["dep_delay_minutes"], REPORT: ["dep_delay_minutes"]}),
        ("TAILNUM", {CURATED: ["tailnum"]}),
    ],
)
def test_column_paths(column: str, tainted: dict[str, list[str]]) -> None:
    """Only what is computed from the column is tainted; the webhook, whose columns nobody tells, as a whole."""
    found = ask(past(), RAW, partitions=(TEN,), column=column)
    document = found.as_json()
    assert {one["dataset"]: one["columns"] for one in document["tainted"]} == tainted
    blind = any("no event tells which columns of webhook" in note for note in found.notes)
    assert blind == (REPORT in tainted)


def test_column_that_decides_which_rows_there_are() -> None:
    """A column that rows are filtered or joined by taints all columns."""
    told = past()
    for one in told.events:
        if one["outputs"][0]["name"].endswith("curated/flights"):
            (source,) = one["inputs"]
            place = {"namespace": source["namespace"], "name": "/w/raw/flights"}
            how = [{"subtype": "JOIN"}]
            lineage = one["outputs"][0]["facets"]["columnLineage"]
            lineage["dataset"] = [{**place, "field": "tailnum", "transformations": how}]
    found = ask(told, RAW, partitions=(TEN,), column="tailnum")
    by_name = {one.write.dataset: one.tainted.columns for one in found.found}
    assert by_name[CURATED] is None
    assert by_name[CARRIER] == by_name[REPORT] is None


def test_source_that_no_run_writes() -> None:
    """What runs of a day read of the operational database taints that day; one run's reading, what came of that."""
    found = ask(past(), "ops.flights", partitions=(TEN,))
    assert {key[1] for key in states(found)} == {TEN}
    assert {one.pipeline for one in found.repairs} == {"daily"}
    assert any("put it right first" in note for note in found.notes)
    found = ask(past(), "ops.flights", run=f"ingest-{NINE}-1")
    assert states(found)[RAW, NINE, f"ingest-{NINE}-1"] == "clean"
    assert states(found)[REPORT, NINE, f"publish-{NINE}-1"] == "tainted"


def test_version_not_given() -> None:
    """Where an event names no snapshot, a run read what was there when it began."""
    told = past()
    for one in told.events:
        for use in one["inputs"]:
            use["facets"].pop("version", None)
    found = ask(told, RAW, snapshot=snapshot(told, RAW, f"ingest-{NINE}-2"))
    assert set(states(found)) == {(one, NINE, f"transform-{NINE}-2") for one in (CURATED, CARRIER)}


def test_version_that_was_pinned() -> None:
    """A run that began after the correction, and read the bad snapshot all the same, is tainted by that alone."""
    told = past()
    bad, good = (snapshot(told, RAW, f"ingest-{NINE}-{number}") for number in (1, 2))
    told.transform("pinned", NINE, bad)
    assert states(ask(told, RAW, snapshot=bad))[CURATED, NINE, "pinned"] == "tainted"
    assert not [key for key in states(ask(told, RAW, snapshot=good)) if key[2] == "pinned"]


def test_what_a_run_read_later() -> None:
    """What a run reads after its commit, for another attempt, did not go into that commit."""
    told = past()
    bad = snapshot(told, RAW, f"ingest-{TEN}-1")
    told.event(f"transform-{NINE}-2", "curate", {RAW: bad}, {CURATED: ""}, filter="true")
    assert not [key for key in states(ask(told, RAW, snapshot=bad)) if key[1] == NINE]


def test_rows_that_were_kept() -> None:
    """A partition that was appended to, or merged into, still holds what was bad in it."""
    told = past()
    told.kept = frozenset({snapshot(told, CURATED, f"transform-{NINE}-2")})
    bad = snapshot(told, RAW, f"ingest-{NINE}-1")
    assert states(ask(told, RAW, snapshot=bad))[CURATED, NINE, f"transform-{NINE}-2"] == "tainted"
    told.kept = frozenset()
    before = snapshot(told, CURATED, f"transform-{NINE}-1")
    for one in told.events:  # as a MERGE does: it reads the table that it changes
        if one["outputs"][0]["name"].endswith("curated/flights") and f"transform-{NINE}-2" in str(one):
            own = {**one["outputs"][0], "facets": {**one["outputs"][0]["facets"]}}
            own["facets"]["version"] = {"datasetVersion": before}
            one["inputs"] = [*one["inputs"], own]
    assert states(ask(told, RAW, snapshot=bad))[CURATED, NINE, f"transform-{NINE}-2"] == "tainted"


@pytest.mark.parametrize(
    ("scan", "days"),
    [
        ('(ref(name="flight_date") >= "(date)" and ref(name="flight_date") <= "(date)")', {"08", "09", "10"}),
        ('ref(name="flight_date") == "(date)"', {"09"}),
        (None, {"09"}),
        ("true", {"08", "09", "10"}),
    ],
)
def test_days_that_are_read(scan: str | None, days: set[str]) -> None:
    """A run that reads a range of weather is tainted by its neighbours' days; the scan's filter tells."""
    told, weather = Past(), "lake.raw.weather"
    version = ""
    for ds in ("2013-03-07", "2013-03-08", NINE, TEN, "2013-03-11"):
        told.run(f"ingest-{ds}", ds, ["extract"], "ingest")
        version = told.write(f"ingest-{ds}", "extract", weather, {"ops.weather": ""}, ds)
    for ds in ("2013-03-08", NINE, TEN):
        told.run(f"transform-{ds}", ds, ["curate"])
        told.write(f"transform-{ds}", "curate", CURATED, {weather: version}, ds, filter=scan)
    found = ask(told, weather, partitions=(f"flight_date={NINE}",))
    assert {key[1][-2:] for key in states(found)} == days
    assert any("other days" in note for note in found.notes) == (len(days) > 1)


def test_reapplied_snapshot_of_a_branch() -> None:
    """A staged snapshot's rows are followed to the one that made them visible; one never published tainted nobody."""
    told = past()
    staged = told.commit(RAW, f"ingest-{TEN}-2", "extract", TEN, visible=False)
    told.run(f"ingest-{TEN}-2", TEN, ["extract", "write"], "ingest")
    assert ask(told, RAW, snapshot=staged).sentence.startswith("nothing now holds")
    published = told.commit(RAW, f"ingest-{TEN}-2", "write", TEN)
    told.transform(f"transform-{TEN}-2", TEN, published)
    found = ask(told, RAW, snapshot=staged)
    assert {key[2] for key in states(found)} == {f"transform-{TEN}-2"}
    assert any(published in note for note in found.notes)


def test_rewritten_by_nobody_known() -> None:
    """A commit by hand may have been made from anything: the partition is called clean, and the doubt is said."""
    told = past()
    told.commit(CURATED, "", "", TEN)
    found = ask(told, RAW, partitions=(TEN,))
    assert states(found)[CURATED, TEN, f"transform-{TEN}-1"] == "clean"
    assert any("names no run" in note for note in found.notes)


def test_deliveries() -> None:
    """Calls of the webhook that came for the day while a tainted run told it are listed, others are not."""
    told = past()
    at = next(one["eventTime"] for one in told.events if f"publish-{TEN}-1.notify" in str(one))
    calls = [
        {"key": "a", "receivedAt": at, "effect": True, "body": {"ds": TEN}},
        {"key": "b", "receivedAt": at, "effect": True, "body": {"ds": NINE}},
        {"key": "c", "receivedAt": "2027-01-01T00:00:00+00:00", "effect": True, "body": {"ds": TEN}},
        {"key": None, "receivedAt": at, "effect": False, "body": "no JSON"},
    ]
    found = ask(told, RAW, calls, partitions=(TEN,))
    assert [(one["key"], one["run"]) for one in found.deliveries] == [("a", f"publish-{TEN}-1")]
    assert "the webhook acted on 1 announcement" in found.sentence
    assert "webhook" in {end for pair in found.within(_graph(told)).edges for end in pair}
    assert "webhook" not in {end for pair in ask(told, RAW).within(_graph(told)).edges for end in pair}


def _graph(told: Past):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from grader.lineage.graph import graph_of

    return graph_of(told.executions())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"dataset": "raw.trains"}, f"dataset raw.trains; there are: {CURATED}"),
        ({"partitions": ("flight_date=2013-04-01",)}, f"written are: flight_date={NINE}, flight_date={TEN}"),
        ({"partitions": ("nine",)}, "'nine' is not COLUMN=VALUE"),
        ({"column": "colour"}, "has no column colour; it has: dep_delay, tailnum"),
        ({"snapshot": "4711"}, "has no snapshot 4711; its newest are: "),
        ({"run": "nobody"}, "there is no run named nobody; there are: ingest-"),
        ({"run": f"publish-{NINE}-1"}, f"did not write {RAW}; these did: ingest-"),
        ({"run": f"ingest-{NINE}-1", "partitions": (TEN,)}, "no such write; leave one of the options out"),
        ({"dataset": "ops.flights", "snapshot": "1"}, "it has no snapshots"),
        ({"dataset": "ops.flights", "partitions": ("2013-04-01",)}, f"read were: {NINE}, {TEN}"),
        ({"dataset": "ops.flights", "run": f"publish-{NINE}-1"}, "did not read ops.flights; these did: ingest-"),
        ({"dataset": REPORT, "snapshot": "1"}, "it is no Iceberg table"),
    ],
)
def test_what_does_not_exist(more: dict[str, Any], says: str) -> None:
    """A dataset, partition, column, snapshot or run that is not there is named, with those that are."""
    with pytest.raises(BadInput) as caught:
        ask(past(), **{"dataset": RAW, **more})
    assert says in str(caught.value)


def test_source_of_no_day() -> None:
    """A table whose rows are of no day has no partitions to name."""
    told = past()
    for one in told.events:
        one["inputs"] = [{**use, "name": use["name"].replace("ops.flights", "ops.airlines")} for use in one["inputs"]]
    history = told.history()
    with pytest.raises(BadInput, match="are of no day; leave it out"):
        understand(Question(dataset="ops.airlines", partitions=(NINE,)), history, {"ops.airlines": frozenset({"name"})})
    assert understand(Question(dataset="ops.airlines"), history, {}).source is not None


def test_nothing_ran() -> None:
    """Before the first run there is no dataset to ask about."""
    with pytest.raises(BadInput, match="run a pipeline"):
        ask(Past(), RAW)
