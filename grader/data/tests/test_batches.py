"""Seeded batches: the same seed gives the same rows, and each kind is what it says."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from grader.data import corrections, duplicates, late, skew
from grader.data.batches import FIRST_NEW_FLIGHT, Batch, Flight

DS = date(2013, 3, 9)
MAKERS = (late, corrections, duplicates, skew)


def _flight(number: int, *, dep_time: int | None = 2330) -> Flight:
    return Flight(
        year=2013, month=3, day=9, dep_time=dep_time, sched_dep_time=2300, dep_delay=None if dep_time is None else 30,
        arr_time=None if dep_time is None else 145, sched_arr_time=120, arr_delay=None if dep_time is None else 25,
        carrier="B6", flight=number, tailnum="N1", origin="JFK", dest="PBI", air_time=None if dep_time is None else 140,
        distance=1028, hour=23, minute=0, time_hour=datetime(2013, 3, 10, 4, tzinfo=timezone.utc),
    )  # fmt: skip


DAY = [_flight(number) for number in range(1, 60)] + [_flight(60, dep_time=None)]


def _make(maker: object, seed: int = 7, count: int = 8) -> Batch:
    return maker(DAY, DS, seed=seed, count=count)  # type: ignore[operator,no-any-return]


@pytest.mark.parametrize("maker", MAKERS)
def test_the_same_seed_gives_the_same_batch(maker: object) -> None:
    """Also where the day's rows come in another order; another seed gives another batch."""
    again = maker(DAY[::-1], DS, seed=7, count=8)  # type: ignore[operator]
    assert _make(maker) == again
    assert _make(maker, seed=8).delivery != again.delivery
    assert len(again.flights) == 8


def test_kinds_are_different_deliveries() -> None:
    """Batches of one day and seed can all be delivered."""
    found = [_make(maker) for maker in MAKERS]
    assert len({batch.delivery for batch in found}) == len(MAKERS)
    assert all(batch.delivery > 0 for batch in found)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_batch_comes_after_the_base_load(maker: object) -> None:
    """Recorded one to eleven days after it; `days_late` says which."""
    base = datetime(2013, 3, 10, 9, tzinfo=timezone.utc)
    assert base < _make(maker).recorded_at < base + timedelta(days=11)
    chosen = maker(DAY, DS, seed=7, count=8, days_late=40)  # type: ignore[operator]
    assert base + timedelta(days=40) < chosen.recorded_at < base + timedelta(days=41)


def test_late_flights_are_new() -> None:
    """Their keys are in no base row, and unique."""
    keys = {flight.key for flight in _make(late).flights}
    assert len(keys) == 8
    assert not keys & {flight.key for flight in DAY}


def test_corrections_change_known_flights() -> None:
    """Same keys, other values; some are cancelled after all; times stay clock times."""
    known = {flight.key: flight for flight in DAY}
    changed = _make(corrections, count=60).flights
    assert {flight.key for flight in changed} == set(known)
    assert all(flight != known[flight.key] for flight in changed if known[flight.key].dep_time is not None)
    assert any(flight.dep_time is None and known[flight.key].dep_time is not None for flight in changed)
    times = [time for flight in changed for time in (flight.dep_time, flight.arr_time) if time is not None]
    assert all(1 <= time <= 2400 and time % 100 < 60 for time in times)


def test_duplicates_change_nothing() -> None:
    """Rows are those of the base load."""
    assert set(_make(duplicates).flights) <= set(DAY)


def test_skew_is_one_carrier() -> None:
    """As many rows as asked for, all of one key, none known."""
    found = skew(DAY, DS, seed=1, count=500, carrier="UA").flights
    assert len({flight.key for flight in found}) == 500
    assert {flight.carrier for flight in found} == {"UA"}
    assert min(flight.flight for flight in found) >= FIRST_NEW_FLIGHT


def test_an_empty_day_gives_an_empty_batch() -> None:
    """Nothing to draw from is no error."""
    assert all(not maker([], DS, seed=1).flights for maker in MAKERS)
