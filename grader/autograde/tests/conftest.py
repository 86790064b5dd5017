"""Every test of this folder leaves the machine as it was."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.autograde.box import _AT
from pipelines.local.processes import await_end

_BUSY = {"/tmp", "/var/tmp"}  # others write there, too
_CONTAINERS = re.compile(r"/(run/(containerd|docker)|var/lib/(containerd|containers|docker|kube\w+))(/|$)")
"""Where a container runtime mounts what its containers see, at any time."""


def mounts() -> list[str]:
    """Return the mounts that this process sees, without those of containers, which come and go beside the tests."""
    found = sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [place for place in found if not _CONTAINERS.match(place)]


def places() -> dict[str, list[str]]:
    """Return what is in the folders that a box may be built over, and in those that a sloppy one could harm."""
    return {
        folder: sorted(path.name for path in Path(folder).iterdir())
        for folder in {*_AT, "/dev", "/usr/bin"} - _BUSY
        if Path(folder).is_dir()
    }


def left_by_us() -> list[psutil.Process]:
    """Return processes of boxes that are ours or have lost their parents: others may be testing at the same time."""
    found = {process.pid: process for process in psutil.process_iter() if _of_a_box(process)}
    return [process for process in found.values() if _top(process, found) in {1, os.getpid()}]


def _of_a_box(process: psutil.Process) -> bool:
    try:
        return process.uids().real >= 2_000_000_000 or "grader.autograde" in " ".join(process.cmdline()[:5])
    except psutil.Error:
        return False


def _top(process: psutil.Process, known: dict[int, psutil.Process]) -> int:
    """Return the parent of the topmost process of a box."""
    try:
        parent = process.ppid()
    except psutil.Error:
        return -1
    return _top(known[parent], known) if parent in known else parent


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Compare mounts, processes and folders of the machine after a test with what was there before it."""
    before = mounts(), places()
    yield
    assert await_end(left_by_us(), timeout=10) == []
    assert (mounts(), places()) == before
