"""One step's supervisor: starts the process alone, watches it and its executor, saves what the step put out."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import time
from typing import Any

from pipelines.local.sandbox import linux, rooms

_KILL_SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGXFSZ)
_TERMINATION_LOG = "/dev/termination-log"
_NO_START = 64


class CannotStartError(Exception):
    """The command cannot be started; the text is what Argo's emissary says."""


def supervise(spec: dict[str, Any], lifeline: int, wake: int, report: Any) -> None:
    """Run one step to its end and write `exit.json` into its folder; nothing is written if the executor went away.

    Args:
        spec: see `pipelines.local.engine.podspec`.
        lifeline: end of a pipe that shows end of file when the executor is gone.
        wake: where signals of this process can be read from.
        report: called with `started` and `done`.
    """
    folder = spec["dir"]
    lock = os.open(f"{folder}/lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    result: dict[str, Any] = {"started": time.time()}
    try:
        if spec["isolate"]:
            rooms.isolate(pids=spec["pids"])
            rooms.furnish(spec)
        _place(spec["files"])
        child = _start(spec)
    except CannotStartError as error:
        result |= {"code": _NO_START, "message": str(error)}
    except OSError as error:
        result |= {"code": 128, "reason": "StartError", "message": f"cannot prepare the step: {error}"}
    else:
        report("started")
        code = _watch(child, lifeline, wake, spec)
        if code is None:
            return
        result |= {"code": code, "message": _read_short(_TERMINATION_LOG) if spec["isolate"] else ""}
        result["found"] = [_save(each) for each in spec["outputs"]]
    result["finished"] = time.time()
    _write(folder, result)
    report("done")


def _place(files: list[dict[str, Any]]) -> None:
    """Put scripts and input artifacts where the step expects them."""
    for file in files:
        os.makedirs(os.path.dirname(file["path"]), exist_ok=True)
        if "text" in file:
            with open(file["path"], "w", encoding="utf-8", newline="") as out:
                out.write(file["text"])
        elif os.path.isdir(file["from"]):
            shutil.copytree(file["from"], file["path"], symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copyfile(file["from"], file["path"])
        if file.get("mode") is not None:
            _chmod(file["path"], file["mode"], recurse=file.get("recurse", False))


def _chmod(path: str, mode: int, *, recurse: bool) -> None:
    os.chmod(path, mode)
    if recurse and os.path.isdir(path):
        for parent, folders, names in os.walk(path):
            for name in [*folders, *names]:
                os.chmod(os.path.join(parent, name), mode)


def _start(spec: dict[str, Any]) -> int:
    """Start the step's process; in a process namespace of its own it gets a small init above it."""
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
                _init(spec, program, problem_in)
            _run(spec, program)
        except OSError as error:
            os.write(problem_in, f"failed to start command: fork/exec {program}: {_reason(error)}".encode())
        except BaseException as error:  # noqa: BLE001 - nothing may escape a forked child
            os.write(problem_in, f"failed to start command: {error}".encode())
        os._exit(_NO_START)
    os.close(problem_in)
    with os.fdopen(problem) as told:
        text = told.read()
    if text:
        os.waitpid(child, 0)
        raise CannotStartError(text)
    return child


def _init(spec: dict[str, Any], program: str, problem: int) -> None:
    """As process 1: start the command as a child, hand signals on, reap orphans, end with the command's code."""
    main = os.fork()
    if main == 0:
        os.setsid()
        _run(spec, program)
    os.close(problem)
    signal.set_wakeup_fd(-1)

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(OSError):
            os.kill(main, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    for fd in range(3, 64):
        with contextlib.suppress(OSError):
            os.close(fd)
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == main:
            os._exit(_code(status))


def _run(spec: dict[str, Any], program: str) -> None:
    """Become the command."""
    signal.set_wakeup_fd(-1)
    for number in _KILL_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for fd, path, mode in ((0, "/dev/null", os.O_RDONLY), (1, spec["stdout"], flags), (2, spec["stderr"], flags)):
        opened = os.open(path, mode, 0o644)
        os.dup2(opened, fd)
    os.makedirs(spec["cwd"], exist_ok=True)
    os.chdir(spec["cwd"])
    argv = [program, *spec["argv"][1:]]
    preloaded = sys.modules.get("pipelines.local.preload.interpreter")
    if preloaded is not None and preloaded.can_become(argv, spec["env"]):
        preloaded.replace_process(argv, spec["env"])
    os.execve(program, argv, spec["env"])


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


def _watch(child: int, lifeline: int, wake: int, spec: dict[str, Any]) -> int | None:
    """Wait for the process; None if the executor went away, and then everything is killed."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    kill_at: float | None = None
    terminated = False
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _kill_group(child)
            return _code(status)
        patience = None if kill_at is None else max(0.0, kill_at - time.monotonic()) * 1000
        ready = {fd for fd, _ in poll.poll(patience)}
        if lifeline in ready:
            _kill_group(child)
            os.waitpid(child, 0)
            return None
        signals = os.read(wake, 512) if wake in ready else b""
        if signal.SIGUSR1 in signals:
            _kill_group(child)
        if signal.SIGTERM in signals and not terminated:
            terminated = True
            _signal(child, signal.SIGTERM, group=not spec["isolate"] or not spec["pids"])
            kill_at = time.monotonic() + float(spec.get("grace", 30))
        if kill_at is not None and time.monotonic() >= kill_at:
            _kill_group(child)
            kill_at = None


def _code(status: int) -> int:
    """Return an exit code as the emissary does: 128 more than the signal for a process that a signal ended."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _signal(child: int, number: int, *, group: bool) -> None:
    with contextlib.suppress(OSError):
        (os.killpg if group else os.kill)(child, number)


def _kill_group(child: int) -> None:
    """Kill what is left of a step: its process group, and with its process 1 the whole namespace."""
    _signal(child, signal.SIGKILL, group=True)


def _save(output: dict[str, Any]) -> bool:
    """Copy one output out of the step; False if the step did not write it."""
    path, to = output["path"], output["to"]
    if not os.path.exists(path):
        return False
    os.makedirs(os.path.dirname(to), exist_ok=True)
    if os.path.isdir(path):
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(path, to, symlinks=True)
    else:
        shutil.copyfile(path, to)
    return True


def _read_short(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""


def _write(folder: str, result: dict[str, Any]) -> None:
    """Write the result in one step, so that it is there whole or not at all."""
    new = f"{folder}/exit.json.new"
    with open(new, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.replace(new, f"{folder}/exit.json")
