"""The labs for real: the released one fails, its solution runs from top to bottom and passes, in nbgrader too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.notebook.check import Grades, grade
from grader.notebook.command import Command
from grader.notebook.tests.course import LAB, NOTEBOOK, ROOT, Course, Student, labs_tool
from grader.sample import drawn

BATCHLAB = ROOT / ".venv" / "bin" / "batchlab"
COURSE = ROOT / ".venv-course" / "bin"
LIMIT = 2400
CELL_SECONDS = 1200
LABS = labs_tool().labs()
QUICK = "04-argo"
"""The lab whose runs need no Spark: the sample of all that is tested every time."""


def _each(labs: Iterable[Any]) -> list[Any]:
    """Make a case of each lab; all but the quick one are the labs' own proof, which is as long as all other tests."""
    return [
        pytest.param(lab, id=lab.name, marks=() if lab.name == QUICK else (pytest.mark.slow, pytest.mark.labs))
        for lab in labs
    ]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A state directory of its own, whose platform is stopped in the end."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BATCHLAB_")}
    made = {**kept, "BATCHLAB_HOME": str(home), "BATCHLAB": str(BATCHLAB)}
    yield made
    for state in (home, home / "grading", home / "grading-7"):
        own = {**made, "BATCHLAB_HOME": str(state)}
        subprocess.run([BATCHLAB, "platform", "stop"], env=own, check=False, capture_output=True)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("lab", _each(lab for lab in LABS if lab.items))
