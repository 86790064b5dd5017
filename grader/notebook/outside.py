"""Autograde with nbgrader, but take no verdict from the kernel that runs a submission's notebook.

What runs in that kernel is the learner's. It can replace `check`, hide a cell's output, or end the process, and
nbgrader believes what the cells show. So cells that ask for a check are not run there: this process grades the files
that were handed in, beside the kernel, and writes the outputs itself. The kernel learns nothing of hidden checks. The
configuration file of a course names these classes; they need nbgrader, so nothing else of the kit imports them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import Execute, OverwriteCells, SaveAutoGrades
from traitlets import Float, List, Unicode

from grader.notebook.cells import Asked, asked
from grader.notebook.check import OUTSIDE, Grades, grade
from grader.notebook.command import Command
from grader.notebook.errors import CouldNotGrade
from grader.notebook.show import as_html, as_text
from grader.notebook.submission import FOLDER, MANIFEST
from grader.notebook.verdict import Verdict

HIDDEN = "BATCHLAB_HIDDEN"
"""Names the folder of hidden checks, for the configuration file; kernels do not get it."""
_KEPT_FROM_KERNEL = (HIDDEN, FOLDER)
UNGRADED = CouldNotGrade.__name__


class GradeOutside(Execute):  # type: ignore[misc] # nbgrader has no types
    """Run the learner's cells with nbgrader's time limit; fill in the cells that ask for a check."""

    hidden = Unicode("", help="Folder with checks that only instructors have.").tag(config=True)
    options = List(["--autograde"], help="Options of `batchlab grade`.").tag(config=True)
    check_seconds = Float(1200.0, help="Time limit of one grade, in seconds.").tag(config=True)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._grades = Grades(whole_items=True, keep_failures=True)
        self._lost = ""
        self._environment: dict[str, str] = {}

    def preprocess(self, nb: Any, resources: Any, km: Any = None) -> tuple[Any, Any]:
        """Go through a notebook's cells."""
        self._lost, self._environment = "", dict(os.environ)
        with _kernel_environment():
            return super().preprocess(nb, resources, km)  # type: ignore[no-any-return]

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Grade, or run, one cell; whatever a cell does to the kernel, the cells after it are graded."""
        wanted = asked(cell.source) if cell.cell_type == "code" and utils.is_grade(cell) else None
        if wanted is not None:
            cell.outputs = self._graded(wanted, float(cell.metadata["nbgrader"]["points"]), resources)
            return cell, resources
        if not self._lost:
            try:
                return super().preprocess_cell(cell, resources, index)  # type: ignore[no-any-return]
            except DeadKernelError:
                self._lost = "the kernel ended in this cell or one before it"
            except (CellTimeoutError, RuntimeError) as error:
                self._lost = f"the kernel does not answer any more: {type(error).__name__}"
        if cell.cell_type == "code":
            cell.outputs = [*cell.get("outputs", []), _error("KernelLost", self._lost)]
        return cell, resources

    def _graded(self, wanted: Asked, points: float, resources: Any) -> list[Any]:
        try:
            verdict = self._verdict(wanted, points, Path(resources["metadata"]["path"]).absolute())
        except CouldNotGrade as error:
            self.log.warning("%s: %s", wanted.wanted, error)
            return [_error(UNGRADED, str(error))]
        shown = new_output("display_data", {"text/plain": as_text(verdict), "text/html": as_html(verdict)})
        result = new_output("execute_result", {"text/plain": repr(verdict.score)}, execution_count=None)
        return [shown, result]

    def _verdict(self, wanted: Asked, points: float, folder: Path) -> Verdict:
        if not (folder / MANIFEST).is_file():
            raise CouldNotGrade(f"the submission has no {MANIFEST}", remedy="it was not handed in with the notebook")
        found = Command.find(self._environment)
        command = Command(
            program=found.program, options=tuple(self.options), seconds=self.check_seconds,
            hidden=_folder(self.hidden) if self.hidden else None, environment=found.environment,
        )  # fmt: skip
        return grade(wanted.wanted, points, command, folder, self._grades)


class RestoreCells(OverwriteCells):  # type: ignore[misc] # nbgrader has no types
    """Put back graded cells that were deleted; nbgrader's own way fails where a read-only cell comes before one."""

    def add_missing_grade_cells(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Insert each after the nearest cell before it that is still there."""
        released = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        graded = {cell.name: cell for cell in released.grade_cells}
        answered = {cell.name for cell in released.solution_cells}
        at = 0
        for source in released.source_cells:
            places = [place for place, cell in enumerate(nb.cells) if _grade_id(cell) == source.name]
            if places:
                at = places[0] + 1
            elif source.name in graded:
                self.log.warning("%s was missing and is put back", source.name)
                most = graded[source.name].max_score
                nb.cells.insert(at, self.missing_cell_transform(source, most, is_solution=source.name in answered))
                at += 1
        return nb, resources


class SaveGrades(SaveAutoGrades):  # type: ignore[misc] # nbgrader has no types
    """Save scores; a cell that could not be graded is left for a person, with no score of its own."""

    def _add_score(self, cell: Any, resources: Any) -> None:
        super()._add_score(cell, resources)
        if not any(output.output_type == "error" and output.ename == UNGRADED for output in cell.get("outputs", [])):
            return
        found = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        found.auto_score = None
        found.needs_manual_grade = True
        self.gradebook.db.commit()


def drop_links(assignment: str, student: str, notebooks: list[str]) -> None:
    """Take symbolic links out of a submission: nbgrader would copy what they lead to, and hand it out as feedback.

    For `Autograde.pre_convert_hook`, whose errors nbgrader only logs: so it mends instead of refusing.
    """
    for folder in {Path(notebook).parent for notebook in notebooks}:
        for path in [one for one in folder.rglob("*") if one.is_symlink()]:
            print(f"{assignment} of {student}: {path} was a symbolic link, and is taken out")
            path.unlink()


@contextmanager
def _kernel_environment() -> Iterator[None]:
    """Start kernels without what a submission must not know, and tell `check()` that it is not asked."""
    before = dict(os.environ)
    for name in _KEPT_FROM_KERNEL:
        os.environ.pop(name, None)
    os.environ[OUTSIDE] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _folder(path: str) -> Path:
    folder = Path(path).absolute()
    if not folder.is_dir():
        raise CouldNotGrade(f"{folder} is no folder with hidden checks", remedy="mend the course's configuration")
    return folder


def _error(name: str, text: str) -> Any:
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
