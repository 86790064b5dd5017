"""What the page says about items, partitions, lineage and effects."""

from __future__ import annotations

from typing import Any

import pytest

from grader.report.facts import days_fact, figures, side_effects, timings
from grader.report.heatmap import heat_map
from grader.report.lineage import lineage_view
from grader.report.mastery import items, verdict
from grader.report.tests.sample import failing_sample, lineage, sample
from grader.report.words import duration, listing, short_count


def test_heat_map_tells_what_each_play_did() -> None:
    """One sentence per play counts the partitions it created, rewrote and changed."""
    assert heat_map(sample()).story == [
        "First play: created 21 partitions.",
        "Second play: rewrote 21 partitions with the same content.",
        "Replay: rewrote 1 partition with the same content and changed the content of 6 partitions.",
    ]


def test_a_change_in_the_second_play_is_marked() -> None:
    """Only a second play that changes content is alarming; the replay's changes are its purpose."""
    heat = heat_map(failing_sample())
    cells = [cell for table in heat.tables for block in table.blocks for line in block.lines for cell in line.cells]
    alarms = [cell for cell in cells if cell.alarm]
    assert [(cell.mark.word, cell.rows) for cell in alarms] == [("changed", "1812")]
    assert "not expected" in alarms[0].title
    assert sum(cell.mark.word == "changed" for cell in cells) > 1


