"""Logical dates, and the watermark up to which late data counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from pipelines.datatier.errors import BadParameter

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class LogicalDate:
    """The day that a run processes: never the day on which it runs."""

    day: date

    @classmethod
    def parse(cls, text: str, *, first: date = date.min, last: date = date.max, name: str = "ds") -> LogicalDate:
        """Read `YYYY-MM-DD`.

        Raises:
            BadParameter: not such a date, or not within `first`…`last`.
        """
        try:
            day = date.fromisoformat(text if _FORM.fullmatch(text) else "")
        except ValueError:
            raise BadParameter(name, f"'{text}' is no date; write it as YYYY-MM-DD") from None
        if not first <= day <= last:
            raise BadParameter(name, f"{day} is outside the data, which covers {first} to {last}")
        return cls(day=day)

    def __str__(self) -> str:
        return self.day.isoformat()

    @property
    def compact(self) -> str:
        """The date as eight digits, for names."""
        return self.day.strftime("%Y%m%d")

    def watermark(self, *, allowed_lateness: int, zone: str) -> datetime:
        """Tell the instant after which rows of this date no longer count.

        It is midnight at the date's end in `zone` plus `allowed_lateness` times 24 hours: a function of parameters
        only, so that a rerun draws the line where the first run drew it.
        """
        end = datetime.combine(self.day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
        return end.astimezone(timezone.utc) + timedelta(days=allowed_lateness)


def whole_number(text: str, name: str, *, least: int = 0) -> int:
    """Read a whole number given as a parameter.

    Raises:
        BadParameter: not one, or below `least`.
    """
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII) or int(text) < least:
        raise BadParameter(name, f"'{text}' is no whole number from {least} on")
    return int(text)