def test_a_lab_fails_unsolved_and_passes_solved(lab: Any, environment: dict[str, str], tmp_path: Path) -> None:
    """Each item of a lab: at most half of the points and a hint before the repair, all points after it."""
    tool, command, grades = labs_tool(), Command.find(environment), Grades()
    tool.write(tmp_path / "released", tool.released(lab))
    tool.write(tmp_path / "solved", tool.solution(lab))
    for item in lab.items:
        before = grade(item, 10, command, tmp_path / "released", grades)
        assert before.outcome == "fail"
        assert before.score <= 5
        failed = [check for check in before.checks if check["outcome"] == "fail"]
        assert failed
        assert all(check["hint"] and check["rationale"] for check in failed)
        after = grade(item, 10, command, tmp_path / "solved", grades)
        assert (after.outcome, after.score) == ("pass", 10.0), [c for c in after.checks if c["outcome"] != "pass"]


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("lab", _each(LABS))
def test_a_solution_runs_from_top_to_bottom(lab: Any, environment: dict[str, str], tmp_path: Path) -> None:
    """Every cell of a solved notebook, in Jupyter and by its own kernel; nbgrader's autograder gives all points."""
    tool = labs_tool()
    tool.write(tmp_path / lab.name, tool.solution(lab))
    notebook = f"{lab.notebook}.ipynb"
    words = ["-p", "no:cacheprovider", "--nbval-lax", f"--nbval-cell-timeout={CELL_SECONDS}", "-q", notebook]
    done = subprocess.run([COURSE / "pytest", *words], cwd=tmp_path / lab.name, env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    course = Course.make(tmp_path / "course", program=BATCHLAB)
    course.environment.update({name: environment[name] for name in ("BATCHLAB_HOME", "HOME") if name in environment})
    course.environment["BATCHLAB_HIDDEN"] = ""
    with (course.folder / "nbgrader_config.py").open("a") as config:
        config.write("\nc.GradeOutside.options = []\n")  # in a box nothing of the cells' runs is known
    assert course.nbgrader("generate_assignment", lab.name).returncode == 0
    tool.write(course.folder / "course" / "submitted" / "ann" / lab.name, tool.solution(lab))
    done = course.nbgrader("autograde", lab.name)
    assert done.returncode == 0, done.stderr
    scores = course.scores(lab.name)["ann"]
    points = {cell.nbgrader["grade_id"]: cell.nbgrader["points"] for cell in lab.cells() if cell.nbgrader.get("grade")}
    texts = {
        cell.nbgrader["grade_id"] for cell in lab.cells() if cell.nbgrader.get("grade") and cell.kind == "markdown"
    }
    assert set(scores) == set(points)
    assert {name: row[0] for name, row in scores.items()} == {
        name: None if name in texts else most for name, most in points.items()
    }


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("lab", _each(lab for lab in LABS if not lab.items))
def test_a_lab_without_items_fails_unsolved(lab: Any, environment: dict[str, str], tmp_path: Path) -> None:
    """Run as it was released, none of the cells that give points for an answer gives any; what runs plays no part."""
    tool, silent = labs_tool(), {**environment, "BATCHLAB": str(shutil.which("true"))}
    tool.write(tmp_path / lab.name, tool.released(lab))
    notebook = f"{lab.notebook}.ipynb"
    words = ["nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--inplace", notebook]
    subprocess.run([COURSE / "jupyter", *words], cwd=tmp_path / lab.name, env=silent, capture_output=True,
                   check=True)  # fmt: skip
    for cell in json.loads((tmp_path / lab.name / notebook).read_text())["cells"]:
        nbgrader = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and nbgrader.get("grade"):
            assert any(output["output_type"] == "error" for output in cell["outputs"]), nbgrader["grade_id"]


@pytest.mark.slow
@pytest.mark.labs
@pytest.mark.timeout(LIMIT)
def test_another_seed_has_other_days_and_the_same_verdicts(environment: dict[str, str], tmp_path: Path) -> None:
    """Lab 3 on the days of a seed: it fails as released, the rows that show it are of these days, and passes solved."""
    (lab,) = [lab for lab in LABS if lab.name == LAB]
    tool, grades = labs_tool(), Grades()
    command = replace(Command.find(environment), options=("--seed", "7"))
    tool.write(tmp_path / "released", tool.released(lab))
    tool.write(tmp_path / "solved", tool.solution(lab))
    days = {str(day) for day in drawn(7).days}
    (shown,) = [
        one for one in grade("M03-keys", 1, command, tmp_path / "released", grades).checks if one["evidence"]["rows"]
    ]
    assert shown["outcome"] == "fail"
    assert {cell for row in shown["evidence"]["rows"] for cell in row if str(cell).startswith("2013-")} <= days
    after = grade("M03", 10, command, tmp_path / "solved", grades)
    assert (after.outcome, after.score) == ("pass", 10.0), [c for c in after.checks if c["outcome"] != "pass"]


@pytest.mark.slow
@pytest.mark.timeout(LIMIT)
def test_nbgrader_gives_the_real_grade(environment: dict[str, str], tmp_path: Path) -> None:
    """One submission, autograded in its box with a hidden check: scores in the gradebook, rows in the feedback."""
    course = Course.make(tmp_path / "course", program=BATCHLAB)
    course.environment.update({name: environment[name] for name in ("BATCHLAB_HOME", "HOME") if name in environment})
    (course.folder / "hidden" / "empty_day.py").write_text(HIDDEN)
    assert course.nbgrader("generate_assignment", LAB).returncode == 0
    Student(name="ann", code=(".append()", "")).hand_in(course)
    done = course.nbgrader("autograde", LAB)
    assert done.returncode == 0, done.stderr
    scores, page = course.scores()["ann"], course.feedback_of("ann")
    assert scores["l03-predicted"][0] == 1.0
    assert scores["l03-keys"][0] == 0.0
    item = scores["l03-item"][0]
    assert item is not None
    assert 0 < item < 2.5
    assert "duplicated keys in what is staged on branch audit_ingest_2013" in page
    assert "M03-hidden-runs" in page
    assert "SECRET" not in page
    notebook = json.loads((course.folder / "course" / "autograded" / "ann" / LAB / NOTEBOOK).read_text())
    assert all(output.get("name") != "stderr" for each in notebook["cells"] for output in each.get("outputs", []))


HIDDEN = '''
"""SECRET"""

from grader.checks.model import Passed
from grader.checks.registry import Registry

HIDDEN = Registry("M03")


@HIDDEN.check("hidden-runs")
def runs(probe):
    """Runs were made."""
    return Passed(f"{len(probe.runs())} runs were looked at")
'''
