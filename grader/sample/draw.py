"""Days and late data from a seed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

TELLING = Path(__file__).parent / "days.csv"
"""Days on which every rule of the pipelines has rows to show itself, with the number of flights and a digest of the
answers of lab 0. `test_days.py` finds the same days in the data."""
SPRING, AUTUMN = date(2013, 3, 10), date(2013, 11, 3)
"""The clocks in New York change; the second of the graded days is one of these."""
MOST = 2**31 - 1
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is graded.

    Args:
        seed: what it was drawn from.
        days: the graded days, in order: an ordinary one, and one on which the clocks change.
        late_seed: decides which flights come late, and how.
        flights: flights of the first day in the base load.
        answers: begin of the digest of the first day's answers in lab 0.
    """

    seed: int
    days: tuple[date, date]
    late_seed: int
    flights: int
    answers: str

    def right(self, answers: Sequence[object]) -> bool:
        """Tell whether some answers about the first day are right."""
        return digest(answers) == self.answers


def drawn(seed: int) -> Sample:
    """Draw a sample.

    Args:
        seed: 0 to 2,147,483,647; 0 gives 9 and 10 March 2013.
    """
    telling = _telling()
    number = int.from_bytes(sha256(f"sample {seed}".encode()).digest()[:8], "big")
    first = sorted(telling)[number % len(telling)] if seed else date(2013, 3, 9)
    flights, answers = telling[first]
    return Sample(
        seed=seed, days=(first, SPRING if first < SPRING else AUTUMN), late_seed=number % MOST if seed else 310,
        flights=flights, answers=answers,
    )  # fmt: skip


def seed_of(seed: int, student: str) -> int:
    """Give a student's own seed in a class that has one; the same each time."""
    return int.from_bytes(sha256(f"student {seed} {student}".encode()).digest()[:8], "big") % MOST + 1


def digest(answers: Sequence[object]) -> str:
    """Hash answers, so that a file with the right ones does not tell them."""
    return sha256(repr(list(answers)).encode()).hexdigest()[:_DIGITS]


@cache
def _telling() -> dict[date, tuple[int, str]]:
    with TELLING.open(encoding="utf-8", newline="") as file:
        return {date.fromisoformat(row["day"]): (int(row["flights"]), row["answers"]) for row in csv.DictReader(file)}


DEFAULT = drawn(0)
"""The sample of all examples."""
