"""What the course's manifest says of the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sample import seed_of
from grader.sample.course import Course, course
from pipelines.local.errors import BadInput


def _read(tmp_path: Path, text: str) -> Course:
    path = tmp_path / "course.toml"
    path.write_text(text)
    return course(path)


def test_this_course_has_the_sample_of_all_examples() -> None:
    """The reference's manifest; and one that says nothing."""
    assert course() == Course(seed=0, per_student=False)


def test_a_class_has_one_seed(tmp_path: Path) -> None:
    """Whoever asks."""
    found = _read(tmp_path, "[sample]\nseed = 7\n")
    assert {found.seed_for("ann"), found.seed_for("ben"), found.seed_for(None)} == {7}
    assert _read(tmp_path, "") == Course()


def test_students_have_seeds_of_their_own(tmp_path: Path) -> None:
    """Made of the class's seed and the student's name."""
    found = _read(tmp_path, "[sample]\nseed = 7\nper_student = true\n")
    assert found.seed_for("ann") == seed_of(7, "ann")
    assert found.seed_for("ann") != found.seed_for("ben")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sample]\nseed = -1\n", "sample.seed"),
        ("[sample]\nseed = true\n", "sample.seed"),
        ('[sample]\nper_student = "yes"\n', "sample.per_student"),
        ("[sample]\nsede = 7\n", "unknown: sede"),
        ("sample = 7\n", "sample"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    """Where it stands, and what may stand there."""
    with pytest.raises(BadInput, match=said):
        _read(tmp_path, text)
