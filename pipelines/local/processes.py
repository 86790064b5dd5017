"""Server processes that outlive the command that started them, known by pid and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import psutil

# psutil rounds start times to clock ticks; another process with the same pid starts seconds later at least
_SAME_START = 0.5


@dataclass(frozen=True, kw_only=True)
class Record:
    """One process as it was started: a recycled pid has another start time, so it is never taken for ours."""

    pid: int
    started: float
    port: int = 0
    info: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pid: int, *, port: int = 0, info: Mapping[str, str] | None = None) -> Record:
        """Describe a process that runs now."""
        return cls(pid=pid, started=psutil.Process(pid).create_time(), port=port, info=dict(info or {}))

    @classmethod
    def load(cls, path: Path) -> Record | None:
        """Read a record; None where there is none or a crash left half of one."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Write the record in one step, readable by its owner only."""
        part = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(asdict(self), stream)
        part.replace(path)

    def process(self) -> psutil.Process | None:
        """Return the live process, or None where it is gone (a zombie is gone)."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _SAME_START or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.Error:
            return None
        return process


def spawn(
    argv: Sequence[str | Path], *, log: Path, stdout: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, so that it survives the end of this one.

    What it says is appended to `log`; with `stdout` its standard output goes to that new file, private to its owner.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        errors = files.enter_context(log.open("ab"))
        output = files.enter_context(_private(stdout)) if stdout else errors
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=None if env is None else dict(env),
            cwd="/",
            start_new_session=True,
        )


def _private(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def end(process: psutil.Process, *, ask: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """End a process and its children: ask the process, then kill whoever is left after `patience` seconds."""
    try:
        family = [process, *process.children(recursive=True)]
        process.send_signal(ask)
    except psutil.NoSuchProcess:
        return
    left = await_end(family, timeout=patience)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    await_end(left, timeout=patience)


def await_end(processes: Sequence[psutil.Process], *, timeout: float) -> list[psutil.Process]:
    """Wait until processes have ended; returns those that have not after `timeout` seconds.

    One that ended but was not reaped has ended: in a container, process 1 may never reap it.
    """
    deadline = time.monotonic() + timeout
    left = [process for process in processes if not _ended(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = [process for process in left if not _ended(process)]
    return left


def _ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def memory(process: psutil.Process) -> int:
    """Return the bytes that a process and its children hold, shared pages counted once where the OS can tell."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            full = member.memory_full_info()
            total += getattr(full, "pss", 0) or full.uss
        except psutil.AccessDenied:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
