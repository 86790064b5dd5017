"""The options of `batchlab demo`."""

from __future__ import annotations

from datetime import date

import pytest

from grader.cli.demo import flight_dates
from pipelines.local.errors import BadInput


def test_days() -> None:
    """Three days from the day before the clocks change by default; both ends of a range are included."""
    assert flight_dates(None, None, None) == (date(2013, 3, 9), date(2013, 3, 10), date(2013, 3, 11))
    assert flight_dates(2, "2013-11-02", None) == (date(2013, 11, 2), date(2013, 11, 3))
    assert len(flight_dates(None, "2013-01-01", "2013-12-31")) == 365


@pytest.mark.parametrize(
    ("days", "first", "last", "words"),
    [
        (1, None, None, "1 days are too few"),
        (0, None, None, "too few"),
        (None, "2013-03-10", "2013-03-09", "too few"),
        (3, "2012-12-31", None, "2012-12-31 is outside the data"),
        (400, None, None, "outside the data"),
        (3, None, "2013-03-12", "both say where to end"),
        (None, "tomorrow", None, "'tomorrow' is no date"),
        (None, "2013-02-30", None, "'2013-02-30' is no date"),
    ],
)
def test_wrong_days(days: int | None, first: str | None, last: str | None, words: str) -> None:
    """Options that make no sense are refused with the reason."""
    with pytest.raises(BadInput, match=words):
        flight_dates(days, first, last)
