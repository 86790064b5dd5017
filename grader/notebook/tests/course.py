"""A course in a folder of its own: the kit's configuration, nbgrader's sources, hidden checks, and a class."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.notebook.tests.conftest import stand_in

ROOT = Path(__file__).resolve().parents[3]
BIN = ROOT / ".venv-course" / "bin"
LAB = "03-run-twice"
NOTEBOOK = "run-twice.ipynb"
SECRET = "WORD = 'F.col(table.partition)'"
_SCORES = """
import json, sys
from nbgrader.api import Gradebook
with Gradebook(sys.argv[1]) as book:
    print(json.dumps({
        submission.student.id: {
            grade.cell.name: [grade.auto_score, grade.score, grade.needs_manual_grade]
            for notebook in submission.notebooks for grade in notebook.grades
        } for submission in book.assignment_submissions(sys.argv[2])
    }))
"""


def labs_tool() -> Any:
    """Load `tools/labs.py`."""
    spec = importlib.util.spec_from_file_location("labs", ROOT / "tools" / "labs.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # its dataclasses look their module up
    spec.loader.exec_module(found)
    return found


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course folder, and how to run nbgrader in it."""

    folder: Path
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def make(cls, folder: Path, *, program: Path | None = None) -> Course:
        """Set up a course like a checkout's; `program` stands for `batchlab`, by default the stand-in."""
        assert (BIN / "nbgrader").exists(), "nbgrader is missing: python3 tools/setup.py --with course"
        tool = labs_tool()
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "nbgrader_config.py", folder)
        for lab in tool.labs():
            tool.write(folder / "course" / "source" / lab.name, tool.source(lab))
            tool.write(folder / "solved" / lab.name, tool.solution(lab))
        hidden = folder / "hidden"
        hidden.mkdir()
        (hidden / "empty_day.py").write_text(f"{SECRET}\n")
        if program is None:
            program = folder / "batchlab"
            stand_in(program)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("BATCHLAB")}
        own = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "BATCHLAB": str(program), "BATCHLAB_HIDDEN": str(hidden),
            "FAKE_LOG": str(folder / "grades.log"), "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        }  # fmt: skip
        return cls(folder=folder, environment=kept | own)

    def nbgrader(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run nbgrader in the course's folder."""
        return subprocess.run(
            [str(BIN / "nbgrader"), *words], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def submitted(self, student: str) -> Path:
        """Folder of what a student hands in."""
        return self.folder / "course" / "submitted" / student / LAB

    def feedback_of(self, student: str) -> str:
        """Make the page of one student, and give its text."""
        done = self.nbgrader("generate_feedback", LAB, "--student", student)
        assert done.returncode == 0, done.stderr
        return self.feedback(student)

    def feedback(self, student: str) -> str:
        """Text of the page that a student gets."""
        page = self.folder / "course" / "feedback" / student / LAB / NOTEBOOK.replace(".ipynb", ".html")
        return page.read_text(encoding="utf-8")

    def scores(self, lab: str = LAB) -> dict[str, dict[str, tuple[float | None, float, bool]]]:
        """Read the gradebook.

        Returns:
            By student and cell: the machine's score, the score that counts, and whether a person must look.
        """
        database = f"sqlite:///{self.folder / 'course' / 'gradebook.db'}"
        done = subprocess.run(
            [str(BIN / "python"), "-c", _SCORES, database, lab], env=self.environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        found: dict[str, dict[str, Any]] = json.loads(done.stdout)
        return {student: {cell: tuple(row) for cell, row in cells.items()} for student, cells in found.items()}


@dataclass(frozen=True, kw_only=True)
class Student:
    """Somebody's work, and what it must get.

    Args:
        name: of the student.
        code: what stands in the pipeline in place of `.append()`, then a line to add.
        cells: source by grade id, in place of what the solution has; `look` is the first cell that calls `check`.
        drop: grade ids of cells that were deleted, and names of files that are missing.
        predicted, keys, item: scores; None where a person must look.
        told: what the feedback says.
    """

    name: str
    code: tuple[str, str] = (".overwrite(F.col(table.partition) == F.lit(ds.day))", "")
    cells: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    predicted: float = 1.0
    keys: float | None = 3.0
    item: float | None = 5.0
    told: str = "no key occurs twice"

    def hand_in(self, course: Course) -> None:
        """Write the submission, from the released lab."""
        folder = course.submitted(self.name)
        shutil.copytree(course.folder / "labs" / LAB, folder)
        extract = folder / "ingest" / "extract.py"
        text = extract.read_text()
        assert text.count(".append()") == 1
        extract.write_text(text.replace(".append()", self.code[0]) + self.code[1])
        for name in self.drop:
            (folder / name).unlink(missing_ok=True)
        notebook = json.loads((course.folder / "labs" / LAB / NOTEBOOK).read_text())
        solved = json.loads((course.folder / "solved" / LAB / NOTEBOOK).read_text())
        answers = {_name(cell): cell["source"] for cell in solved["cells"] if _role(cell, "solution")}
        notebook["cells"] = [cell for cell in notebook["cells"] if _name(cell) not in self.drop]
        for cell in notebook["cells"]:
            changed = self.cells.get(_name(cell))
            cell["source"] = answers.get(_name(cell), cell["source"]) if changed is None else changed
        (folder / NOTEBOOK).write_text(json.dumps(notebook))


def _name(cell: dict[str, Any]) -> str:
    text = "".join(cell["source"])
    grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
    return str(grade_id or ("look" if "check(" in text else "free"))


def _role(cell: dict[str, Any], role: str) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get(role))
