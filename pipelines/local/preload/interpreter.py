"""Turn a forked process into what `python …` would have been."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

# Settings that an interpreter reads once, when it starts: a fork comes too late for them.
START_ONLY = tuple(
    f"PYTHON{name}" for name in ["HASHSEED", "HOME", "OPTIMIZE", "SAFEPATH", "DEVMODE", "MALLOC", "UTF8", "IOENCODING"]
)
OWN = ("pipelines", "grader")
STARTED_WITH = {name: os.environ.get(name, "") for name in START_ONLY}


def can_become(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether `argv` is this very interpreter on a module or a file, with nothing that needs a real start.

    What `env` asks of an interpreter's start must be what this process was started with.
    """
    if not argv or os.path.dirname(os.path.abspath(argv[0])) != os.path.dirname(sys.executable):
        return False
    if not os.path.basename(argv[0]).startswith("python"):
        return False
    rest = [word for word in argv[1:] if word != "-u"]
    if not rest or any(env.get(name, value) != value for name, value in STARTED_WITH.items()):
        return False
    return (rest[0] == "-m" and len(rest) > 1) or (not rest[0].startswith("-") and rest[0] != "")


def replace_process(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Do what `os.execve` of an interpreter would: this forked process runs the program and ends with its exit code.

    The descriptors 0 to 2 must be in place; all others are closed.
    """
    os.closerange(3, 1024)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    end(run_to_end(lambda: become(argv, env)))


def run_to_end(program: Callable[[], object]) -> int:
    """Call a program at the top of a process; returns the exit code that an interpreter would have ended with."""
    try:
        program()
    except SystemExit as exit_:
        if exit_.code is None or isinstance(exit_.code, int):
            return (exit_.code or 0) & 255
        print(exit_.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 - the top of this process: whatever it is, it is shown
        traceback.print_exc()
        return 1
    return 0


def end(code: int) -> NoReturn:
    """End as an interpreter does, but without taking apart the shared libraries, which costs half a second."""
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - joins what is not a daemon
        atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def become(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run `argv` in this process as the interpreter would, and raise SystemExit with its code, or what it raised.

    Call it from the top of the stack: what the program registered with `atexit` runs when this process ends.
    """
    words = [word for word in argv[1:] if word != "-u"]
    os.environ.clear()
    os.environ.update(env)
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a log is read while it grows
    _forget_own_modules()
    _reseed()
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[:] = [os.getcwd(), *_search_path(env)]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[:] = [os.path.dirname(os.path.abspath(words[0])), *_search_path(env)]
        runpy.run_path(words[0], run_name="__main__")


def _search_path(env: Mapping[str, str]) -> list[str]:
    """Put the step's PYTHONPATH in front of where this interpreter finds its libraries."""
    given = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    libraries = [entry for entry in _LIBRARIES if entry not in given]
    return given + libraries


def _forget_own_modules() -> None:
    """Drop the kit's modules that the server runs from: the step may bring its own version of them."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()


def _reseed() -> None:
    """Give this fork random numbers of its own (`random` does that by itself, numpy does not)."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _libraries() -> list[str]:
    """Name the folders that this interpreter has without PYTHONPATH and without the script's own folder."""
    given = {os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    return [entry for entry in sys.path if entry and os.path.abspath(entry) not in given | {os.getcwd()}]


_LIBRARIES = _libraries()
