"""A sample of the proof: every wrong manifest that is judged without a play, and one wrong write on real tables."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from grader.checks.catalog import CHECKS
from grader.demo.display import Display
from grader.grading.grade import choose, needed_plays
from grader.prove.cases import CASES, MUTANTS
from grader.prove.model import Case
from grader.prove.prove import Prover, Verdict, as_intended
from pipelines.local.platform import Platform
from pipelines.local.preload import LIBRARIES, ForkServer
from pipelines.local.state import StateDir

PLAYED = ("ingest-append",)


def still(case: Case) -> bool:
    """Whether a mutant is judged by its manifests alone."""
    checks = choose([case.check], faults=True)
    return not needed_plays(checks, case.scope) and not any("flux" in check.needs for check in checks)


STILL = [case for case in MUTANTS if still(case)]


def prove(home: Path, cases: list[Case]) -> list[Verdict]:
    """Prove cases in a state directory of their own, whose servers end with it."""
    state = StateDir(root=home).ensure()
    display = Display(state.logs / "prove.log")
    try:
        with closing(ForkServer(LIBRARIES)) as preload:
            return Prover(home=state, display=display, preload=preload).prove(cases, lambda *_: None)
    finally:
        display.close()
        Platform(StateDir(root=home / "grading")).stop()


def test_wrong_manifests_are_failed_by_the_intended_check(tmp_path: Path) -> None:
    """Every mutant that needs no play is killed by the check that it is declared with."""
    verdicts = prove(tmp_path / "home", STILL)
    assert {one.case: one.why for one in verdicts if not one.right} == {}
    assert len(verdicts) >= 15


@pytest.mark.timeout(600)
def test_an_append_is_failed_on_real_tables(tmp_path: Path) -> None:
    """A write that appends is killed by the check of keys, which names table and partition."""
    cases = [case for case in MUTANTS if case.id in PLAYED]
    verdicts = prove(tmp_path / "home", cases)
    assert [one.right for one in verdicts] == [True]
    assert "lake.raw.flights flight_date=2013-03-" in verdicts[0].why


def test_every_case_is_well_declared() -> None:
    """Ids are unique, mutants name a check that exists, variants none; there are as many as promised."""
    assert len({case.id for case in CASES}) == len(CASES)
    known = {check.id for check in CHECKS}
    for case in CASES:
        assert (case.check in known) if case.kind == "mutant" else not case.check, case.id
        assert case.edits, case.id
        assert case.title.endswith("."), case.id
    assert len(MUTANTS) >= 60
    assert len(CASES) - len(MUTANTS) >= 15


@pytest.mark.parametrize(
    ("kind", "seen", "right"),
    [
        ("mutant", {"M03-keys": "fail", "M03-same": "pass"}, True),
        ("mutant", {"M03-keys": "pass", "M03-same": "fail"}, False),
        ("mutant", {"M03-keys": "fail", "M03-same": "error"}, False),
        ("variant", {"M03-keys": "pass", "M03-same": "pass"}, True),
        ("variant", {"M03-keys": "pass", "M03-same": "blocked"}, False),
        ("variant", {"M03-keys": "error", "M03-same": "pass"}, False),
    ],
)
def test_what_is_as_intended(kind: Literal["mutant", "variant"], seen: dict[str, str], right: bool) -> None:
    """The intended check fails a mutant, every check passes a variant, and no check breaks on either."""
    case = Case(
        id="a", title="A.", edits=(), kind=kind, check="M03-keys" if kind == "mutant" else "", scope=("ingest",)
    )
    found, why = as_intended(case, seen, {name: f"why {name}" for name in seen})
    assert found is right
    assert why or right
