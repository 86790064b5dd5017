"""How a verdict is said: text and HTML tell the same, and an instructor's check does not give itself away."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from grader.notebook.show import Shown, as_html, as_text
from grader.notebook.verdict import Verdict, read_verdict


def made(outcome: str, *, name: str = "M03-keys", **more: Any) -> Verdict:
    """A verdict on an item of one check."""
    evidence = {"columns": ["carrier", "copies"], "rows": [["<AA>", 2]] * 12, "expected": "every key once",
                "found": "12 keys twice", "query": "SELECT 'x' < 'y'"}  # fmt: skip
    check = {"id": name, "title": "No key occurs twice", "outcome": outcome, "rationale": "12 keys & more occur twice",
             "evidence": evidence, "hint": "What does the write do?", **more}  # fmt: skip
    other = {**check, "id": "M03-same", "outcome": "pass", "rationale": "all the same"}
    item = {"title": "Run twice", "outcome": outcome, "points": 5, "max_points": 10, "checks": [check, other]}
    return read_verdict({"items": {"M03": item}}, "M03", 4)


def test_text_and_html_say_the_same() -> None:
    """Heading, rationale, expected, found, query and hint are in both; HTML is escaped and has ten rows at most."""
    verdict = made("fail")
    text, html = as_text(verdict), as_html(verdict)
    plain = unescape(re.sub(r"<[^>]+>", " ", html))
    for part in ("M03: Run twice: fail, 2 of 4 points", "12 keys & more", "every key once", "12 keys twice",
                 "SELECT 'x' < 'y'", "What does the write do?", "M03-same", "<AA>"):  # fmt: skip
        assert part in text
        assert part in plain
    assert "<AA>" not in html
    assert text.count("<AA>") == html.count("&lt;AA&gt;") == 10
    assert repr(Shown(verdict)) == text
    assert Shown(verdict)._repr_html_() == html


def test_html_needs_nothing_from_outside() -> None:
    """No script, link or picture: a feedback page opens anywhere."""
    assert not re.search(r"<script|<link|<img|https?://|\son\w+=", as_html(made("fail")))


def test_a_hidden_check_shows_its_verdict_and_no_more() -> None:
    """Title and rationale are shown; rows, query and hint, which would give the check away, are not."""
    verdict = made("fail", name="M03-hidden-empty-day")
    for said in (as_text(verdict), as_html(verdict)):
        assert "12 keys" in said
        assert "SELECT" not in said
        assert "What does the write do" not in said


def test_a_hidden_check_that_broke_does_not_quote_itself() -> None:
    """The message of an error may hold the check's own code."""
    secret = "the check could not run: KeyError: SECRET = 7"
    verdict = made("error", name="M03-hidden-empty-day", rationale=secret)
    for said in (as_text(verdict), as_html(verdict)):
        assert "SECRET" not in said
        assert "an instructor" in said


def test_a_score_lies_between_nothing_and_the_points() -> None:
    """Whatever a document says, a cell cannot give less than 0 or more than its points."""
    for points, expected in ((-3, 0.0), (99, 4.0), (float("nan"), 0.0), ("x", 0.0)):
        item = {"outcome": "fail", "points": points, "max_points": 10, "checks": [{"id": "M03-a", "outcome": "fail"}]}
        assert read_verdict({"items": {"M03": item}}, "M03", 4).score == expected


def test_what_the_reference_stands_in_for_scores_nothing() -> None:
    """Where the submission leaves parts out, points are the scaled ones, a single check gives none, and it says so."""
    note = "the submission has no pipelines.publish: taken from the reference, which scores nothing"
    checks = [{"id": "M03-keys", "title": "t", "outcome": "pass", "rationale": "r"}]
    items = {"M03": {"outcome": "pass", "points": 6.7, "max_points": 10, "checks": checks, "note": note,
                     "lacking": ["pipelines.publish"]}}  # fmt: skip
    item, check = read_verdict({"items": items}, "M03", 4), read_verdict({"items": items}, "M03-keys", 4)
    assert item.score == 4 * 0.67
    assert check.score == 0.0
    assert note in as_text(check)
    assert note in as_html(item)


def test_a_note_alone_costs_nothing() -> None:
    """What waits for a cluster is said; what was judged here, and passed, gives its points."""
    checks = [{"id": "M01-release", "title": "t", "outcome": "pass", "rationale": "r"}]
    items = {"M01": {"outcome": "pass", "points": 10, "max_points": 10, "checks": checks, "note": "needs a cluster"}}
    for wanted in ("M01", "M01-release"):
        found = read_verdict({"items": items}, wanted, 3)
        assert found.score == 3.0
        assert "needs a cluster" in as_text(found)
