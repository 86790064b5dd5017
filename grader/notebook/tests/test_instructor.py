"""The instructor's page, command by command, for a class of thirty."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from grader.checks.hidden import load
from grader.checks.model import Failure
from grader.checks.probe import Probe
from grader.notebook.tests.course import LAB, ROOT, Course, Student

PAGE = ROOT / "docs" / "instructor.md"
SETUP = "python3 tools/setup.py --with course\n"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", ".batchlab", "__pycache__", ".*_cache", "dist")
CLASS = (
    *(Student(name=f"right{number:02}") for number in range(15)),
    *(Student(name=f"wrong{number:02}", code=(".append()", ""), keys=0.0, item=3.0) for number in range(14)),
)
"""Twenty-nine; Ann, of whom the page tells, is the thirtieth, and hands in what she was given."""


def blocks(kind: str) -> list[str]:
    """Code blocks of the page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def checkout(folder: Path) -> Path:
    """Copy the checkout; its environments are those of this one."""

    def left_out(path: str, names: list[str]) -> set[str]:
        own = (
            {"work", "course"} if Path(path) == ROOT else set()
        )  # the learners' and the instructor's, not `grader/course`
        return set(NOT_COPIED(path, names)) | own

    shutil.copytree(ROOT, folder, ignore=left_out)
    for name in (".venv", ".venv-course"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_command_works_for_a_class_of_thirty(tmp_path: Path) -> None:
    """What the page says in order, from set-up to the exported scores, does what it says."""
    assert blocks("sh")[0].startswith(SETUP)
    script = ["set -eu", blocks("sh")[0].removeprefix(SETUP)]
    for block in blocks("sh")[1:]:
        script += ['cp "$CLASS"/*.zip course/downloaded/'] if block.startswith("for archive") else []
        script.append(
            re.sub(r"(?m)^\.venv/bin/batchlab (grade .*)$", r'"$BATCHLAB" \1 || test $? = 1  # a check failed', block)
        )
    current = [sys.executable, str(ROOT / "tools" / "setup.py"), "--check", "--with", "course"]
    assert subprocess.run(current, check=False).returncode == 0, "python3 tools/setup.py --with course"
    course = Course.make(tmp_path / "helper")
    course.nbgrader("generate_assignment", LAB)
    for student in CLASS:
        student.hand_in(course)
        shutil.make_archive(str(tmp_path / "class" / student.name), "zip", course.submitted(student.name).parent)
    kit = checkout(tmp_path / "kit")
    script.insert(2, "cp hidden.py course/hidden/retries.py")
    (kit / "hidden.py").write_text(blocks("python")[0])
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=kit, capture_output=True, text=True, check=False,
        env={**course.environment, "CLASS": str(tmp_path / "class"), "BATCHLAB_HIDDEN": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "VALIDATION FAILED" in done.stdout
    released(kit)
    graded(Course(folder=kit, environment=course.environment))


def released(kit: Path) -> None:
    """What nbgrader has written to `labs/` is what the kit makes."""
    done = subprocess.run([sys.executable, kit / "tools" / "labs.py", "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def graded(course: Course) -> None:
    """Everybody has scores, a page, and a line in the export."""
    scores = course.scores()
    assert len(scores) == 30
    for student in CLASS:
        assert scores[student.name]["l03-keys"][0] == student.keys, student.name
        assert scores[student.name]["l03-item"][0] == student.item, student.name
        assert "M03-hidden-retries" in course.feedback(student.name)
    assert scores["ann"]["l03-predicted"][0] == 0.0
    assert scores["ann"]["l03-keys"][0] == 0.0
    with (course.folder / "course" / "grades.csv").open(newline="") as lines:
        assert {row["student_id"] for row in csv.DictReader(lines)} == set(scores)


class Runs:
    """As much of a probe as the page's hidden check looks at: one run, with one retry node."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def runs(self) -> list[Any]:
        """One run."""
        node = {"type": "Retry", "displayName": "extract", "children": ["a"] * self.attempts}
        return [type("Run", (), {"name": "ingest-1", "ds": "2013-03-09", "nodes": [node]})()]


def test_the_hidden_check_of_the_page_works(tmp_path: Path) -> None:
    """It can be loaded, passes what needed no retry, and names the step that did."""
    (tmp_path / "retries.py").write_text(blocks("python")[0])
    (check,) = load(tmp_path)
    assert check.id == "M03-hidden-retries"
    assert check.function(cast("Probe", Runs(1))).rationale == "every step succeeded at the first attempt"
    with pytest.raises(Failure, match="1 steps were tried more than once"):
        check.function(cast("Probe", Runs(2)))
