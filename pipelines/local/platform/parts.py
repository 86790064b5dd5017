"""What every server of the platform offers its supervisor."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from pipelines.local.errors import BadInput
from pipelines.local.processes import Record, end, memory

HANGING = 2.0  # seconds after which a running server that does not answer is given up
PROBE = 2.0  # seconds that one probe may take


class NotHealthy(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A server does not answer as it should, with the reason."""


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """One server as `batchlab platform status` shows it; `memory` in bytes, 0 where it does not run."""

    name: str
    running: bool
    healthy: bool
    pid: int
    address: str
    memory: int
    log: Path
    message: str


class Part(Protocol):
    """One server: started detached, recorded, probed."""

    name: str
    log: Path
    record: Path
    stop_signal: signal.Signals

    def launch(self) -> None:
        """Start the process, which does not run, and write its record; does not wait until it is healthy."""
        ...

    def probe(self) -> None:
        """Return when it answers; raise `NotHealthy` otherwise."""
        ...

    def address(self) -> str:
        """Say where it listens, for people."""
        ...


def running(part: Part) -> psutil.Process | None:
    """Return the part's live process, None where it is gone."""
    record = Record.load(part.record)
    return record.process() if record else None


def ensure(part: Part, progress: Callable[[str], None], *, patience: float = 60.0) -> bool:
    """Make sure a part runs and answers; returns whether it had to be started.

    Raises:
        BadInput: it does not come up; the message has the last line of its log.
    """
    process = running(part)
    if process is not None:
        try:
            _wait(part, process, HANGING)
        except NotHealthy as reason:
            progress(f"{part.name} does not answer ({reason}): starting it again")
            end(process, ask=part.stop_signal, patience=1.0)
        else:
            return False
    progress(f"starting {part.name}")
    part.launch()
    process = running(part)
    try:
        _wait(part, process, patience)
    except NotHealthy as reason:
        if process is not None:
            end(process, ask=part.stop_signal)
        raise BadInput(
            f"{part.name} does not start ({reason}): {last_line(part.log)}",
            where=str(part.log),
            remedy="read that log; `batchlab doctor` checks what it needs",
        ) from reason
    return True


def stop(part: Part) -> bool:
    """End a part; returns whether it ran."""
    process = running(part)
    if process is not None:
        end(process, ask=part.stop_signal)
    part.record.unlink(missing_ok=True)
    return process is not None


def status(part: Part) -> PartStatus:
    """Look at a part without changing anything."""
    process = running(part)
    message = ""
    if process is None:
        message = "stopped" if Record.load(part.record) is None else "died"
    else:
        try:
            part.probe()
        except NotHealthy as reason:
            message = str(reason)
    return PartStatus(
        name=part.name,
        running=process is not None,
        healthy=process is not None and not message,
        pid=process.pid if process else 0,
        address=part.address() if process else "",
        memory=memory(process) if process else 0,
        log=part.log,
        message=message or "healthy",
    )


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[-50:] if line.strip()]
    except OSError:
        return "no log"
    return lines[-1][:300] if lines else "the log is empty"


def _wait(part: Part, process: psutil.Process | None, patience: float) -> None:
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        try:
            part.probe()
        except NotHealthy:
            if time.monotonic() > deadline:
                raise
        else:
            return
        if process is None or running(part) is None:
            raise NotHealthy("it ended while starting")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
