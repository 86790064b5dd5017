"""Times that come one after the other, and runs in between, on one clock."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from pipelines.local.cron.runs import Outcome
from pipelines.local.engine.clock import Clock


class Timeline:
    """Calls back when a time comes and when a run ends, in the order of the clock.

    Runs go on in threads of their own, each of which takes part in the clock; so a virtual clock jumps to the next
    time only when all of them wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self._running = 0

    def start(self, work: Callable[[], Outcome]) -> None:
        """Run something; its outcome is told to `ended` of `go`."""
        joined = threading.Event()

        def run() -> None:
            with self._clock.participant():
                joined.set()
                try:
                    self._events.put(work())
                except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
                    self._events.put(error)

        self._running += 1
        threading.Thread(target=run, daemon=True).start()
        joined.wait()  # before this thread waits again: the clock must count the run

    def go(
        self,
        times: Iterable[datetime],
        fire: Callable[[datetime], None],
        ended: Callable[[Outcome], None],
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """Play the times, then wait for every run that was started. An error of a run is raised here."""
        with self._clock.participant():
            begin()
            for at in times:
                self._until(at, ended)
                fire(at)
            while self._running:
                self._take(self._clock.wait(self._events, None, busy=False), ended)

    def _until(self, at: datetime, ended: Callable[[Outcome], None]) -> None:
        while (event := self._clock.wait(self._events, at, busy=False)) is not None:
            self._take(event, ended)

    def _take(self, event: Outcome | BaseException | None, ended: Callable[[Outcome], None]) -> None:
        if event is None:
            return
        self._running -= 1
        if isinstance(event, BaseException):
            raise event
        ended(event)
