"""Choosing checks, what they need to have been played, and the points of what was brought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.checks.catalog import CHECKS
from grader.checks.course import Item
from grader.checks.model import Check, Outcome, Passed, Result
from grader.grading.grade import PRACTICE, choose, needed_plays, outcomes, verdict
from grader.grading.plays import PLAYS
from grader.submission import Submission, reference
from grader.submission.folder import PIPELINES
from pipelines.local.errors import BadInput


def ids(*names: str, faults: bool = True) -> list[str]:
    """Name the checks that some names choose."""
    return [check.id for check in choose(names, faults=faults)]


def test_all_of_them() -> None:
    """Without a name all checks are chosen, in the order of the items."""
    assert ids() == [check.id for check in CHECKS]


def test_an_item_and_what_it_depends_on() -> None:
    """An item is all of its checks, and those of other items that they depend on; each once, in order."""
    found = ids("M10")
    assert found == ["M03-succeeds", "M10-order", "M10-range"]
    assert ids("M10", "M10-order", "M03-succeeds") == found


def test_a_check_and_what_it_depends_on() -> None:
    """A check brings what it depends on, and what that depends on."""
    assert ids("M06-wall-clock") == ["M06-schedule", "M06-logical-date", "M06-wall-clock"]
    assert ids("M03-announced") == ["M03-succeeds", "M03-effects", "M03-announced"]
    assert ids("M05-names") == ["M05-names"]


def test_dependencies_are_checks() -> None:
    """What a check depends on is there, and needs no play that the check itself does not lead to."""
    known = {check.id for check in CHECKS}
    assert {name for check in CHECKS for name in check.depends} <= known


@pytest.mark.parametrize("name", ["M99", "M03-nothing", "m03", "", "M03-"])
def test_what_there_is_not(name: str) -> None:
    """An item or check that there is not is refused, with those that there are."""
    with pytest.raises(BadInput, match="there is no item or check") as caught:
        choose([name], faults=True)
    assert "M01, M02" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_faults() -> None:
    """Quick grading leaves out what needs a fault, and keeps what the others depend on."""
    left = set(ids()) - set(ids(faults=False))
    assert left == {check.id for check in CHECKS if any(need in PLAYS and PLAYS[need].fault for need in check.needs)}
    assert {"M03-crash", "M07-final", "M07-transient", "M07-reports", "M09-blocks"} <= left
    assert ids("M03-crash", faults=False) == ["M03-succeeds", "M03-late"]


def test_plays_of_checks() -> None:
    """Each pipeline plays what its checks look at, and what no check of it needs is not played."""
    assert needed_plays(choose(["M05-conditions"], faults=True), PIPELINES) == {}
    found = needed_plays(choose(["M09-blocks"], faults=True), PIPELINES)
    assert found == {"transform": ["second", "gate"]}
    found = needed_plays(choose(["M03-same"], faults=True), PIPELINES)
    assert found == {name: ["first", "second"] for name in PIPELINES}
    assert list(needed_plays(choose([], faults=True), PIPELINES)) == list(PIPELINES)


def test_plays_of_a_scope() -> None:
    """Pipelines that are not judged are not asked for, and plays are of pipelines that have them."""
    every = needed_plays(choose([], faults=True), PIPELINES)
    assert "bad" in every["ingest"]
    assert "bad" not in every["transform"]
    assert ("flaky" in every["publish"], "flaky" in every["ingest"]) == (True, False)
    assert set(needed_plays(choose([], faults=True), ("ingest",))) == {"ingest"}
    assert needed_plays(choose(["M09"], faults=True), ("ingest",)) == {}


def results(**given: Outcome) -> list[Result]:
    """Verdicts of checks that are named by item and number: `M03_1`."""

    def check(name: str) -> Check:
        item = name.partition("_")[0]
        return Check(
            id=name.replace("_", "-"), title="It is.", item=item, points=1, needs=(), depends=(),
            function=lambda _: Passed(""),
        )  # fmt: skip

    return [Result(check=check(name), outcome=outcome, rationale=outcome) for name, outcome in given.items()]


COURSE = [
    Item(id="M03", title="twice", points=10, shows=("pipelines.ingest", "pipelines.transform", "pipelines.publish")),
    Item(id="M09", title="dbt", points=10, shows=("dbt",)),
    Item(id="M99", title="other", points=10),
]


def brings(*parts: str) -> Submission:
    """A submission that brings some parts."""
    return replace(reference(), brought=frozenset(parts))


def test_whole_verdict() -> None:
    """Points are summed over the items that were judged; others are not in it."""
    found = verdict(reference(), results(M03_1="pass", M03_2="fail", M99_1="pass"), COURSE)
    assert (found["score"], found["max_score"], list(found["items"])) == (15.0, 20, ["M03", "M99"])
    assert (found["target"], found["mode"]) == ("local", PRACTICE)
    assert found["submission"] == str(reference().root)
    assert not {"note", "lacking"} & set(found["items"]["M03"])


@pytest.mark.parametrize(
    ("parts", "points", "lacking"),
    [
        (("pipelines.ingest",), 3.3, "no pipelines.transform, pipelines.publish"),
        (("pipelines.ingest", "pipelines.publish", "flux"), 6.7, "no pipelines.transform"),
    ],
)
def test_points_of_parts(parts: tuple[str, ...], points: float, lacking: str) -> None:
    """What was taken from the reference earns nothing: of three parts, one brings a third."""
    entry: dict[str, Any] = verdict(brings(*parts), results(M03_1="pass", M03_2="pass"), COURSE)["items"]["M03"]
    assert (entry["points"], entry["max_points"], entry["outcome"]) == (points, 10, "pass")
    assert lacking in entry["note"]
    assert entry["lacking"] == lacking.removeprefix("no ").split(", ")


@pytest.mark.parametrize(("outcome", "shown"), [("pass", "blocked"), ("fail", "fail"), ("error", "error")])
def test_nothing_brought(outcome: Outcome, shown: str) -> None:
    """An item that the reference alone shows has no points, and is no pass, whatever its checks say."""
    found = verdict(brings("pipelines.ingest"), results(M09_1=outcome, M99_1="pass"), COURSE)
    entry = found["items"]["M09"]
    assert (entry["points"], entry["outcome"]) == (0, shown)
    assert "the submission has no dbt: taken from the reference" in entry["note"]
    assert found["items"]["M99"]["points"] == 10
    assert found["score"] == 10


def test_partial_credit_of_a_part() -> None:
    """Half of the checks of a third of the parts is a sixth of the points."""
    found = verdict(brings("pipelines.ingest"), results(M03_1="pass", M03_2="fail"), COURSE)
    assert found["items"]["M03"]["points"] == 1.7
    assert found["items"]["M03"]["outcome"] == "fail"


def test_outcomes() -> None:
    """Outcomes by id are what proofs compare."""
    assert outcomes(results(M03_1="pass", M03_2="error")) == {"M03-1": "pass", "M03-2": "error"}
