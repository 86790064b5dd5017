"""A course that gives each student days of their own: what nbgrader's autograding grades, whatever the folder says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from grader.notebook.sample import SEED, sample
from grader.notebook.tests.conftest import stand_in
from grader.notebook.tests.course import BIN, ROOT
from grader.sample import drawn, seed_of

_GRADE = """
import sys
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from grader.notebook import outside
from grader.sample.course import Course

outside.course = lambda: Course(seed=3, per_student=True)
graded = {"nbgrader": {"grade": True, "solution": False, "locked": True, "points": 3, "grade_id": "a",
                       "schema_version": 3, "task": False}}
nb = new_notebook(cells=[
    new_code_cell("from grader.notebook import sample\\nprint(sample().first)"),
    new_code_cell('from grader.notebook import check\\n\\ncheck("M03-keys", points=3)', metadata=graded),
], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
made, _ = outside.GradeOutside(boxed=sys.argv[2] == "boxed").preprocess(
    nb, {"metadata": {"path": sys.argv[1]}, "nbgrader": {"student": "ann"}})
print("FIRST", made.cells[0].outputs[0]["text"].strip())
"""


def folder(tmp_path: Path, seed: int) -> Path:
    """Make a submission that says that its seed is another one."""
    made = tmp_path / "submission"
    made.mkdir()
    (made / "submission.toml").write_text(f"seed = {seed}\n")
    (made / "extract.py").write_text("rows.overwrite(day)\n")
    return made


@pytest.mark.skipif(not BIN.exists(), reason="needs the course's environment: make course")
@pytest.mark.parametrize("where", ["here", "boxed"])
def test_a_student_is_graded_on_the_days_of_their_name(tmp_path: Path, where: str) -> None:
    """The grade gets the seed of the name, and so does `sample()` in the learner's own cells."""
    if where == "boxed" and os.name != "posix":
        pytest.skip("no boxes here")
    stand_in(tmp_path / "batchlab")
    environment = os.environ | {
        "BATCHLAB": str(tmp_path / "batchlab"), "FAKE_LOG": str(tmp_path / "log"), "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1",
    }  # fmt: skip
    done = subprocess.run([BIN / "python", "-c", _GRADE, str(folder(tmp_path, 1)), where], env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = json.loads((tmp_path / "log").read_text())
    assert words[words.index("--seed") + 1] == str(seed_of(3, "ann"))
    assert f"FIRST {drawn(seed_of(3, 'ann')).days[0]}" in done.stdout


def test_a_notebook_asks_its_own_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the course, where the submission has no seed or cannot be read."""
    place = folder(tmp_path, 1)
    monkeypatch.chdir(place)
    monkeypatch.delenv(SEED, raising=False)
    mine = sample()
    assert (mine.first, mine.last) == tuple(str(day) for day in drawn(1).days)
    assert str(mine.flights) in repr(mine)
    for text in ("", "no = = toml"):
        (place / "submission.toml").write_text(text)
        assert sample().first == "2013-03-09"
    monkeypatch.setenv(SEED, "2")
    assert sample().first == str(drawn(2).days[0])
