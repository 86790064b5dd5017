"""What this machine has of what the kit needs, and the command that gets what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil

from pipelines.local.errors import BadInput
from pipelines.local.lang import build
from pipelines.local.platform import Platform
from pipelines.local.platform.ports import SETTING, is_free, port_range
from pipelines.local.platform.postgres import binaries
from pipelines.local.spark import cds, jars, java
from pipelines.local.state import StateDir

GIB = 1 << 30
DISK = 3 * GIB  # a demo's tables, logs and database, with room
MEMORY = 4 * GIB
PORTS = 3
SETUP = "make setup"


class Found(Enum):
    """How a need is met; OPTIONAL is missing, and nothing depends on it."""

    OK = "ok"
    MISSING = "missing"
    OPTIONAL = "optional"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing; `remedy` is what gets it, "" where it is there."""

    name: str
    found: Found
    detail: str
    remedy: str = ""


def needs(state: StateDir, *, cluster: bool = False) -> Iterator[Need]:
    """Yield each need as it is looked at; with `cluster`, what a cluster needs is needed too."""
    yield _python()
    yield _java()
    yield _state(state)
    yield _disk(state)
    yield _memory()
    yield _ports(state)
    yield from (_helper(program) for program in build.PROGRAMS)
    yield _postgres()
    yield _jars()
    yield _archive()
    yield _program(
        "Chromium", ("chromium", "chromium-browser", "google-chrome"), "for the report's screenshots in tests"
    )
    for name, why in (
        ("docker", "runs the cluster"),
        ("kind", "makes the cluster"),
        ("kubectl", "talks to the cluster"),
        ("flux", "installs what the cluster gets"),
    ):
        yield _program(name, (name,), why, required=cluster)


def _python() -> Need:
    version = sys.version_info
    known = (3, 11) <= version[:2] <= (3, 13)
    return Need(
        name="Python",
        found=Found.OK if known else Found.MISSING,
        detail=f"{platform.python_version()} ({sys.executable})",
        remedy="" if known else "install Python 3.11, 3.12 or 3.13, then `make setup`",
    )


def _java() -> Need:
    try:
        chosen = java.find()
    except BadInput as error:
        return Need(
            name="Java", found=Found.MISSING, detail=error.what, remedy=f"{SETUP} (fetches one), or {error.remedy}"
        )
    detail = f"{chosen.version} ({chosen.home}, by {chosen.source})"
    if chosen.major not in java.TESTED:
        detail += "; Spark 4.1 documents 17 and 21"
    return Need(name="Java", found=Found.OK, detail=detail)


def _state(state: StateDir) -> Need:
    if not state.root.exists():
        parent = _existing(state.root)
        if os.access(parent, os.W_OK):
            return Need(name="state directory", found=Found.OK, detail=f"{state.root} (not made yet)")
        remedy = "set BATCHLAB_HOME to a folder of yours"
        return Need(name="state directory", found=Found.MISSING, detail=f"{parent} cannot be written", remedy=remedy)
    try:
        state.ensure()
    except BadInput as error:
        return Need(
            name="state directory", found=Found.MISSING, detail=f"{error.where}: {error.what}", remedy=error.remedy
        )
    return Need(name="state directory", found=Found.OK, detail=str(state.root))


def _disk(state: StateDir) -> Need:
    places = {_existing(state.root), _existing(jars.cache_root())}
    free = {place: shutil.disk_usage(place).free for place in places}
    place, least = min(free.items(), key=lambda item: item[1])
    enough = least >= DISK
    return Need(
        name="disk",
        found=Found.OK if enough else Found.MISSING,
        detail=f"{least / GIB:.1f} GiB free at {place}",
        remedy="" if enough else f"free {DISK / GIB:.0f} GiB, or set BATCHLAB_HOME to a folder on another disk",
    )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _memory() -> Need:
    memory = psutil.virtual_memory()
    enough = memory.total >= MEMORY * 0.9
    return Need(
        name="memory",
        found=Found.OK if enough else Found.MISSING,
        detail=f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} free",
        remedy="" if enough else f"{MEMORY / GIB:.0f} GiB are needed",
    )


def _ports(state: StateDir) -> Need:
    try:
        allowed = port_range()
    except BadInput as error:
        return Need(name="ports", found=Found.MISSING, detail=str(error), remedy=error.remedy)
    if allowed is None:
        return Need(name="ports", found=Found.OK, detail="any free ones on 127.0.0.1")
    free = sum(is_free(port) for port in allowed)
    ours = sum(part.running for part in Platform(state).status() if not part.name.startswith("spark"))
    enough = free + ours >= PORTS
    return Need(
        name="ports",
        found=Found.OK if enough else Found.MISSING,
        detail=f"{free} of {allowed.start}-{allowed.stop - 1} are free",
        remedy="" if enough else f"give {SETTING} a wider range, or unset it",
    )


def _helper(program: build.Program) -> Need:
    built = build.cache_dir() / f"{program.name}-{build.fingerprint(program)}"
    name = program.title.removeprefix("the ")
    if built.exists():
        return Need(name=name, found=Found.OK, detail=str(built))
    return Need(name=name, found=Found.MISSING, detail="not built yet", remedy=SETUP)


def _postgres() -> Need:
    try:
        done = subprocess.run(
            [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (BadInput, OSError, subprocess.SubprocessError) as error:
        return Need(name="PostgreSQL", found=Found.MISSING, detail=str(error).splitlines()[0], remedy=SETUP)
    return Need(name="PostgreSQL", found=Found.OK, detail=done.stdout.strip())


def _jars() -> Need:
    absent, wrong = jars.missing(), jars.verify()
    if absent or wrong:
        detail = f"{len(absent)} not fetched yet" if absent else f"damaged: {', '.join(wrong)}"
        remedy = SETUP if absent else f"remove {jars.folder()}, then {SETUP}"
        return Need(name="jars", found=Found.MISSING, detail=detail, remedy=remedy)
    return Need(name="jars", found=Found.OK, detail=str(jars.folder()))


def _archive() -> Need:
    try:
        archive = cds.existing(java.find())
    except BadInput:
        archive = None
    if archive is None:
        return Need(
            name="Spark class archive", found=Found.OPTIONAL, detail="Spark starts twice as fast with it", remedy=SETUP
        )
    return Need(name="Spark class archive", found=Found.OK, detail=str(archive))


def _program(name: str, programs: tuple[str, ...], why: str, *, required: bool = False) -> Need:
    for program in programs:
        if path := shutil.which(program):
            return Need(name=name, found=Found.OK, detail=path)
    found = Found.MISSING if required else Found.OPTIONAL
    return Need(name=name, found=found, detail=why, remedy=f"install {programs[0]}")
