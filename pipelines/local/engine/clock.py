"""Time as an argument: the real clock, and a virtual one that jumps when nothing runs."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def show_time(moment: datetime | None) -> str | None:
    """Write a moment as Kubernetes does: UTC, whole seconds; None if there is none."""
    return moment.strftime(_FORMAT) if moment else None


def parse_time(text: str | None) -> datetime | None:
    """Read what `show_time` wrote."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=timezone.utc) if text else None


def whole_second(moment: datetime) -> datetime:
    """Drop the fraction of a second, which Kubernetes does not store."""
    return moment.replace(microsecond=0)


class Clock(Protocol):
    """What a run asks of time. All moments are aware and in UTC."""

    def now(self) -> datetime:
        """Return the present moment."""
        ...

    @contextmanager
    def participant(self) -> Iterator[None]:
        """Take part: the clock may only jump while every participant waits idly."""
        ...

    def wait(self, events: queue.SimpleQueue[Any], until: datetime | None, *, busy: bool) -> Any | None:
        """Wait for an event, or for a moment; None when the moment came.

        Args:
            events: where events arrive, from other threads.
            until: when to give up; None waits for an event for ever.
            busy: whether processes run, so that time must pass really.
        """
        ...


class WallClock:
    """The computer's own clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(timezone.utc)

    @contextmanager
    def participant(self) -> Iterator[None]:
        """Take part; nothing to do."""
        yield

    def wait(self, events: queue.SimpleQueue[Any], until: datetime | None, *, busy: bool) -> Any | None:  # noqa: ARG002
        """Wait for an event or a moment."""
        seconds = None if until is None else max(0.0, (until - datetime.now(timezone.utc)).total_seconds())
        try:
            return events.get(timeout=seconds)
        except queue.Empty:
            return None


class VirtualClock:
    """A clock that stands still while nothing happens, flows with real seconds while processes run, and else jumps.

    Several runs may share it (a backfill); when all of them wait and none is busy, it jumps to the earliest moment
    that one of them waits for.
    """

    _TICK = 0.05

    def __init__(self, start: datetime) -> None:
        self._now = whole_second(start.astimezone(timezone.utc))
        self._lock = threading.Condition()
        self._participants: Counter[int] = Counter()
        self._waiting: dict[int, datetime | None] = {}
        self._busy: set[int] = set()
        self._anchor: tuple[float, datetime] | None = None

    def now(self) -> datetime:
        """Return the present virtual moment."""
        with self._lock:
            self._flow()
            return self._now

    def advance_to(self, moment: datetime) -> None:
        """Move forward to a moment (a cron schedule's next time); never back."""
        with self._lock:
            self._jump(moment.astimezone(timezone.utc))

    @contextmanager
    def participant(self) -> Iterator[None]:
        """Count this thread, once however often it joins, among those that must wait before the clock may jump."""
        me = threading.get_ident()
        with self._lock:
            self._participants[me] += 1
        try:
            yield
        finally:
            with self._lock:
                self._participants[me] -= 1
                if not self._participants[me]:
                    del self._participants[me]
                    self._set_busy(busy=False)
                self._lock.notify_all()

    def wait(self, events: queue.SimpleQueue[Any], until: datetime | None, *, busy: bool) -> Any | None:
        """Wait for an event or a moment, jumping there when no process of any participant runs."""
        me = threading.get_ident()
        with self._lock:
            self._set_busy(busy=busy)
            self._waiting[me] = until
        try:
            return self._wait(events, until)
        finally:
            with self._lock:
                self._flow()
                del self._waiting[me]
                self._lock.notify_all()

    def _wait(self, events: queue.SimpleQueue[Any], until: datetime | None) -> Any | None:
        while True:
            with self._lock:
                self._flow()
                if not self._busy and len(self._waiting) >= len(self._participants) and events.empty():
                    moments = [moment for moment in self._waiting.values() if moment is not None]
                    if moments:
                        self._jump(min(moments))
                if until is not None and self._now >= until:
                    return None if events.empty() else events.get_nowait()
                seconds = self._patience(until)
            try:
                return events.get(timeout=seconds)
            except queue.Empty:
                continue

    def _patience(self, until: datetime | None) -> float | None:
        """Return how many real seconds to wait for an event before looking at the clock again."""
        if len(self._participants) <= 1 and self._busy:
            return None if until is None else self._real_seconds(until)
        if len(self._participants) <= 1 and until is None:
            return None
        return self._TICK

    def _real_seconds(self, until: datetime) -> float:
        assert self._anchor
        began, virtual = self._anchor
        return max(0.001, (until - virtual).total_seconds() - (time.monotonic() - began))

    def _set_busy(self, *, busy: bool) -> None:
        self._flow()
        (self._busy.add if busy else self._busy.discard)(threading.get_ident())
        if self._busy and self._anchor is None:
            self._anchor = (time.monotonic(), self._now)
        elif not self._busy:
            self._anchor = None

    def _flow(self) -> None:
        """While processes run, virtual time passes with whole real seconds."""
        if self._anchor:
            began, virtual = self._anchor
            self._jump(virtual + timedelta(seconds=int(time.monotonic() - began)), keep_anchor=True)

    def _jump(self, moment: datetime, *, keep_anchor: bool = False) -> None:
        if moment > self._now:
            self._now = moment
            if self._anchor and not keep_anchor:
                self._anchor = (time.monotonic(), moment)
            self._lock.notify_all()
