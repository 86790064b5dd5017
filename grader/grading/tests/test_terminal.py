"""What a verdict shows at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.checks.course import Item
from grader.checks.model import Check, Evidence, Failure, Passed
from grader.checks.runner import run
from grader.grading.grade import verdict
from grader.grading.terminal import show
from grader.submission import reference
from pipelines.local.state import StateDir

QUERY = "SELECT carrier FROM lake.raw.flights WHERE carrier IN ('[ua]', 'B6')"


def failing(_: Any) -> Passed:
    """Say what is wrong, with rows."""
    evidence = Evidence(
        columns=("day", "carrier", "copies"), rows=[("2013-03-09", "[ua]", 2), ("2013-03-10", None, 3)],
        expected="every key once", found="2 keys [bold]twice[/bold]", query=QUERY,
    )  # fmt: skip
    raise Failure("2 keys occur [twice]", evidence=evidence, hints=("first hint?", "second hint", "third hint"))


def breaking(_: Any) -> Passed:
    """Break."""
    raise LookupError("[nothing] there")


def check(name: str, function: Any = lambda _: Passed("ok"), depends: tuple[str, ...] = ()) -> Check:
    """Declare a check."""
    return Check(
        id=name, title=f"Title of {name}.", item=name[:3], points=1, needs=(), depends=depends, function=function
    )


@pytest.fixture
def document() -> dict[str, Any]:
    """A verdict with each outcome."""
    checks = [
        check("M02-right"), check("M03-keys", failing), check("M03-same", depends=("M03-keys",)),
        check("M08-edges", breaking),
    ]  # fmt: skip
    course = [Item(id=name, title=f"about {name}", points=10) for name in ("M02", "M03", "M08")]
    return verdict(reference(), run(checks, object()), course)  # type: ignore[arg-type]  # nothing is asked of it


def printed(document: dict[str, Any], home: Path, width: int = 160) -> list[str]:
    """Print a verdict, and give its lines."""
    console = Console(width=width, record=True, highlight=False)
    with console.capture() as capture:
        show(document, StateDir(root=home), console)
    return capture.get().splitlines()


def line(lines: list[str], *words: str) -> str:
    """Find the one line that has some words."""
    (found,) = [one for one in lines if all(word in one for word in words)]
    return found


def test_items(document: dict[str, Any], tmp_path: Path) -> None:
    """Each item has its mark, title, points, and how many of its checks passed."""
    lines = printed(document, tmp_path)
    assert line(lines, "about M02").split() == ["✓", "M02", "about", "M02", "10", "of", "10", "1", "of", "1", "checks"]
    assert line(lines, "about M03").startswith("✗")
    assert "0 of 2 checks" in line(lines, "about M03")
    assert line(lines, "about M08").startswith("!")
    assert "10 of 30 points" in lines


def test_a_failure_shows_its_rows(document: dict[str, Any], tmp_path: Path) -> None:
    """Title, rationale, rows under their columns, expected and found, query, first hint; brackets stay as they are."""
    lines = printed(document, tmp_path)
    begin = lines.index("✗ M03-keys Title of M03-keys.")
    assert lines[begin + 1] == "  2 keys occur [twice]"
    assert line(lines, "day", "carrier", "copies").split() == ["day", "carrier", "copies"]
    assert line(lines, "2013-03-09").split() == ["2013-03-09", "[ua]", "2"]
    assert line(lines, "2013-03-10").split() == ["2013-03-10", "NULL", "3"]
    assert line(lines, "expected: every") == "  expected: every key once   found: 2 keys [bold]twice[/bold]"
    assert f"  {QUERY}" in lines
    assert line(lines, "hint:") == "  hint: first hint?  (more: batchlab hint M03-keys)"
    assert not [one for one in lines if "second hint" in one]


def test_what_was_not_judged(document: dict[str, Any], tmp_path: Path) -> None:
    """A check that another one blocks is named with the reason; one that broke says how."""
    lines = printed(document, tmp_path)
    assert "· M03-same was not judged: M03-keys did not pass" in lines
    assert line(lines, "could not run") == "  the check could not run: LookupError: [nothing] there"


def test_a_long_query_can_be_pasted(document: dict[str, Any], tmp_path: Path) -> None:
    """On a narrow terminal a query is not broken into lines by us."""
    assert f"  {QUERY}" in printed(document, tmp_path, width=40)


def test_mode_and_page(document: dict[str, Any], tmp_path: Path) -> None:
    """It says which mode it was, and names the page only where there is one."""
    assert document["mode"] in printed(document, tmp_path)
    assert not [one for one in printed(document, tmp_path) if "The page" in one]
    page = StateDir(root=tmp_path).report / "grade.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert f"The page: {page}" in printed(document, tmp_path, width=40)


def test_a_note_is_shown(document: dict[str, Any], tmp_path: Path) -> None:
    """What was left out is said beside the item."""
    document["items"]["M02"]["note"] = "the submission has no dbt"
    assert line(printed(document, tmp_path), "about M02").endswith("the submission has no dbt")
