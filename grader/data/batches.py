"""Seeded batches of late data for one flight date: the same rows and seed give the same batch, row by row."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

FIRST_NEW_FLIGHT = 9000  # the package's numbers end at 8500


@dataclass(frozen=True, kw_only=True)
class Flight:
    """One row of `ops.flights` as the package has it: times are HHMM local, delays and air time minutes."""

    year: int
    month: int
    day: int
    dep_time: int | None
    sched_dep_time: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str
    flight: int
    tailnum: str | None
    origin: str
    dest: str
    air_time: int | None
    distance: int
    hour: int
    minute: int
    time_hour: datetime

    @property
    def key(self) -> tuple[str, int, str]:
        """Natural key within the flight date."""
        return (self.carrier, self.flight, self.origin)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows that one delivery brings: `delivery` names it, `recorded_at` is when."""

    kind: str
    ds: date
    delivery: int
    recorded_at: datetime
    flights: tuple[Flight, ...]


def late(day: Sequence[Flight], ds: date, *, seed: int, count: int = 12, days_late: int | None = None) -> Batch:
    """Flights of `ds` that nobody had delivered before: new numbers, schedules taken from that day's flights.

    Args:
        day: the day's base rows, in any order; none are changed.
        ds: flight date.
        seed: same seed, same rows.
        count: rows; no more than the day has.
        days_late: whole days after the base load; chosen by the seed (1…10) where None.
    """

    def rows(rng: random.Random, base: list[Flight]) -> list[Flight]:
        numbers = rng.sample(range(FIRST_NEW_FLIGHT, FIRST_NEW_FLIGHT + 10 * count), len(base))
        return [replace(flight, flight=number) for flight, number in zip(base, numbers, strict=True)]

    return _batch("late", day, ds, seed, count, days_late, rows)


def corrections(day: Sequence[Flight], ds: date, *, seed: int, count: int = 12, days_late: int | None = None) -> Batch:
    """Known flights of `ds` with other values: delays moved, every fourth one cancelled after all."""

    def rows(rng: random.Random, base: list[Flight]) -> list[Flight]:
        return [
            _cancelled(flight) if index % 4 == 3 else _delayed(flight, rng.randint(5, 90))
            for index, flight in enumerate(base)
        ]

    return _batch("corrections", day, ds, seed, count, days_late, rows)


def duplicates(day: Sequence[Flight], ds: date, *, seed: int, count: int = 12, days_late: int | None = None) -> Batch:
    """Known flights of `ds` delivered again as they were."""
    return _batch("duplicates", day, ds, seed, count, days_late, lambda _rng, base: base)


def skew(
    day: Sequence[Flight], ds: date, *, seed: int, count: int = 5000, carrier: str = "UA", days_late: int | None = None
) -> Batch:
    """Many new flights of one carrier on `ds`, so that one key holds most of the day's rows."""

    def rows(rng: random.Random, base: list[Flight]) -> list[Flight]:
        return [
            replace(rng.choice(base), carrier=carrier, flight=FIRST_NEW_FLIGHT + index) for index in range(count)
        ] if base else []  # fmt: skip

    return _batch("skew", day, ds, seed, count, days_late, rows, pick=len(day))


def _batch(  # noqa: PLR0917 - the caller hands on its own arguments in their order
    kind: str,
    day: Sequence[Flight],
    ds: date,
    seed: int,
    count: int,
    days_late: int | None,
    rows: Callable[[random.Random, list[Flight]], list[Flight]],
    *,
    pick: int | None = None,
) -> Batch:
    """Draw flights of the day in key order, let `rows` turn them into the batch's, and date the delivery."""
    name = f"{kind}|{ds}|{seed}|{count}|{days_late}"
    rng = random.Random(name)
    ordered = sorted(day, key=lambda flight: flight.key)
    base = rng.sample(ordered, min(pick or count, len(ordered)))
    moment = datetime(ds.year, ds.month, ds.day, 9, tzinfo=timezone.utc) + timedelta(days=1)
    moment += timedelta(days=days_late if days_late is not None else rng.randint(1, 10), minutes=rng.randint(1, 600))
    return Batch(
        kind=kind,
        ds=ds,
        delivery=1 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big"),
        recorded_at=moment,
        flights=tuple(sorted(rows(rng, base), key=lambda flight: flight.key)),
    )


def _cancelled(flight: Flight) -> Flight:
    return replace(flight, dep_time=None, dep_delay=None, arr_time=None, arr_delay=None, air_time=None)


def _delayed(flight: Flight, minutes: int) -> Flight:
    """Move departure and arrival; a flight that never left stays as it was, but for its aircraft."""
    if flight.dep_time is None or flight.dep_delay is None:
        return replace(flight, tailnum=f"N{minutes:03d}LB")
    return replace(
        flight,
        dep_time=_clock(flight.dep_time, minutes),
        dep_delay=flight.dep_delay + minutes,
        arr_time=flight.arr_time if flight.arr_time is None else _clock(flight.arr_time, minutes),
        arr_delay=flight.arr_delay if flight.arr_delay is None else flight.arr_delay + minutes,
    )


def _clock(hhmm: int, minutes: int) -> int:
    """Add minutes to an HHMM time; midnight is 2400, as in the package."""
    total = (hhmm // 100 * 60 + hhmm % 100 + minutes) % 1440 or 1440
    return total // 60 * 100 + total % 60
