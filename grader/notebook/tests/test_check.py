"""What a cell gets from `check()`: a float or one clean line, and silence on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from grader.notebook import CouldNotGrade, check
from grader.notebook.check import Grades, grade
from grader.notebook.command import Command
from grader.notebook.tests.conftest import RIGHT, WRONG, Bench


def test_right_work_gets_all_points_as_a_float(bench: Bench) -> None:
    """Full points are exactly the cell's points, and a float: nbgrader takes anything else for full marks too."""
    score = check("M03", points=4)
    assert type(score) is float
    assert score == 4.0


def test_points_default_to_those_of_the_item_and_to_one_for_a_check(bench: Bench) -> None:
    """Without points a cell is worth what the item is worth."""
    assert check("M03") == 10.0
    assert check("M03-keys") == 1.0


def test_partly_right_work_gets_part_of_the_points(bench: Bench) -> None:
    """Three of five shares passed: three fifths of the cell's points; a single check is all or nothing."""
    bench.write(RIGHT + "# grade: partly\n")
    assert check("M03", points=4) == pytest.approx(2.4)
    assert check("M03-keys", points=4) == 4.0
    assert check("M03-effects", points=4) == 0.0


def test_wrong_work_gets_none_and_says_why(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """The verdict holds rationale, rows, query and the first hint; stderr stays empty though the grade is noisy."""
    bench.write("pass\n")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert check("M03", points=4) == 0.0
    said = capfd.readouterr()
    assert said.err == ""
    for part in ("0 of 4 points", "has 2 duplicated keys", "copies", "<EWR>", "SELECT 1 < 2", "hint: What does"):
        assert part in said.out


def test_a_check_blocked_by_one_that_failed_is_a_verdict(bench: Bench) -> None:
    """What is blocked by wrong work gets no points; it is not called ungradable."""
    bench.write("pass\n")
    assert check("M03-effects", points=2) == 0.0


@pytest.mark.parametrize(
    ("code", "wanted", "message"),
    [
        ("# grade: bad input", "M03", "submission.toml: [pipelines.ingest] has no manifest; name one"),
        ("# grade: garbage", "M03", "batchlab grade printed no verdict: KeyError: 'x'"),
        ("# grade: broken", "M03", "M03-keys could not be graded: the check could not run: KeyError: 'x'"),
        (RIGHT, "M01", "M01 could not be graded: it waits for the cluster"),
        (RIGHT, "M77", "the course has no item M77"),
        (RIGHT, "M03-nothing", "M03 has no check M03-nothing"),
        (RIGHT, "idempotency", "check('idempotency') names neither an item nor a check"),
    ],
)
def test_without_a_verdict_it_raises_one_line(bench: Bench, code: str, wanted: str, message: str) -> None:
    """Where nothing could be graded there is no zero but a reason, without a chain of other errors."""
    bench.write(code)
    with pytest.raises(CouldNotGrade) as caught:
        check(wanted, points=4)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert caught.value._render_traceback_() == [f"CouldNotGrade: {caught.value}"]


@pytest.mark.parametrize("points", [-1, float("nan"), float("inf"), True, "4"])
def test_points_that_are_none_are_refused(bench: Bench, points: Any) -> None:
    """A cell that can give less than nothing, or a word, is the author's mistake, said before anything runs."""
    with pytest.raises(CouldNotGrade, match="points must be a number"):
        check("M03", points=points)
    assert bench.grades == []


def test_a_grade_that_does_not_end_is_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the program is ended, and the message names limit and remedy."""
    bench.write("# grade: for ever\n")
    monkeypatch.setenv("BATCHLAB_CHECK_SECONDS", "0.5")
    with pytest.raises(CouldNotGrade, match=r"did not end within 0\.5 s and was stopped; .*BATCHLAB_CHECK_SECONDS"):
        check("M03", points=4)


def test_a_limit_that_is_no_number_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable."""
    monkeypatch.setenv("BATCHLAB_CHECK_SECONDS", "soon")
    with pytest.raises(CouldNotGrade, match="BATCHLAB_CHECK_SECONDS is 'soon'"):
        check("M03", points=4)


def test_cells_of_one_notebook_share_a_grade(bench: Bench) -> None:
    """Item and check of the same content are one run; a notebook's own text is no content, the code is."""
    grades, command = Grades(), Command.find()
    for wanted in ("M03", "M03-keys", "M03"):
        grade(wanted, 4, command, bench.folder, grades)
        (bench.folder / "run-twice.ipynb").write_text(wanted)
    assert len(bench.grades) == 1
    bench.write(WRONG)
    assert grade("M03", 5, command, bench.folder, grades).score == 1.0
    assert len(bench.grades) == 2


def test_one_check_is_graded_alone_unless_its_item_is_wanted_anyway(bench: Bench) -> None:
    """A learner waits for one check only; an instructor's run grades the item once for all cells."""
    for whole, names in ((False, ["M03-keys", "M03"]), (True, ["M03"])):
        bench.log.unlink(missing_ok=True)
        grades = Grades(whole_items=whole)
        for wanted in ("M03-keys", "M03", "M03-keys"):
            grade(wanted, 4, Command.find(), bench.folder, grades)
        assert [words[1] for words in bench.grades] == names


def test_failures_are_remembered_only_when_asked(bench: Bench) -> None:
    """A learner may mend the cause and ask again; a class graded overnight waits for a limit once."""
    bench.write("# grade: garbage\n")
    for keep, runs in ((False, 2), (True, 1)):
        bench.log.unlink(missing_ok=True)
        grades = Grades(keep_failures=keep)
        for _ in range(2):
            with pytest.raises(CouldNotGrade, match="printed no verdict"):
                grade("M03", 4, Command.find(), bench.folder, grades)
        assert len(bench.grades) == runs


def test_a_grade_sees_nothing_of_the_kernel(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plotting backend of a notebook would break a step that plots; the submission is given by its path."""
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    check("M03", points=4)
    assert bench.grades == [["grade", "M03", "--submission", str(bench.folder), "--json", None]]


def test_no_program_and_no_submission_are_said(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both messages name the remedy."""
    monkeypatch.setenv("BATCHLAB", str(tmp_path / "missing"))
    with pytest.raises(CouldNotGrade, match=r"missing cannot be run: .*; run make setup"):
        check("M03", points=4)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CouldNotGrade, match=r"no submission\.toml is in .* or above it; open the notebook from"):
        check("M03", points=4)
    monkeypatch.setenv("BATCHLAB_SUBMISSION", str(tmp_path))
    with pytest.raises(CouldNotGrade, match="BATCHLAB_SUBMISSION names the folder to grade"):
        check("M03", points=4)


def test_the_submission_is_found_from_a_folder_below_and_beside_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A notebook may lie in the submission, deeper in it, or beside `work/`."""
    deeper = bench.folder / "notes"
    deeper.mkdir()
    monkeypatch.chdir(deeper)
    assert check("M03", points=4) == 4.0
    beside = tmp_path / "beside"
    beside.mkdir()
    bench.folder.rename(beside / "work")
    monkeypatch.chdir(beside)
    assert check("M03", points=4) == 4.0


def test_importing_it_is_light() -> None:
    """A kernel that imports `check` has loaded neither Spark nor checks nor tables, and nothing was written."""
    program = (
        "import json, sys; from grader.notebook import check; heavy = {'pyspark', 'py4j', 'duckdb', 'click', 'dbt'};"
        "print(json.dumps([n for n in sys.modules if n.split('.')[0] in heavy or n.startswith('grader.checks')]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
    assert done.stderr == ""
