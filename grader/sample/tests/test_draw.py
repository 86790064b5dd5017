"""Samples: the same seed, the same days; every day can be graded."""

from __future__ import annotations

from datetime import date

import pytest

from grader.sample import DEFAULT, drawn, seed_of
from grader.sample.draw import AUTUMN, MOST, SPRING

SEEDS = (1, 2, 7, 42, 2013, MOST)


def test_without_a_seed_it_is_the_sample_of_all_examples() -> None:
    """9 and 10 March, 765 flights on the first."""
    assert drawn(0) == DEFAULT
    assert DEFAULT.days == (date(2013, 3, 9), date(2013, 3, 10))
    assert (DEFAULT.flights, DEFAULT.late_seed) == (765, 310)
    assert DEFAULT.right([765, 9, 26])
    assert not DEFAULT.right([765, 9, 27])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_gives_the_same_days_each_time(seed: int) -> None:
    """An ordinary day, and after it one on which the clocks change."""
    sample = drawn(seed)
    assert sample == drawn(seed)
    assert sample.days[1] in {SPRING, AUTUMN}
    assert sample.days[0] < sample.days[1]


def test_seeds_differ() -> None:
    """In days, and in what comes late for the same day."""
    samples = [drawn(seed) for seed in range(1, 200)]
    assert len({one.days for one in samples}) > 60
    assert len({one.late_seed for one in samples}) == len(samples)


def test_every_student_has_a_seed_of_their_own() -> None:
    """It depends on the class's seed, so that last year's answers are no use."""
    found = {seed_of(seed, student) for seed in (7, 8) for student in ("ann", "ben", "Ann")}
    assert len(found) == 6
    assert all(0 < one <= MOST for one in found)
    assert seed_of(7, "ann") == seed_of(7, "ann")
