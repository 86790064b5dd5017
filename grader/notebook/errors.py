"""What a notebook shows when there is no grade, or no picture."""

from __future__ import annotations


class CouldNot(Exception):  # noqa: N818 - it says what happened, and a learner reads it
    """Something could not be done; the message says why and what to do next, in one line.

    Args:
        what: why not, one sentence without a full stop.
        remedy: what to do next.
    """

    def __init__(self, what: str, *, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what

    def _render_traceback_(self) -> list[str]:
        """Give IPython one line to show: the frames of the kit would tell a learner nothing."""
        return [f"{type(self).__name__}: {self}"]


class CouldNotGrade(CouldNot):
    """Nothing could be graded.

    It is not a verdict: the work may be right or wrong. nbgrader gives such a cell no points; under the kit's own
    configuration it also marks the cell for a person to look at.
    """


class CouldNotDraw(CouldNot):
    """There is no picture."""
