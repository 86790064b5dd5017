"""`sample()`: the days of a notebook's own seed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import tomllib

from grader.notebook.errors import CouldNotGrade
from grader.notebook.submission import MANIFEST, find_submission
from grader.sample import Sample, drawn
from grader.sample.course import course, valid

SEED = "BATCHLAB_SEED"
"""Set where an instructor's run executes the notebook: the seed that the course gives, whatever the folder says."""


class Mine:
    """The two graded days.

    Args:
        first: an ordinary day, `2013-03-09`.
        last: a later one, on which the clocks in New York change.
        flights: how many flights the source has for the first.
    """

    def __init__(self, sample: Sample) -> None:
        self.first, self.last = (str(day) for day in sample.days)
        self.flights = sample.flights
        self._sample = sample

    def right(self, answers: Sequence[object]) -> bool:
        """Tell whether the answers of lab 0 are those of the first day."""
        return self._sample.right(answers)

    def __repr__(self) -> str:
        return f"your days are {self.first}, with {self.flights} flights, and {self.last}, when the clocks change"


def sample() -> Mine:
    """Give the days that your pipelines are graded on: those of your seed, or the course's.

    Raises:
        BadInput: the seed in `submission.toml` is none.
    """
    if given := os.environ.get(SEED):
        return Mine(drawn(valid(int(given) if given.isdecimal() else given, SEED)))
    return Mine(drawn(_seed()))


def _seed() -> int:
    try:
        text = (find_submission(Path.cwd(), os.environ) / MANIFEST).read_text(encoding="utf-8")
        seed = tomllib.loads(text).get("seed")
    except (CouldNotGrade, OSError, tomllib.TOMLDecodeError):  # a grade will say what is wrong with it
        seed = None
    return course().seed_for(None) if seed is None else valid(seed, MANIFEST)
