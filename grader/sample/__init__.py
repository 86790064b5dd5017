"""What a seed draws: the days that are graded, and the batch of late data. The checks follow from both.

Seed 0 is the sample that all examples speak of. Another one gives a class, or each of its students, days of their own.
This package is light: notebooks import it.
"""

from grader.sample.draw import DEFAULT, Sample, drawn, seed_of

__all__ = ["DEFAULT", "Sample", "drawn", "seed_of"]
