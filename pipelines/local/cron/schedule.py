"""When a CronWorkflow or a ScheduledSparkApplication fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang, LangError


def parse_date(text: str, option: str) -> date:
    """Read a date of the command line (YYYY-MM-DD).

    Raises:
        BadInput: it is none.
    """
    try:
        if len(text) == len("2013-03-10"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(f"'{text}' is no date", where=option, remedy="write it as YYYY-MM-DD, 2013-03-10 say")


def parse_range(first: str, last: str) -> tuple[date, date]:
    """Read `--from` and `--to`, both included.

    Raises:
        BadInput: one is no date, or the first comes after the last.
    """
    start, end = parse_date(first, "--from"), parse_date(last, "--to")
    if start > end:
        raise BadInput(f"--from {first} comes after --to {last}", remedy="give the earlier date first")
    return start, end


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The schedules of one manifest, in one time zone; an empty zone is UTC, the controller's own in a cluster."""

    lines: tuple[str, ...]
    timezone: str

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Schedule:
        """Read the spec of a CronWorkflow or of a ScheduledSparkApplication (where it is `timeZone`)."""
        one = spec.get("schedule")
        lines = (str(one),) if one else tuple(str(each) for each in spec.get("schedules") or ())
        return cls(lines=lines, timezone=spec.get("timezone") or spec.get("timeZone") or "")

    def check(self, where: str, lang: Lang) -> None:
        """Refuse a schedule that never fires.

        Raises:
            BadInput: there is none, it cannot be read, or its time zone does not exist.
        """
        if not self.lines:
            raise BadInput("there is no schedule", where=where, remedy='give it one: schedules: ["30 1 * * *"]')
        try:
            if self.timezone:
                lang.timezone_check(self.timezone)
            for line in self.lines:
                lang.cron_check(line)
        except LangError as error:
            raise BadInput(f"the schedule never fires: {error.message}", where=where) from error

    @property
    def zone(self) -> tzinfo:
        """The time zone's rules."""
        return ZoneInfo(self.timezone) if self.timezone else fixed.utc

    def midnight(self, day: date) -> datetime:
        """Give the moment (UTC) when a day begins in the schedule's time zone."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(fixed.utc)

    def between(self, start: datetime, end: datetime, lang: Lang) -> list[datetime]:
        """List the times (UTC) at which any of the schedules fires, start ≤ t < end, each once."""
        found = {at for line in self.lines for at in lang.cron_times(line, self.timezone, start, end)}
        return sorted(found)

    def days(self, first: date, last: date, lang: Lang) -> list[datetime]:
        """List the times (UTC) of whole days in the schedule's time zone, both included."""
        return self.between(self.midnight(first), self.midnight(last + timedelta(days=1)), lang)

    def texts(self) -> str:
        """Write the schedules as the annotation `last-used-schedule` holds them."""
        zone = f"CRON_TZ={self.timezone} " if self.timezone else ""
        return ",".join(zone + line for line in self.lines)
