"""How much a step may use, and how it is seen that it used more."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

_MIB, _GIB = 1 << 20, 1 << 30
LOOK_SECONDS = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LAST_RESORT = 256 * _MIB  # of memory that the machine must have left while strangers' code runs
_MANY = 4096  # files that one process may have open


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one step may use. Sizes in bytes; each of them is one that honest steps stay far below.

    Args:
        seconds: from its start to its end; None for no limit but the manifest's.
        memory: of all its processes together, shared pages counted once.
        processes: and threads, at one time.
        output: kept of standard output, and of standard error; what it writes beyond that is dropped.
        file: of any one file that it writes.
        saved: of all output parameters and artifacts together.
        disk: of its own files, where it has a file system of its own.
    """

    seconds: float | None = 1800
    memory: int = 4 * _GIB
    processes: int = 1024
    output: int = 8 * _MIB
    file: int = 4 * _GIB
    saved: int = 256 * _MIB
    disk: int = 1 * _GIB

    def as_json(self) -> dict[str, Any]:
        """Give it as a description of a step has it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A limit that a step broke: the container's reason as Kubernetes words it (or ""), and the limit in words."""

    reason: str = ""
    message: str


def size(count: int) -> str:
    """Say a number of bytes: `4 GiB`, `1.5 MiB`."""
    for unit, name in ((_GIB, "GiB"), (_MIB, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count} bytes"


def hold(limits: Limits, *, count_processes: bool) -> None:
    """Have the kernel hold this process, and those that it will start, to what it can count by itself.

    Memory is a last resort only, for the time between two looks: programs reserve far more than they use.
    """
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_DATA, 2 * limits.memory + 2 * _GIB),
        (resource.RLIMIT_NOFILE, _MANY),
        *([(resource.RLIMIT_NPROC, limits.processes)] if count_processes else []),
    ):
        ceiling = resource.getrlimit(kind)[1]
        allowed = limit if ceiling == resource.RLIM_INFINITY else min(limit, ceiling)
        resource.setrlimit(kind, (allowed, allowed))


class Watch:
    """Looks at a step from time to time.

    Args:
        limits: what it may use.
        child: its first process.
        alone: whether every process in /proc is its own.
    """

    def __init__(self, limits: Limits, child: int, *, alone: bool) -> None:
        self._limits = limits
        self._child = child
        self._alone = alone
        self._until = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._filled = False
        self._next = 0.0

    @property
    def pause(self) -> float:
        """Seconds until the next look is due."""
        return max(0.0, self._next - time.monotonic())

    def due(self) -> bool:
        """Tell whether it is time for a look, and if so, set the time of the next."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + LOOK_SECONDS
        return True

    def kill(self) -> None:
        """Kill its processes one by one: those of another session do not end with the first."""
        if self._alone:  # they end with the process 1 of their namespace, and their numbers are not ours
            return
        for member in list(_family(self._child)):
            with contextlib.suppress(OSError):
                os.kill(member.pid, signal.SIGKILL)

    def look(self) -> Breach | None:
        """Return a limit that is broken now."""
        limits = self._limits
        if self._until is not None and time.monotonic() > self._until:
            return Breach(message=f"the step ran for more than {limits.seconds:g} seconds")
        family = list(everybody() if self._alone else _family(self._child))
        if sum(member.threads for member in family) >= limits.processes:
            return Breach(message=f"the step had more than {limits.processes} processes and threads")
        if sum(member.memory for member in family) > limits.memory and exactly(family) > limits.memory:
            return Breach(reason="OOMKilled", message=f"the step used more than {size(limits.memory)} of memory")
        if self._alone:
            self._filled = self._filled or _is_full()
            if left() < _LAST_RESORT:
                return Breach(reason="OOMKilled", message="the machine ran out of memory while the step ran")
        return None

    def breach_of(self, code: int) -> Breach | None:
        """Tell whether an exit code says that the kernel ended the step for a limit."""
        if code == 128 + signal.SIGXFSZ:
            return Breach(message=f"the step wrote a file of more than {size(self._limits.file)}")
        return None

    def excuse(self) -> str:
        """Say what may have made a step fail that broke no limit by itself: it was refused something."""
        filled = self._alone and (self._filled or _is_full())
        return f"the step filled its {size(self._limits.disk)} of disk" if filled else ""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One process; `memory` counts what it shares with others, too."""

    pid: int
    parent: int
    threads: int
    memory: int


def everybody() -> Iterator[Member]:
    """Give the processes that /proc knows."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
                yield Member(pid=int(name), parent=int(words[1]), threads=int(words[17]), memory=int(words[21]) * _PAGE)


def _family(first: int) -> Iterator[Member]:
    """Give a process and its descendants; those whose parents are gone belong to the step's own process 1."""
    children: dict[int, list[Member]] = {}
    for member in everybody() if os.path.isdir("/proc/self") else _told():
        children.setdefault(member.parent, []).append(member)
        if member.pid == first:
            yield member
    waiting = [first]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += [member.pid for member in found]


def _told() -> Iterator[Member]:
    """Ask `ps` where there is no /proc."""
    import subprocess

    asked = ["ps", "-A", "-o", "pid=,ppid=,rss="]
    done = subprocess.run(asked, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    for line in done.stdout.splitlines():
        with contextlib.suppress(ValueError):
            pid, parent, memory = map(int, line.split())
            yield Member(pid=pid, parent=parent, threads=1, memory=memory << 10)


def exactly(family: list[Member]) -> int:
    """Return the memory of processes, each page that several share counted once."""
    total = 0
    for member in family:
        try:
            with open(f"/proc/{member.pid}/smaps_rollup", "rb") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith(b"Pss:")) << 10
        except (ProcessLookupError, FileNotFoundError, StopIteration):
            continue  # it has just ended, or is a zombie
        except OSError:
            total += member.memory
    return total


def left() -> int:
    """Return how much memory programs could still get on this machine."""
    try:
        with open("/proc/meminfo", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"MemAvailable:")) << 10
    except (OSError, StopIteration):
        return _LAST_RESORT


def _is_full() -> bool:
    state = os.statvfs("/")
    return state.f_bavail == 0 or state.f_favail == 0
