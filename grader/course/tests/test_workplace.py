"""A lab is copied as a whole, never over something, and what is begun again is kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import tomllib

from grader.course import workplace
from grader.course.labs import Lab, find, labs
from grader.sample import seed_of
from grader.sample.course import Course
from pipelines.local.errors import BadInput

NOON = datetime(2026, 3, 1, 12, 0, 0)  # noqa: DTZ001 - a learner's own time
LABS = [
    Lab(name=name, title="t", items=(), pipelines=(), notebook="n", minutes=1)
    for name in ("00-orientation", "03-run-twice", "10-backfill")
]
LAB = LABS[1]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Give a folder with one released lab, and what Jupyter left in it."""
    folder = tmp_path / "labs"
    for name in ("n.ipynb", "ingest/extract.py", "ingest/__pycache__/extract.pyc", ".ipynb_checkpoints/n.ipynb"):
        path = folder / LAB.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def files(folder: Path) -> list[str]:
    """List the files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_lab_is_copied_without_leftovers(tmp_path: Path, released: Path) -> None:
    """Only what was released, in a folder that is made."""
    place = workplace.start(LAB, tmp_path / "my" / "work", released=released)
    assert place == tmp_path / "my" / "work" / "03-run-twice"
    assert files(place) == ["ingest/extract.py", "n.ipynb"]


def test_nothing_is_overwritten(tmp_path: Path, released: Path) -> None:
    """A second start is refused, and leaves the learner's work alone."""
    place = workplace.start(LAB, tmp_path / "work", released=released)
    (place / "n.ipynb").write_text("mine")
    with pytest.raises(BadInput, match="nothing was overwritten"):
        workplace.start(LAB, tmp_path / "work", released=released)
    assert (place / "n.ipynb").read_text() == "mine"


def test_a_copy_is_whole_or_not_there(tmp_path: Path, released: Path) -> None:
    """A lab that is not released, and a folder that cannot be written, leave nothing."""
    with pytest.raises(BadInput, match="cannot be written"):
        workplace.start(LABS[0], tmp_path / "work", released=released)
    assert files(tmp_path / "work") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--work"):
        workplace.start(LAB, tmp_path / "file" / "work", released=released)


def test_what_is_begun_again_is_kept(tmp_path: Path, released: Path) -> None:
    """The old copy moves, with everything in it; the new one is as released."""
    work = tmp_path / "work"
    place = workplace.start(LAB, work, released=released)
    (place / "n.ipynb").write_text("mine")
    again, kept = workplace.reset(LAB, work, now=NOON, released=released)
    assert again == place
    assert (place / "n.ipynb").read_text() == "n.ipynb"
    assert kept == work / "kept" / "03-run-twice-20260301-120000"
    assert (kept / "n.ipynb").read_text() == "mine"


def test_a_failed_reset_changes_nothing(tmp_path: Path, released: Path) -> None:
    """Where the new copy cannot be made, or none was begun."""
    work = tmp_path / "work"
    with pytest.raises(BadInput, match="has not been begun"):
        workplace.reset(LAB, work, now=NOON, released=released)
    place = workplace.start(LAB, work, released=released)
    (place / "n.ipynb").write_text("mine")
    with pytest.raises(BadInput, match="cannot be written"):
        workplace.reset(LAB, work, now=NOON, released=tmp_path / "nowhere")
    assert (place / "n.ipynb").read_text() == "mine"
    assert not (work / "kept").exists()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("3", "03-run-twice"), ("03", "03-run-twice"), ("run-twice", "03-run-twice"), ("0", "00-orientation"),
        ("labs/03-run-twice/", "03-run-twice"), ("10", "10-backfill"),
    ],
)  # fmt: skip
def test_labs_are_found_by_name_and_number(word: str, name: str) -> None:
    """What a learner would type."""
    assert find(word, LABS).name == name


def test_an_unknown_lab_is_told_with_those_that_there_are() -> None:
    """No guess."""
    with pytest.raises(BadInput, match="there is no lab 4") as refused:
        find("4", LABS)
    assert "00-orientation, 03-run-twice, 10-backfill" in str(refused.value)


def test_the_courses_labs_are_read_in_their_order() -> None:
    """Those of `course.toml`, each with a notebook."""
    found = labs()
    assert [lab.name for lab in found] == sorted(lab.name for lab in found)
    assert all(lab.notebook for lab in found)


def test_a_seed_is_written_where_toml_has_its_keys(tmp_path: Path, released: Path) -> None:
    """Before the tables; a lab that is begun again has the same seed."""
    manifest = '# What you hand in.\n\n[pipelines.ingest]\nmanifest = "ingest/workflow.yaml"\n'
    (released / LAB.name / "submission.toml").write_text(manifest)
    place = workplace.start(LAB, tmp_path / "work", seed=7, released=released)
    text = (place / "submission.toml").read_text()
    assert tomllib.loads(text) == {"seed": 7, **tomllib.loads(manifest)}
    assert text.startswith("# What you hand in.\n\nseed = 7")
    again, _ = workplace.reset(LAB, tmp_path / "work", now=NOON, released=released)
    assert (again / "submission.toml").read_text() == text


def test_a_lab_without_a_seed_is_as_released(tmp_path: Path, released: Path) -> None:
    """Also one that had a submission nobody can read, when it is begun again."""
    (released / LAB.name / "submission.toml").write_text("# What you hand in.\n")
    place = workplace.start(LAB, tmp_path / "work", released=released)
    assert (place / "submission.toml").read_text() == "# What you hand in.\n"
    (place / "submission.toml").write_text("no = = toml")
    again, _ = workplace.reset(LAB, tmp_path / "work", now=NOON, released=released)
    assert (again / "submission.toml").read_text() == "# What you hand in.\n"


def test_students_have_a_seed_where_the_course_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then their name is needed, and only then."""
    assert workplace.own_seed(None) is None
    monkeypatch.setattr(workplace, "course", lambda: Course(seed=3, per_student=True))
    assert workplace.own_seed("ann") == seed_of(3, "ann")
    with pytest.raises(BadInput, match="--student"):
        workplace.own_seed("")
