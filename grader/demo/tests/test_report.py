"""What the report says of a small world."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from grader.checks.catalog import CHECKS
from grader.checks.course import Item, items, verdicts
from grader.checks.model import Check
from grader.checks.runner import run
from grader.checks.tests.world import DAYS, World
from grader.demo.closing import close
from grader.demo.report import document, heat
from grader.report import write

COURSE = items()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two days, played twice."""
    made = World.make(tmp_path_factory.mktemp("world"))
    made.days = DAYS[:2]
    made.play("first", DAYS[:2])
    made.play("second", DAYS[1::-1])
    return made


def judged(world: World) -> list[Check]:
    """The checks for which everything was played, as the demo chooses them."""
    found = [check for check in CHECKS if all(world.has(need) for need in check.needs)]
    assert {check.item for check in found} == {f"M{number:02}" for number in range(2, 11)} - {"M04"}
    return found


def test_heat_map(world: World) -> None:
    """A first run creates its day, a second rewrites it with the same content, and others' runs leave it alone."""
    cells = {
        (entry["table"], entry["partition"]): [cell["change"] for cell in entry["cells"]]
        for entry in heat(world.lake, world.runs())
    }
    own = ["created", "untouched", "untouched", "rewritten-same"]
    assert cells["lake.raw.flights", "flight_date=2013-03-09"] == own
    assert cells["reporting.route_daily", "flight_date=2013-03-09"] == own
    assert cells["lake.marts.route_daily", "flight_date=2013-03-10"] == [
        "absent",
        "created",
        "rewritten-same",
        "untouched",
    ]
    assert len(cells) == 14


def test_document(world: World, tmp_path: Path) -> None:
    """The report has every item with its verdict and evidence, is JSON, and can be drawn."""
    results = run(judged(world), world)
    found = document(world, results, COURSE, {"load": 1.0}, 2.0)
    assert found["summary"]["outcome"] == "pass"
    assert list(found["items"]) == [f"M{number:02}" for number in range(1, 11)]
    outcomes = {name: item["outcome"] for name, item in found["items"].items()}
    assert {name for name, outcome in outcomes.items() if outcome == "waiting"} == {"M01", "M04"}
    assert all(outcome == "pass" for name, outcome in outcomes.items() if name not in {"M01", "M04"})
    assert "M01 and M04 wait for a cluster" in found["summary"]["lines"][-1]
    assert found["runs"][0]["nodes"]
    page = write(found, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["days"] == ["2013-03-09", "2013-03-10"]
    assert "lake.curated.flights" in page.read_text()


def test_failure_is_said_first(world: World, tmp_path: Path) -> None:
    """The summary begins with the duplicated keys, and the last words show the rows and the report's path."""
    spoiled = world.copy(tmp_path)
    spoiled.play("second", DAYS[:1], append=frozenset({"lake.curated.flights"}))
    results = run(judged(spoiled), spoiled)
    found = document(spoiled, results, COURSE, {}, 2.0)
    assert found["summary"]["outcome"] == "fail"
    assert found["summary"]["lines"][0].startswith(
        "M03-keys: lake.curated.flights flight_date=2013-03-09 has 6 duplicated"
    )
    console = Console(width=200, record=True, quiet=False)
    with console.capture() as capture:
        close(console, found, results, tmp_path / "report.html")
    text = capture.get()
    assert "copies" in text
    assert "GROUP BY" in text
    assert str(tmp_path / "report.html") in text


def test_items_come_from_the_course() -> None:
    """Checks belong to items that the course has, and items without checks wait."""
    known = {item.id for item in COURSE}
    assert {check.item for check in CHECKS} <= known
    found = verdicts([], [Item(id="M01", title="t", points=10, needs_cluster=True)])
    assert found["M01"]["outcome"] == "waiting"
    assert found["M01"]["note"] == "waits for the cluster"
