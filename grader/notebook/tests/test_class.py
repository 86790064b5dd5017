"""A class of thirty: released, validated, autograded and given feedback by nbgrader itself.

The grades come from a stand-in, because thirty real ones take hours; one real grade is in `test_real.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.notebook.tests.course import LAB, NOTEBOOK, ROOT, SECRET, Course, Student, labs_tool

WHOLE = ".overwrite(F.col('flight_date') == F.lit(ds.day))"  # right, but not for the hidden check of this test
APPEND = ".append()"
UNTOUCHED = {"l03-predict": "# YOUR CODE HERE\nraise NotImplementedError()", "l03-explain": "YOUR ANSWER HERE"}
CHEAT = "import grader.notebook\ncheck = grader.notebook.check = lambda *_, **__: 'full marks'\ncheck('M03')"
WRONG = "has 2 duplicated keys"
TWICE = "while True:\n    try:\n        while True:\n            pass\n    except KeyboardInterrupt:\n        pass"
GREED = "import time\nheap = bytearray(b'x') * (3 << 30)\ntime.sleep(60)"
SEARCH = (
    "import glob\nfound = [glob.glob(f'/{name}/**/empty_day.py', recursive=True) for name in ('tmp', 'box', 'root')]\n"
    "print('there', 'is', sum(found, []))"
)

CLASS = (
    *(Student(name=f"right{number}") for number in range(3)),
    *(Student(name=f"whole{number}", code=(WHOLE, ""), item=2.5) for number in range(4)),
    *(Student(name=f"partly{number}", code=(WHOLE, "# grade: partly\n"), item=1.5, told=WRONG) for number in range(4)),
    *(Student(name=f"wrong{number}", code=(APPEND, ""), keys=0.0, item=0.5, told=WRONG) for number in range(3)),
    *(
        Student(
            name=f"untouched{number}", code=(APPEND, ""), cells=UNTOUCHED, predicted=0.0, keys=0.0, item=0.5, told=WRONG
        )
        for number in range(2)
    ),
    Student(name="raising", cells={"l03-predict": "raise RuntimeError('not today')"}, predicted=0.0, told="not today"),
    Student(name="word", cells={"l03-predict": "staged = 'many'; visible = 1; second_run_succeeds = 0"}, predicted=0.0),
    Student(name="noisy", cells={"look": "import sys, warnings\nprint(1, file=sys.stderr)\nwarnings.warn('noise')"}),
    Student(name="cheating", code=(APPEND, ""), cells={"look": CHEAT}, keys=0.0, item=0.5, told=WRONG),
    Student(
        name="silent", code=(APPEND, ""), keys=0.0, item=0.5, told=WRONG,
        cells={"look": "get_ipython().ast_node_interactivity = 'none'"},
    ),
    Student(name="retyped", code=(APPEND, ""), cells={"l03-item": "5.0"}, keys=0.0, item=0.5, told=WRONG),
    Student(name="deleting", code=(APPEND, ""), drop=("l03-keys",), keys=0.0, item=0.5, told=WRONG),
    Student(name="looping", cells={"l03-predict": "while True: pass"}, predicted=0.0, told="No reply from kernel"),
    Student(name="stubborn", cells={"l03-predict": TWICE}, predicted=0.0, told="kernel does not answer"),
    Student(name="ending", cells={"l03-predict": "import os\nos._exit(0)"}, predicted=0.0, told="the kernel ended"),
    Student(
        name="waiting", code=(APPEND, "# grade: for ever\n"), keys=None, item=None, told="did not end within 3 s"
    ),
    Student(name="greedy", cells={"l03-predict": GREED}, predicted=0.0, told="more than 2 GiB of memory"),
    Student(name="curious", cells={"look": SEARCH}, told="there is []"),
    Student(name="unreadable", drop=("submission.toml",), keys=None, item=None, told="has no submission.toml"),
)  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course whose lab is released, submitted by everybody, autograded, and given feedback on."""
    made = Course.make(tmp_path_factory.mktemp("course"))
    done = made.nbgrader("generate_assignment", LAB)
    assert done.returncode == 0, done.stderr
    for student in CLASS:
        student.hand_in(made)
    done = made.nbgrader("autograde", LAB, "--GradeOutside.timeout=4", "--GradeOutside.check_seconds=3")
    assert done.returncode == 0, done.stderr
    done = made.nbgrader("generate_feedback", LAB)
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_everybody_has_the_score_that_the_work_deserves(course: Course) -> None:
    """Thirty submissions, right, partly right, wrong, broken and dishonest: every cell of every one is as expected."""
    assert len(CLASS) == 30
    found = course.scores()
    assert set(found) == {student.name for student in CLASS}
    for student in CLASS:
        row = found[student.name]
        expected = {"l03-predicted": student.predicted, "l03-keys": student.keys, "l03-item": student.item}
        for cell, score in expected.items():
            assert row[cell] == (score, score or 0.0, score is None), (student.name, cell)
        answered = "l03-explain" not in student.cells
        assert row["l03-explain"][0] == (None if answered else 0.0), student.name
        assert row["l03-explain"][2] is answered, student.name


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_feedback_tells_the_verdict_and_keeps_the_hidden_checks(course: Course) -> None:
    """Everybody reads why; nobody reads an instructor's check, its hint, or where it lies."""
    for student in CLASS:
        page = course.feedback(student.name)
        assert student.told in page, student.name
        assert SECRET not in page
        assert str(course.folder / "hidden") not in page
    wrong = course.feedback("wrong0")
    assert "M03-hidden-empty_day" in wrong
    assert "0.5 of 5 points" in wrong
    assert "&lt;EWR&gt;" in wrong
    assert "What does the write do with rows that are there?" in wrong


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_each_content_is_graded_once_for_a_notebook(course: Course) -> None:
    """Two cells of a notebook share one grade, made with the instructor's options and hidden checks."""
    log = (course.folder / "grades.log").read_text().splitlines()
    assert len([line for line in log if "/right0/" in line]) == 1
    assert all('"--autograde"' in line and str(course.folder / "hidden") in line for line in log)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_release_is_what_the_kit_generates_and_holds_nothing_hidden(course: Course) -> None:
    """`nbgrader generate_assignment` makes, byte for byte, what is in `labs/`, for every lab."""
    for lab in labs_tool().labs():
        if lab.name != LAB:
            assert course.nbgrader("generate_assignment", lab.name).returncode == 0, lab.name
    made = {path.relative_to(course.folder / "labs"): path for path in (course.folder / "labs").rglob("*.*")}
    kept = {
        path.relative_to(ROOT / "labs"): path for path in (ROOT / "labs").rglob("*.*") if path.parent != ROOT / "labs"
    }
    assert set(made) == {path for path in kept if "__pycache__" not in path.parts}
    for name, path in made.items():
        assert path.read_bytes() == kept[name].read_bytes(), name
        assert "hidden" not in path.read_text().lower(), name


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_validate_passes_the_solution_and_fails_the_release(tmp_path: Path) -> None:
    """What a learner runs before handing in says what an instructor's run will say."""
    made = Course.make(tmp_path / "course")
    tool = labs_tool()
    (lab,) = [lab for lab in tool.labs() if lab.name == LAB]
    tool.write(made.folder / "work" / LAB, tool.released(lab))
    for folder, verdict in (("solved", "Success! Your notebook passes all the tests."), ("work", "VALIDATION FAILED")):
        done = made.nbgrader("validate", str(made.folder / folder / LAB / NOTEBOOK))
        assert verdict in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_link_in_a_submission_is_not_followed(tmp_path: Path) -> None:
    """What the link leads to would be copied, and come back to the learner as feedback."""
    made = Course.make(tmp_path / "course")
    assert made.nbgrader("generate_assignment", LAB).returncode == 0
    Student(name="ann").hand_in(made)
    (made.submitted("ann") / "notes.txt").symlink_to(made.folder / "hidden" / "empty_day.py")
    done = made.nbgrader("autograde", LAB)
    assert done.returncode == 0, done.stderr
    assert "notes.txt was a symbolic link, and is taken out" in done.stdout
    assert made.scores()["ann"]["l03-item"][0] == 5.0
    assert made.nbgrader("generate_feedback", LAB).returncode == 0
    assert not list((made.folder / "course").rglob("notes.txt"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_exchange_folder_takes_a_lab_out_and_brings_the_work_back(tmp_path: Path) -> None:
    """On a shared machine: release, fetch, submit, collect; the files of the pipeline travel with the notebook."""
    made = Course.make(tmp_path / "course")
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    option = f"--Exchange.root={exchange}"
    for verb in ("generate_assignment", "release_assignment", "fetch_assignment", "submit", "collect"):
        words = [verb, LAB] if verb == "generate_assignment" else [verb, LAB, option]
        done = made.nbgrader(*words)
        assert done.returncode == 0, (verb, done.stderr)
    (brought,) = (made.folder / "course" / "submitted").glob(f"*/{LAB}/ingest/extract.py")
    assert brought.read_text() == (made.folder / "labs" / LAB / "ingest" / "extract.py").read_text()
