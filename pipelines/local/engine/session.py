"""The life of one run in this process: passes, waiting, storing, telling."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.local.engine.clock import show_time
from pipelines.local.engine.context import Context
from pipelines.local.engine.events import Event, Listener
from pipelines.local.engine.operate import DONE, operate
from pipelines.local.engine.pod import Pod
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store
from pipelines.local.errors import BadInput

_POLL_SECONDS = 0.5
_RECURSION = 20000


class Session:
    """Drives one run until it ends, or until only a person can continue it."""

    def __init__(self, op: Context, store: Store, events: queue.SimpleQueue[Any], listener: Listener) -> None:
        self.op, self.pods, self.store, self.events, self.listener = op, op.pods, store, events, listener
        self._numbers: dict[str, int] = {node.id: index for index, node in enumerate(op.nodes)}
        self._phase = ""
        self._warned = False

    def run(self) -> None:
        """Do passes until the run is over or suspended; on an interrupt the store is consistent."""
        if sys.getrecursionlimit() < _RECURSION:
            sys.setrecursionlimit(_RECURSION)
        op = self.op
        with op.clock.participant():
            while True:
                operate(op)
                self.save()
                if op.status["phase"] in DONE:
                    break
                self.pods.launch()
                self._warn()
                if self._take_events() or op.changed:
                    continue
                if not self._wait():
                    break
        op.locks.release_all() if op.status["phase"] in DONE else None

    def tell(self, text: str) -> None:
        """Tell the person who looks on."""
        self.listener(Event(kind="notice", run=self.op.name, at=self.op.clock.now(), message=text))

    def _warn(self) -> None:
        if not self._warned and self.pods.shared_files:
            self._warned = True
            self.tell("this machine gives steps no files of their own: those that name the same path run one at a time")

    def save(self) -> None:
        """Store what changed in one transaction, then tell the listener."""
        op = self.op
        changed, op.nodes.dirty = list(op.nodes.dirty.values()), {}
        for node in changed:
            self._numbers.setdefault(node.id, len(self._numbers))
        with self.store.transaction():
            self.pods.save_new()
            self.store.save_run(op.name, stored(op), [(self._numbers[node.id], node) for node in changed])
        now = op.clock.now()
        for node in changed:
            self.listener(Event(kind="node", run=op.name, at=now, node=node.to_dict(), phase=node.phase))
        if op.status.get("phase") != self._phase:
            self._phase = op.status["phase"]
            self.listener(
                Event(kind="run", run=op.name, at=now, phase=self._phase, message=op.status.get("message", ""))
            )

    def _wait(self) -> bool:
        """Wait for something to happen; False if nothing ever will by itself."""
        op = self.op
        until: datetime | None = min(op.wakes, default=None)
        busy = self.pods.busy()
        outside = op.locks.blocked_from_outside()
        if not busy and until is None and not op.locks.blocked_by_others():
            op.status["suspended"] = True
            self.save()
            return False
        poll = self._poll() if outside else contextlib.nullcontext()
        with poll:
            event = op.clock.wait(self.events, until, busy=busy or outside)
        if event is not None:
            self._take(event)
        self._take_events()
        return True

    @contextlib.contextmanager
    def _poll(self) -> Iterator[None]:
        """Look again from time to time: locks of other processes are released without a word."""
        timer = threading.Timer(_POLL_SECONDS, self.events.put, [("wake", None, {})])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _take_events(self) -> bool:
        """Take all events that are there."""
        found = False
        with contextlib.suppress(queue.Empty):
            while True:
                self._take(self.events.get_nowait())
                found = True
        return found

    def _take(self, event: Any) -> None:
        if event is None:
            return
        kind, pod, details = event
        if kind == "shutdown":
            self.op.spec["shutdown"] = details["strategy"]
        if isinstance(pod, Pod):
            self.pods.note(kind, pod, details)


def stored(op: Context) -> Json:
    """Return a run's status as the store keeps it."""
    status = {key: show_time(value) if isinstance(value, datetime) else value for key, value in op.status.items()}
    return {**status, "metadata": op.metadata, "spec": op.spec, "storedTemplates": op.templates.stored}


@contextlib.contextmanager
def executor_lock(folder: Path, name: str) -> Iterator[None]:
    """Be the only executor of a run.

    Raises:
        BadInput: another one executes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "executor.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(
                f"run {name} is being executed by another process", remedy="wait for it, or stop that one first"
            ) from error
        yield
    finally:
        os.close(handle)


def is_executed(folder: Path) -> bool:
    """Whether some process executes the run of this folder."""
    try:
        handle = os.open(folder / "executor.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
