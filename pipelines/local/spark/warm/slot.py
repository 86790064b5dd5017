"""A place for one warm JVM: a lock that its user holds, records of its processes, and a word for what goes on.

The lock is the operating system's: a user that dies, however it dies, lets go of it. The word then says whether it
had finished; either way the keeper takes the lock, cleans the JVM or replaces it, and says FREE.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from pipelines.local.processes import Record
from pipelines.local.spark.gateway import Address

# phase: being exercised; in use; its user has finished; clean
WARMING, LEASED, OVER, FREE = "warming", "leased", "over", "free"


class Slot:
    """The files of one place; `keeper` and `jvm` are process records, `phase` says what the holder of the lock does."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.folder = folder
        self.keeper_record = folder / f"keeper-{number}.json"
        self.jvm_record = folder / f"jvm-{number}.json"
        self.baseline = folder / f"baseline-{number}.json"
        self._lock = folder / f"lock-{number}"
        self._phase = folder / f"phase-{number}"
        self._wanted = folder / "wanted"

    def try_hold(self) -> int | None:
        """Take the lock if it is free; returns the descriptor whose closing releases it."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    def want(self) -> None:
        """Say that somebody needs the processor, or this JVM, more than an exercise does."""
        if self.folder.is_dir():
            self._wanted.touch()

    def wanted_since(self, moment: float) -> bool:
        """Tell whether somebody said so after a moment (seconds since the epoch)."""
        try:
            return self._wanted.stat().st_mtime >= moment
        except OSError:
            return False

    @property
    def phase(self) -> str:
        """What the holder of the lock does, or did last."""
        try:
            return self._phase.read_text()
        except OSError:
            return FREE

    @phase.setter
    def phase(self, phase: str) -> None:
        part = self._phase.with_suffix(".new")
        part.write_text(phase)
        part.replace(self._phase)

    def idle_seconds(self) -> float:
        """Return how long ago the phase changed."""
        try:
            return time.time() - self._phase.stat().st_mtime
        except OSError:
            return 0.0

    def jvm(self) -> Record | None:
        """Return the live JVM's record."""
        return _live(self.jvm_record)

    def keeper(self) -> Record | None:
        """Return the live keeper's record."""
        return _live(self.keeper_record)

    def address(self, jvm: Record) -> Address:
        """Return where its gateway listens."""
        return Address(port=jvm.port, secret=jvm.info["secret"])

    def load_baseline(self) -> dict[str, Any]:
        """Return what the JVM looked like before it served anybody."""
        found: dict[str, Any] = json.loads(self.baseline.read_text())
        return found

    def clear(self) -> None:
        """Forget the processes; the lock file stays."""
        for path in (self.jvm_record, self.keeper_record, self.baseline):
            path.unlink(missing_ok=True)


def _live(path: Path) -> Record | None:
    record = Record.load(path)
    return record if record is not None and record.process() is not None else None
