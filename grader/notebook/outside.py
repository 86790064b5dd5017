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
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells, SaveAutoGrades
from traitlets import Bool, Float, Integer, List, Unicode

from grader.notebook.boxed import LostError, outputs_in_box
from grader.notebook.cells import Asked, asked
from grader.notebook.check import OUTSIDE, Grades, grade
from grader.notebook.command import Command
from grader.notebook.errors import CouldNotGrade
from grader.notebook.inside import error_output, execute
from grader.notebook.sample import SEED
from grader.notebook.show import as_html, as_text
from grader.notebook.submission import FOLDER, MANIFEST
from grader.notebook.verdict import Verdict
from grader.sample.course import course

HIDDEN = "BATCHLAB_HIDDEN"
"""Names the folder of hidden checks, for the configuration file; kernels do not get it."""
UNGRADED = CouldNotGrade.__name__
_KEPT_FROM_KERNEL = (HIDDEN, FOLDER)


class GradeOutside(NbGraderPreprocessor):  # type: ignore[misc] # nbgrader has no types
    """Run the learner's cells in a box; fill in the cells that ask for a check."""

    timeout = Integer(60, help="Time limit of each of the learner's cells, in seconds.").tag(config=True)
    boxed = Bool(True, help="Whether the learner's cells run in a box. Without one, they may do what you may.").tag(
        config=True
    )
    hidden = Unicode("", help="Folder with checks that only instructors have.").tag(config=True)
    options = List(["--autograde"], help="Options of `batchlab grade`.").tag(config=True)
    _seed = "0"
    check_seconds = Float(1200.0, help="Time limit of one grade, in seconds.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Go through a notebook's cells: whatever those before it do, a cell that asks for a check is graded."""
        self._seed = str(course().seed_for(resources.get("nbgrader", {}).get("student")))
        folder, grades = Path(resources["metadata"]["path"]).absolute(), Grades(whole_items=True, keep_failures=True)
        for cell, outputs in zip(nb.cells, self._run(nb, folder), strict=True):
            if cell.cell_type != "code":
                continue
            wanted = _wanted(cell)
            if wanted is None:
                cell.outputs = outputs
            else:
                cell.outputs = self._graded(wanted, float(cell.metadata["nbgrader"]["points"]), folder, grades)
        return nb, resources

    def _run(self, nb: Any, folder: Path) -> list[list[Any]]:
        """Run all cells but those that ask for a check; give the outputs of each."""
        todo = deepcopy(nb)
        for cell in todo.cells:
            if cell.cell_type != "code" or _wanted(cell) is not None:
                cell.source = ""
        text = nbformat.writes(todo)
        try:
            if self.boxed:
                return _valid(
                    outputs_in_box(text, folder, seconds=self.timeout, cells=len(nb.cells), seed=self._seed),
                    len(nb.cells),
                )
            with _kernel_environment(self._seed):
                return _valid(execute(text, str(folder), seconds=self.timeout), len(nb.cells))
        except LostError as error:
            self.log.warning("the notebook was not run: %s", error)
            return [[error_output("KernelLost", str(error))] for _ in nb.cells]

    def _graded(self, wanted: Asked, points: float, folder: Path, grades: Grades) -> list[Any]:
        try:
            verdict = self._verdict(wanted, points, folder, grades)
        except CouldNotGrade as error:
            self.log.warning("%s: %s", wanted.wanted, error)
            return [error_output(UNGRADED, str(error))]
        shown = {"text/plain": as_text(verdict), "text/html": as_html(verdict)}
        return [
            nbformat.v4.new_output("display_data", shown),
            nbformat.v4.new_output("execute_result", {"text/plain": repr(verdict.score)}, execution_count=None),
        ]

    def _verdict(self, wanted: Asked, points: float, folder: Path, grades: Grades) -> Verdict:
        if not (folder / MANIFEST).is_file():
            raise CouldNotGrade(f"the submission has no {MANIFEST}", remedy="it was not handed in with the notebook")
        found = Command.find()
        command = Command(
            program=found.program, options=(*self.options, "--seed", self._seed), seconds=self.check_seconds,
            hidden=_folder(self.hidden) if self.hidden else None, environment=found.environment,
        )  # fmt: skip
        return grade(wanted.wanted, points, command, folder, grades)


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
def _kernel_environment(seed: str) -> Iterator[None]:
    """Start kernels without what a submission must not know, and tell `check()` that it is not asked."""
    before = dict(os.environ)
    for name in _KEPT_FROM_KERNEL:
        os.environ.pop(name, None)
    os.environ |= {OUTSIDE: "1", SEED: seed}
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


def _wanted(cell: Any) -> Asked | None:
    """Tell which check a graded cell asks for; its source is the released one, which nbgrader has put back."""
    return asked(cell.source) if cell.cell_type == "code" and utils.is_grade(cell) else None


def _valid(outputs: Any, cells: int) -> list[list[Any]]:
    """Take outputs as a notebook has them: a learner's kernel may have had a hand in them."""
    try:
        if len(outputs) != cells:
            raise LostError("the notebook's outputs are not those of its cells")
        found = [[nbformat.from_dict(output) for output in one] for one in outputs]
        for one in found:
            nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=one)]))
    except (TypeError, ValueError, AttributeError, KeyError, nbformat.ValidationError) as error:
        raise LostError(f"the notebook's outputs cannot be read: {type(error).__name__}") from None
    return found