def year(runs: int) -> dict[str, Any]:
    """Give a report of one table, 365 days and so many runs."""
    days = [f"flight_date=2013-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32)][:365]
    names = [f"run-{number}" for number in range(runs)]
    return {
        "runs": [{"name": name, "play": "first", "ds": "2013-01-01"} for name in names],
        "partitions": [
            {"table": "t", "partition": day,
             "cells": [{"run": name, "change": "changed" if day == days[40] else "untouched"} for name in names]}
            for day in days
        ],
    }  # fmt: skip


def test_a_year_is_folded_by_month() -> None:
    """Many partitions are in folds that say what is in them."""
    blocks = heat_map(year(3)).tables[0].blocks
    assert len(blocks) == 12
    assert (blocks[1].name, blocks[1].summary) == ("2013-02", "31 partitions: 3 changed; 90 untouched")


def test_a_year_of_many_runs_has_a_row_per_month() -> None:
    """Where single days would make the page too large, a cell shows a month's strongest change and its count."""
    heat = heat_map(year(60))
    lines = heat.tables[0].blocks[0].lines
    assert heat.monthly
    assert [line.name for line in lines][:2] == ["2013-01", "2013-02"]
    assert (lines[1].cells[0].mark.word, lines[1].cells[0].rows) == ("changed", "1")
    assert lines[1].cells[0].title == "30 untouched, 1 changed"


def test_lineage_runs_from_sources_to_published_tables() -> None:
    """Datasets come in the order of their making, each with its job, origins, columns and readers."""
    view = lineage_view(lineage())
    names = [data.name for data in view.datasets]
    assert names[:5] == sorted(names[:5], key=names.index)
    assert {data.stage for data in view.datasets[:5]} == {"source table"}
    assert [data.stage for data in view.datasets[-2:]] == ["published table"] * 2
    curated = next(data for data in view.datasets if data.name == "lake.curated.flights")
    assert curated.jobs == ["transform.curate-flights"]
    assert len(curated.origins) == 5
    assert ("tailnum", "tailnum") in next(o for o in curated.origins if o.dataset == "lake.raw.flights").columns
    assert [name for name, _ in curated.feeds] == ["lake.marts.carrier_daily", "lake.marts.route_daily"]


def test_lineage_edges_add_what_no_dataset_describes() -> None:
    """An edge's end without a description is drawn by its id; a loop and a second job on an edge do no harm."""
    edges = [{"from": "a", "to": "b", "job": "x"}, {"from": "a", "to": "b", "workflow": "w", "node": "n"},
             {"from": "b", "to": "a", "job": "y"}, {"from": "b", "to": "b", "job": "z"}]  # fmt: skip
    view = lineage_view({"edges": edges})
    found = {data.name: data for data in view.datasets}
    assert found["b"].jobs == ["x", "w.n", "z"]
    assert len(view.drawings["narrow"].boxes) == 2


def test_narrow_lineage_keeps_trunks_apart() -> None:
    """In the narrow drawing no two trunks of different tables share a lane where they pass each other."""
    drawing = lineage_view(lineage()).drawings["narrow"]
    spans: dict[str, list[tuple[float, float]]] = {}
    for arrow in drawing.arrows:
        numbers = arrow.path.replace("M", " ").replace("H", " ").replace("Q", " ").replace("V", " ").split()
        start, trunk, end = float(numbers[1]), numbers[3], float(numbers[9])
        spans.setdefault(f"{trunk} {arrow.end}", []).append((min(start, end), max(start, end)))
    lanes = {key: (min(low for low, _ in held), max(high for _, high in held)) for key, held in spans.items()}
    for key, (low, high) in lanes.items():
        for other, (bottom, top) in lanes.items():
            if key != other and key.split()[0] == other.split()[0]:
                assert high < bottom or top < low


@pytest.mark.parametrize(
    ("report", "tone", "headline"),
    [
        (sample(), "ok", "8 of 10 skills are shown; 2 wait for a cluster."),
        (failing_sample(), "bad", "3 of 10 skills are not shown yet: M03, M09 and M10."),
        ({"items": {"M02": {"outcome": "pass"}}}, "ok", "1 of 1 skill is shown."),
        ({"items": {"M02": {"outcome": "fail"}}}, "bad", "1 of 1 skill is not shown yet: M02."),
        ({"summary": {"outcome": "fail"}}, "bad", "Failed."),
        ({}, "hold", "Nothing was checked yet."),
    ],
)
def test_verdict_is_one_sentence(report: dict[str, Any], tone: str, headline: str) -> None:
    """The first sentence says how many skills are shown, or which are not."""
    found = verdict(report, items(report))
    assert (found.mark.tone, found.headline) == (tone, headline)


def test_evidence_of_any_form_is_shown() -> None:
    """Rows may be lists, mappings or values; long tables are cut; unknown facts are kept; nothing gives nothing."""

    def seen(evidence: Any) -> Any:
        return items({"items": {"M": {"checks": [{"evidence": evidence}]}}})[0].checks[0].evidence

    assert seen({"columns": ["a", "b"], "rows": [{"b": 2, "a": None}]}).rows == [["null", "2"]]
    assert seen({"rows": [1, [2, 3]]}).rows == [["1"], ["2", "3"]]
    assert (len(seen({"rows": [[0]] * 80}).rows), seen({"rows": [[0]] * 80}).left_out) == (50, 30)
    assert seen({"snapshot": 7}).others == [("snapshot", "7")]
    assert seen("it was there").found == "it was there"
    assert seen({}) is None
    assert seen({"columns": ["a"], "rows": []}) is None


def test_side_effects_that_doubled_are_told() -> None:
    """Deliveries and effects are added up, and a key with two effects is named as doubled."""
    _, said = side_effects(sample())
    assert said == "7 deliveries had 4 effects. No key took effect twice."
    found, said = side_effects({"sideEffects": [{"key": "k", "deliveries": 2, "effects": 2}]})
    assert found[0].doubled
    assert said == "2 deliveries had 2 effects. 1 key took effect more than once."


def test_small_facts() -> None:
    """Days, durations, counts and lists read as a person writes them."""
    assert days_fact({"days": ["2013-03-09"]}) == ("2013-03-09", "1 day")
    assert days_fact({"days": ["2013-02-27", "2013-03-01"]}) == ("2013-02-27 … 03-01", "2 days")
    assert days_fact({}) == ("", "")
    said = [duration(seconds) for seconds in (None, 0, 0.42, 9, 59.6, 125, 3780)]
    assert said == ["", "< 1 s", "0.4 s", "9 s", "1 min 00 s", "2 min 05 s", "1 h 03 min"]
    counts = [short_count(rows) for rows in (897, 9999, 27_004, 336_776, 1_234_567)]
    assert counts == ["897", "9999", "27.0k", "337k", "1.2M"]
    assert [listing(list("abcdef"[:size])) for size in (0, 1, 2, 6)] == ["", "a", "a and b", "a, b, c, d and 2 more"]
    assert timings({"timings": [{"label": "x", "seconds": 2}, {"label": "y"}]})[0].width == 100
    assert {term: value for term, value, _ in figures(sample())}["Workflow runs"] == "7"
