"""Running one program in a box: no network but its own, no files but those it is given, nothing of it left after."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.autograde.limits import Limits
from pipelines.local.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
BOX = "/box"
STATE, SUBMISSION, HIDDEN, HOME = f"{BOX}/state", f"{BOX}/submission", f"{BOX}/hidden", f"{BOX}/home"
HOST = "box"
_BOOT = (
    "import sys; sys.path.insert(0, {root!r}); from grader.autograde import boot; boot.main(*map(int, sys.argv[1:]))"
)
_AT = ("/mnt", "/media", "/srv", "/opt", "/home", "/var/tmp", "/tmp")  # noqa: S108 - what the box is built over
_FIRST_USER, _PAIRS = 2_000_000_000, 50_000_000
_CHUNK = 1 << 16
PATIENCE = 10.0
"""Seconds beyond its own limit after which a box that does not end is ended from outside."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a box holds beside the system and an empty `/tmp`.

    Args:
        show: files and folders that are seen inside as they are, and cannot be changed.
        copy: folders by where a copy of them is inside.
        texts: files by their content.
        env: the program's whole environment.
    """

    show: Sequence[Path] = ()
    copy: Mapping[str, Path] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended.

    Args:
        code: the program's exit code, negative for a signal; None where it did not end by itself.
        result: what it wrote to the descriptor that only it has.
        why: why it did not end by itself, or could not be started; else "".
        log: the end of what it printed.
        refused: whether it was never started.
    """

    code: int | None
    result: bytes
    why: str
    log: str
    refused: bool = False


def run_in_box(
    argv: Sequence[str], *, contents: Contents, limits: Limits, heard: Callable[[bytes], None] | None = None
) -> Outcome:
    """Run a program in a box, and wait for its end.

    Args:
        argv: the program. It writes its result to descriptor 3, which `{result}` in a word stands for; what it prints
            is a log, and decides nothing.
        contents: what it sees.
        limits: what all of it may use.
        heard: gets what it prints while it runs, in pieces.

    Raises:
        BadInput: this machine cannot make a box at all.
    """
    pipes = {name: os.pipe() for name in ("lifeline", "events", "result", "log")}
    theirs = [pipes["lifeline"][0], pipes["events"][1], pipes["result"][1]]
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT.format(root=str(ROOT)), *map(str, theirs)],
            stdin=subprocess.PIPE, stdout=pipes["log"][1], stderr=pipes["log"][1], pass_fds=theirs,
            start_new_session=True, cwd="/", env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    finally:
        for fd in (*theirs, pipes["log"][1]):
            os.close(fd)
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps(_plan(argv, contents, limits)).encode())
        most = {"events": _CHUNK, "result": limits.result, "log": limits.log}
        told = {pipes["log"][0]: heard} if heard else {}
        read = _listen({pipes[name][0]: size for name, size in most.items()}, limits.seconds + PATIENCE, told)
    finally:
        os.close(pipes["lifeline"][1])  # whatever happened here, this ends the box
        _await(process)
        for name in ("events", "result", "log"):
            os.close(pipes[name][0])
    return _outcome({name: read[pipes[name][0]] for name in most}, limits)


def _plan(argv: Sequence[str], contents: Contents, limits: Limits) -> dict[str, Any]:
    shown = [str(path) for path in contents.show]
    return {
        "at": _place_to_build(shown + [str(path) for path in contents.copy.values()]),
        "users": _users(),
        "host": HOST,
        "size": limits.disk,
        "budget": limits.submission,
        "folders": ["/tmp", "/var/tmp", "/dev/shm", BOX, STATE, HOME],  # noqa: S108 - inside
        "show": shown,
        "copy": [[str(source), target] for target, source in contents.copy.items()],
        "texts": dict(contents.texts),
        "argv": list(argv),
        "env": dict(contents.env),
        "cwd": HOME,
        "seconds": limits.seconds,
        "memory": limits.memory,
        "processes": limits.processes,
    }  # fmt: skip


def _place_to_build(sources: Sequence[str]) -> str:
    """Choose a folder of the machine that the box may be built over, unseen by others: none that it is built from."""
    for folder in _AT:
        if os.path.isdir(folder) and not any(one == folder or one.startswith(f"{folder}/") for one in sources):
            return folder
    raise BadInput("there is no folder to build a box over", remedy=f"make one of {', '.join(_AT)}")


def _users() -> list[int]:
    """Return two users that nobody is, for grader and stranger; none where only root could give them away."""
    if os.geteuid() != 0 or Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        return []
    while True:
        first = _FIRST_USER + 2 * secrets.randbelow(_PAIRS)
        if not (_known(first) or _known(first + 1)):
            return [first, first + 1]


def _known(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _listen(
    limits: Mapping[int, int], patience: float, told: Mapping[int, Callable[[bytes], None]]
) -> dict[int, bytes]:
    """Read descriptors to their ends, for at most `patience` seconds; keep the last bytes of each, up to a limit."""
    read = {fd: bytearray() for fd in limits}
    until = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        for fd in limits:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fd)
                elif key.fd in told:
                    told[key.fd](data)
                read[key.fd] += data
                del read[key.fd][: -limits[key.fd] - 1]
    return {fd: bytes(found) for fd, found in read.items()}


def _await(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # process 1 of the box ends with it, and everything with that
        process.wait()


def _outcome(read: Mapping[str, bytes], limits: Limits) -> Outcome:
    told = [json.loads(line) for line in read["events"].decode().splitlines()]
    last = told[-1] if told else {"event": "refused", "message": "the box ended before it said anything"}
    code = last.get("code") if last["event"] == "ended" else None
    why = "" if last["event"] == "ended" else last.get("message", "the box was ended from outside")
    if len(read["result"]) > limits.result:
        why = "the result is too large"
    log = read["log"].decode(errors="replace")
    return Outcome(code=code, result=read["result"], why=why, log=log, refused=last["event"] == "refused")
