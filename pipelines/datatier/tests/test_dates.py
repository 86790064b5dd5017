"""Logical dates and the watermark."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from pipelines.datatier.dates import LogicalDate, whole_number
from pipelines.datatier.errors import BadParameter


@pytest.mark.parametrize("text", ["", "2013-02-30", "2013-3-9", "20130309", "2013-03-09T00:00", "٢٠١٣-٠٣-٠٩", "{{ds}}"])
def test_what_is_no_date_is_refused(text: str) -> None:
    """Only YYYY-MM-DD of a day that exists will do, and the message shows what was given."""
    with pytest.raises(BadParameter, match="is no date; write it as YYYY-MM-DD") as caught:
        LogicalDate.parse(text)
    assert f"'{text}'" in str(caught.value)


@pytest.mark.parametrize("text", ["2012-12-31", "2014-01-01"])
def test_a_date_outside_the_data_is_refused(text: str) -> None:
    """A day that the data does not cover is a mistake, not an empty day."""
    with pytest.raises(BadParameter, match="outside the data, which covers 2013-01-01 to 2013-12-31"):
        LogicalDate.parse(text, first=date(2013, 1, 1), last=date(2013, 12, 31))


def test_first_and_last_day_belong_to_the_data() -> None:
    """Both ends are included."""
    for text in ("2013-01-01", "2013-12-31"):
        assert str(LogicalDate.parse(text, first=date(2013, 1, 1), last=date(2013, 12, 31))) == text


@pytest.mark.parametrize(
    ("ds", "lateness", "expected"),
    [
        ("2013-03-09", 0, datetime(2013, 3, 10, 5, tzinfo=timezone.utc)),
        ("2013-03-10", 0, datetime(2013, 3, 11, 4, tzinfo=timezone.utc)),
        ("2013-03-09", 2, datetime(2013, 3, 12, 5, tzinfo=timezone.utc)),
        ("2013-11-02", 1, datetime(2013, 11, 4, 4, tzinfo=timezone.utc)),
    ],
)
def test_watermark_is_the_local_end_of_the_day_and_whole_days_of_24_hours(
    ds: str, lateness: int, expected: datetime
) -> None:
    """The day ends by New York's clock; the lateness after it is elapsed time, whatever the clocks do."""
    assert LogicalDate.parse(ds).watermark(allowed_lateness=lateness, zone="America/New_York") == expected


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1e3", "٣"])
def test_what_is_no_count_is_refused(text: str) -> None:
    """Parameters that count are whole numbers from 0 on."""
    with pytest.raises(BadParameter, match="min-rows"):
        whole_number(text, "min-rows")
