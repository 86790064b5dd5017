"""The virtual clock."""

from __future__ import annotations

import queue
import threading
from datetime import timedelta
from typing import Any

from pipelines.local.engine.clock import VirtualClock
from pipelines.local.engine.tests.conftest import BEGIN

HOUR = timedelta(hours=1)


def test_jumps_when_nothing_runs() -> None:
    """Waiting for a moment takes no real time while no process runs."""
    clock, events = VirtualClock(BEGIN), queue.SimpleQueue[Any]()
    with clock.participant():
        assert clock.wait(events, BEGIN + HOUR, busy=False) is None
    assert clock.now() == BEGIN + HOUR


def test_an_event_comes_first() -> None:
    """An event that is there already is given before the clock moves."""
    clock, events = VirtualClock(BEGIN), queue.SimpleQueue[Any]()
    events.put("event")
    with clock.participant():
        assert clock.wait(events, BEGIN + HOUR, busy=False) == "event"
    assert clock.now() == BEGIN


def test_runs_that_share_it_jump_together() -> None:
    """Of two waiting runs the one with the earlier moment goes on first."""
    clock = VirtualClock(BEGIN)
    seen: list[float] = []
    ready = threading.Barrier(2)

    def wait(hours: int) -> None:
        with clock.participant():
            ready.wait()
            clock.wait(queue.SimpleQueue(), BEGIN + hours * HOUR, busy=False)
            seen.append((clock.now() - BEGIN) / HOUR)

    threads = [threading.Thread(target=wait, args=(hours,)) for hours in (2, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [1, 2]
