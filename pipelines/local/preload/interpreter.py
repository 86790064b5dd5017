"""Turn a forked process into what `python …` would have been."""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from collections.abc import Mapping, Sequence

# Settings that an interpreter reads once, when it starts: a fork comes too late for them.
START_ONLY = ("PYTHONHASHSEED", "PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONSAFEPATH", "PYTHONDEVMODE", "PYTHONMALLOC")
OWN = ("pipelines", "grader")
STARTED_WITH = {name: os.environ.get(name, "") for name in START_ONLY}


def can_become(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether `argv` is this very interpreter on a module or a file, with nothing that needs a real start.

    What `env` asks of an interpreter's start must be what this process was started with.
    """
    if not argv or os.path.realpath(argv[0]) != os.path.realpath(sys.executable):
        return False
    rest = [word for word in argv[1:] if word != "-u"]
    if not rest or any(env.get(name, value) != value for name, value in STARTED_WITH.items()):
        return False
    return (rest[0] == "-m" and len(rest) > 1) or (not rest[0].startswith("-") and rest[0] != "")


def become(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run `argv` in this process as the interpreter would, and raise SystemExit with its code, or what it raised.

    Call it from the top of the stack: what the program registered with `atexit` runs when this process ends.
    """
    words = [word for word in argv[1:] if word != "-u"]
    os.environ.clear()
    os.environ.update(env)
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
