"""The page as a document: well-formed, alone, safe, and there for partial data too."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from grader.report import page as page_module
from grader.report import render, render_lineage, write
from grader.report.tests.markup import Markup
from grader.report.tests.sample import failing_sample, lineage, sample

EVIL = "\"><img src=x onerror=alert(1)><script>alert(2)</script>' {{ 7*7 }} </style></title>"


def poisoned(value: Any) -> Any:
    """Append a hostile text to every string but those whose exact value has a meaning, and to every other key."""
    meaning = {"pass", "fail", "Pod", "Retry", "DAG", "Steps", "StepGroup", "Succeeded", "Failed", "first", "second"}
    if isinstance(value, dict):
        return {key: poisoned(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [poisoned(entry) for entry in value]
    return value + EVIL if isinstance(value, str) and value not in meaning else value


@pytest.mark.parametrize("report", [sample(), failing_sample(), {}], ids=["passing", "failing", "empty"])
def test_page_is_well_formed_and_loads_nothing(report: dict[str, Any]) -> None:
    """Elements nest, ids are unique, every inner link has its target, and no address is loaded."""
    html = render(report)
    markup = Markup(html)
    assert markup.problems == []
    assert [load for load in markup.loads if not load.startswith("#")] == []
    assert {target[1:] for target in markup.targets} - set(markup.ids) == set()
    assert not re.search(r"https?://|url\(|@import", html)


def test_page_says_what_was_proven() -> None:
    """The verdict, the days, every item and the summary's lines are in the text."""
    said = " ".join(Markup(render(sample())).text)
    assert "8 of 10 skills are shown; 2 wait for a cluster." in said
    for part in (*sample()["summary"]["lines"], "2013-03-09 … 11", "Backfill of a past range, idempotent"):
        assert part in said


def test_failing_page_shows_evidence() -> None:
    """A failed check shows rationale, expected, found, rows, partition, query and hint."""
    said = " ".join(Markup(render(failing_sample())).text)
    check = failing_sample()["items"]["M03"]["checks"][0]
    parts = (check["rationale"], check["hint"], *(check["evidence"][key] for key in ("expected", "found", "query")))
    for part in (*parts, "2013-03-10T19:35:00", "flight_date=2013-03-10", "null", "M03, M09 and M10"):
        assert part in said


def test_texts_of_workflows_are_escaped() -> None:
    """A hostile text in every string of the report adds no element, no attribute and no script."""
    clean, dirty = Markup(render(failing_sample())), Markup(render(poisoned(failing_sample())))
    assert dirty.problems == []
    assert dirty.tags.count("script") == clean.tags.count("script")
    assert "img" not in dirty.tags
    assert not [name for _, name, _ in dirty.attributes if name.startswith("on")]
    assert "49" not in re.findall(r"' (\S+) </style>", " ".join(dirty.text))


def test_policy_allows_only_the_pages_own_scripts() -> None:
    """The content policy names the hash of each script, and nothing may be loaded."""
    html = render({})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    hashes = re.findall(r"'sha256-([^']+)'", policy[1].replace("&#39;", "'"))
    assert hashes == [page_module._digest(script) for script in re.findall(r"<script>(.*?)</script>", html, re.DOTALL)]
    assert policy[1].startswith("default-src 'none'")


JUNK: list[Any] = [None, [], {}, "x", 7, [None, 7, "x", {}, []], {"a": None}, float("nan")]


@pytest.mark.parametrize("key", ["items", "runs", "lineage", "partitions", "timings", "versions", "sideEffects", "days",
                                 "summary", "title", "generatedAt"])  # fmt: skip
def test_malformed_parts_do_not_stop_the_page(key: str) -> None:
    """Whatever stands in one part, the rest of the report is still shown."""
    for junk in JUNK:
        assert Markup(render(small_sample() | {key: junk})).problems == []


def small_sample() -> dict[str, Any]:
    """Give a failing report with one run and a little of everything."""
    report = failing_sample()
    report["runs"] = report["runs"][-1:]
    report["partitions"] = report["partitions"][:2]
    report["lineage"] = {key: value[:6] for key, value in report["lineage"].items()}
    report["items"] = {key: report["items"][key] for key in ("M03", "M09")}
    return report


def test_nested_junk_does_not_stop_the_page() -> None:
    """Any single value anywhere in items, a run, lineage or partitions may be absent or of another type."""
    report = small_sample()
    paths = list(_paths({key: report[key] for key in ("items", "runs", "lineage", "partitions")}))
    for number, path in enumerate(paths[:: max(1, len(paths) // 40)]):
        copy = json.loads(json.dumps(report))
        at = copy
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = JUNK[number % len(JUNK)]
        assert Markup(render(copy)).problems == [], path


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from _paths(entry, (*path, key))


def test_lineage_page_stands_alone() -> None:
    """The lineage page has its graph and list, and an empty one says what to do."""
    markup = Markup(render_lineage(lineage()))
    assert markup.problems == []
    assert "lake.curated.flights" in " ".join(markup.text)
    assert "No lineage was recorded yet" in " ".join(Markup(render_lineage({})).text)


def test_write_makes_both_files_and_leaves_nothing_else(tmp_path: Path) -> None:
    """The folder has the page and a report.json that reads back as given, even with text that is no UTF-8."""
    report = sample() | {"title": "half a \ud83d pair, Zürich, 東京"}
    assert write(report, tmp_path / "new") == tmp_path / "new" / "report.html"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.html", "report.json"]
    assert json.loads((tmp_path / "new" / "report.json").read_text("utf-8")) == json.loads(json.dumps(report))


def test_write_keeps_the_old_page_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while writing leaves the page of before, whole, and no temporary file."""
    write(sample(), tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def crash(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk full"):
        write(failing_sample(), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
