"""`check()`: what a cell of a lab calls."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from grader.notebook.command import Command
from grader.notebook.errors import CouldNotGrade
from grader.notebook.show import show
from grader.notebook.submission import content_digest, find_submission
from grader.notebook.verdict import Verdict, item_of, read_verdict

OUTSIDE = "BATCHLAB_GRADED_OUTSIDE"
"""Set where an instructor's run grades beside the kernel: `check()` then only says so."""


class Grades:
    """Grades by item and by what the submission holds, so that the cells of one notebook share one run.

    Args:
        whole_items: whether a single check is answered by grading its whole item, because other cells will ask for
            that. In a notebook it is not: one check is sooner done.
        keep_failures: whether a grade that could not be made is remembered too. A learner mends the cause and asks
            again; a class that is graded overnight must not wait for the same time limit in every cell.
        announce: told what is graded, before it is: it takes minutes.
    """

    def __init__(
        self,
        *,
        whole_items: bool = False,
        keep_failures: bool = False,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.whole_items = whole_items
        self.keep_failures = keep_failures
        self.announce = announce
        self._known: dict[tuple[str, ...], dict[str, Any] | CouldNotGrade] = {}

    def document(self, command: Command, wanted: str, submission: Path) -> dict[str, Any]:
        """Give the grade of an item or a check, from an earlier run where the submission's content is the same.

        Raises:
            CouldNotGrade: there is none.
        """
        same = (str(submission), content_digest(submission), str(command.program), *command.options,
                str(command.hidden))  # fmt: skip
        item = item_of(wanted)
        name = item if self.whole_items or (item, *same) in self._known else wanted
        asked = (name, *same)
        if asked not in self._known:
            self.announce(f"grading {name}: what you hand in is run, which takes a minute or more")
            try:
                self._known[asked] = command.grade(name, submission)
            except CouldNotGrade as error:
                if not self.keep_failures:
                    raise
                self._known[asked] = error
        found = self._known[asked]
        if isinstance(found, CouldNotGrade):
            raise CouldNotGrade(found.what, remedy=found.remedy)
        return found


@cache
def _kernel_grades() -> Grades:
    """Keep one memory per kernel."""
    return Grades(announce=lambda text: print(text, flush=True))


def check(wanted: str, *, points: float | None = None) -> float:
    """Grade one item, or one check of it, for the submission that this notebook belongs to.

    The grade runs in a process of its own, as `batchlab grade` does, and takes as long. The verdict is shown, with
    the rows that it rests on; nothing is written to stderr, because nbgrader gives a cell with stderr no points.

    Args:
        wanted: an item (`M03`: partial credit for the part of its checks that passed), or one check (`M03-keys`).
        points: the most that this cell can give; by default the item's own points, and 1 for a single check.

    Returns:
        Points gained, a float from 0 to `points`.

    Raises:
        CouldNotGrade: there is no verdict: wrong name, no submission, time limit, or nothing that could run.
    """
    if os.environ.get(OUTSIDE):
        print(f"{wanted} is graded outside of this notebook", flush=True)
        return 0.0
    try:
        verdict = grade(wanted, points, Command.find(), find_submission(Path.cwd(), os.environ), _kernel_grades())
    except CouldNotGrade as error:
        raise error.with_traceback(None) from None
    show(verdict)
    return verdict.score


def grade(wanted: str, points: float | None, command: Command, submission: Path, grades: Grades) -> Verdict:
    """Give the verdict on an item or a check of a submission.

    Raises:
        CouldNotGrade: there is none.
    """
    if points is not None and (
        isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points) or points < 0
    ):
        raise CouldNotGrade(f"check({wanted!r}, points={points!r}): points must be a number, 0 or more")
    return read_verdict(grades.document(command, wanted, submission), wanted, points)
