"""Starting a step's process: its files in place, alone in its namespaces, as whom it is to run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from typing import Any

from pipelines.local.sandbox import linux

_KILL_SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGXFSZ)
NO_START = 64
_REFUSED = "!"  # before the words of what the kernel refused us, not the command


class CannotStartError(Exception):
    """The command cannot be started; the text is what Argo's emissary says."""


def place(files: list[dict[str, Any]], owner: int) -> None:
    """Put scripts and input artifacts where the step expects them; -1 leaves them to whoever makes them."""
    for file in files:
        _make_folder(os.path.dirname(file["path"]), owner)
        if "text" in file:
            with open(file["path"], "w", encoding="utf-8", newline="") as out:
                out.write(file["text"])
        elif os.path.isdir(file["from"]):
            shutil.copytree(file["from"], file["path"], symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copyfile(file["from"], file["path"])
        if file.get("mode") is not None:
            _chmod(file["path"], file["mode"], recurse=file.get("recurse", False))
        if owner >= 0:
            _give(file["path"], owner)


def _make_folder(path: str, owner: int) -> None:
    missing = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.mkdir(folder)
        if owner >= 0:
            os.chown(folder, owner, owner)


def _give(path: str, owner: int) -> None:
    os.chown(path, owner, owner, follow_symlinks=False)
    for parent, folders, names in os.walk(path):
        for name in [*folders, *names]:
            os.chown(os.path.join(parent, name), owner, owner, follow_symlinks=False)


def _chmod(path: str, mode: int, *, recurse: bool) -> None:
    os.chmod(path, mode)
    if recurse and os.path.isdir(path):
        for parent, folders, names in os.walk(path):
            for name in [*folders, *names]:
                if not os.path.islink(os.path.join(parent, name)):
                    os.chmod(os.path.join(parent, name), mode)


def start(spec: dict[str, Any], streams: Sequence[int]) -> int:
    """Start the step's process; in a process namespace of its own it gets a small init above it.

    Args:
        spec: the step.
        streams: descriptors for its standard output and error; none for the files that the step names.

    Raises:
        CannotStartError: there is no such command, or it does not start.
        OSError: the machine does not let it be started as it is to be.
    """
    name = spec["argv"][0]
    if not spec["isolate"]:
        name = dict(spec["mounts"]).get(name, name)
    program = find_program(name, spec["env"].get("PATH", ""))
    problem, problem_in = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            linux.die_with_parent(signal.SIGKILL)
            if spec["isolate"] and spec["pids"]:
                _init(spec, program, problem_in, streams)
            _run(spec, program, problem_in, streams)
        except OSError as error:
            os.write(problem_in, f"failed to start command: fork/exec {program}: {_reason(error)}".encode())
        except BaseException as error:  # noqa: BLE001 - nothing may escape a forked child
            os.write(problem_in, f"failed to start command: {error}".encode())
        os._exit(NO_START)
    os.close(problem_in)
    with os.fdopen(problem) as told:
        text = told.read()
    if text:
        os.waitpid(child, 0)
        if text.startswith(_REFUSED):
            raise OSError(text.removeprefix(_REFUSED).partition("failed to start")[0])
        raise CannotStartError(text)
    return child


def _init(spec: dict[str, Any], program: str, problem: int, streams: Sequence[int]) -> None:
    """As process 1: start the command as a child, hand signals on, reap orphans, end with the command's code."""
    if "strict" in spec:
        _refuse_or(_own_proc, problem)
    main = os.fork()
    if main == 0:
        os.setsid()
        _run(spec, program, problem, streams)
    os.closerange(3, 4096)
    signal.set_wakeup_fd(-1)

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(OSError):
            os.kill(main, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == main:
            os._exit(code_of(status))


def _own_proc() -> None:
    from pipelines.local.sandbox import strict

    strict.own_proc()
    linux.allow_inspection(False)  # of this process and, until it becomes somebody else, of the next


def _run(spec: dict[str, Any], program: str, problem: int, streams: Sequence[int]) -> None:
    """Become the command."""
    signal.set_wakeup_fd(-1)
    for ours in _KILL_SIGNALS:
        signal.signal(ours, signal.SIG_DFL)
    os.umask(0o022)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, fd in enumerate(streams or [os.open(spec[name], flags, 0o644) for name in ("stdout", "stderr")], 1):
        os.dup2(fd, number)
    _refuse_or(lambda: _restrain(spec), problem)
    os.makedirs(spec["cwd"], exist_ok=True)
    os.chdir(spec["cwd"])
    argv = [program, *spec["argv"][1:]]
    preloaded = sys.modules.get("pipelines.local.preload.interpreter")
    if preloaded is not None and preloaded.can_become(argv, spec["env"]):
        preloaded.replace_process(argv, spec["env"])
    os.execve(program, argv, spec["env"])


def _restrain(spec: dict[str, Any]) -> None:
    """Take on the step's limits and, for a stranger's code, somebody else's identity."""
    if "limits" not in spec:
        return
    from pipelines.local.sandbox import identity, limits

    allowed = limits.Limits(**spec["limits"])
    if "strict" in spec:
        identity.become_stranger(spec["strict"]["user"], allowed)
    else:
        limits.hold(allowed, count_processes=False)


def _refuse_or(work: Any, problem: int) -> None:
    """Do what must succeed before anything of the step runs; if it does not, it is no fault of the step's."""
    try:
        work()
    except OSError as error:
        os.write(problem, f"{_REFUSED}{error}".encode())
        raise


def find_program(name: str, path: str) -> str:
    """Find a program the way Argo's emissary does.

    Raises:
        CannotStartError: with the emissary's text.
    """
    quoted = json.dumps(name)
    if "/" in name:
        try:
            mode = os.stat(name).st_mode
        except OSError as error:
            raise CannotStartError(
                f"failed to find name in PATH: exec: {quoted}: stat {name}: {_reason(error)}"
            ) from error
        if os.path.isdir(name):
            raise CannotStartError(f"failed to find name in PATH: exec: {quoted}: is a directory")
        if not mode & 0o111:
            raise CannotStartError(f"failed to find name in PATH: exec: {quoted}: permission denied")
        return name
    for folder in path.split(":"):
        candidate = os.path.join(folder, name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise CannotStartError(f"failed to find name in PATH: exec: {quoted}: executable file not found in $PATH")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def code_of(status: int) -> int:
    """Return an exit code as the emissary does: 128 more than the signal for a process that a signal ended."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
