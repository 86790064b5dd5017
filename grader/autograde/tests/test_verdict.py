"""A verdict is what the trusted program returns; everything else is a clear 'could not run' or bad input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.autograde import CouldNotRun, Limits, can_isolate, grade, isolation
from pipelines.local.errors import BadInput

TARGETS = "grader.autograde.tests.targets"
pytestmark = pytest.mark.skipif(bool(can_isolate()), reason="this system cannot make a box")


def test_it_returns_what_the_target_returns(tmp_path: Path) -> None:
    """The target gets items and folders as they are inside; hidden checks are there for it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "hidden").mkdir(mode=0o700)
    (tmp_path / "hidden" / "secret_checks.py").touch()
    found = grade(tmp_path / "work", ["M01", "M03"], target=f"{TARGETS}:echo", hidden=tmp_path / "hidden", seed=7)
    assert found == {
        "submission": "/box/submission",
        "items": ["M01", "M03"],
        "hidden": "/box/hidden",
        "seed": 7,
        "checks": ["secret_checks.py"],
    }


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("hang", "grading took more than 2 seconds"),
        ("die", "the grader ended without a verdict (exit code 0)"),
        ("fail", "the grader failed: LookupError: no table"),
        ("boast", "the result is too large"),
    ],
)
def test_no_verdict_says_why(tmp_path: Path, target: str, reason: str) -> None:
    """A grader that hangs, dies, fails or says too much has given no verdict."""
    limits = Limits(seconds=2 if target == "hang" else 60, result=1000)
    with pytest.raises(CouldNotRun) as raised:
        grade(tmp_path, [], target=f"{TARGETS}:{target}", limits=limits)
    assert raised.value.reason == reason


def test_what_the_target_refuses_is_bad_input(tmp_path: Path) -> None:
    """A submission that the grader cannot use is bad input outside of the box, too."""
    with pytest.raises(BadInput, match=r"submission\.toml"):
        grade(tmp_path, [], target=f"{TARGETS}:refuse")


def test_bad_folders_are_refused(tmp_path: Path) -> None:
    """A folder that is not there, or that would lead out of itself, is refused before anything starts."""
    with pytest.raises(BadInput, match="there is no such folder"):
        grade(tmp_path / "none", [], target="x:y")
    (tmp_path / "link").symlink_to("/etc/shadow")
    with pytest.raises(BadInput, match="the submission cannot be used: link is a link that leads out of it"):
        grade(tmp_path, [], target="x:y")
    (tmp_path / "work").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="the hidden checks cannot be used"):
        grade(tmp_path / "work", [], target="x:y", hidden=tmp_path)


def test_outside_of_a_box_steps_are_as_usual() -> None:
    """Only inside of a box does the kit run steps as strangers."""
    assert isolation() is None
