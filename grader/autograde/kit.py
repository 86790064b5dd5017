"""What of this machine a box needs so that the kit runs in it: Python, Java, jars, the kit itself."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import grader
from grader.autograde.box import HOME, ROOT, STATE
from pipelines.local.errors import BadInput
from pipelines.local.lang import build
from pipelines.local.spark import cds, jars, java

# of a checkout, what is no part of the product
_NOT_SHOWN = frozenset({"work", "course", "labs", "dist"})


def shown() -> list[Path]:
    """Return the folders and files that are to be seen in a box."""
    found = [*python(), *checkout(), jars.cache_root(), build.cache_dir()]
    with suppress(BadInput):  # what needs it will say so
        found.append(java.find().home)
    return [path for path in dict.fromkeys(found) if path.exists()]


def python() -> list[Path]:
    """Return where the interpreter and the installed packages are."""
    return [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]]


def checkout() -> list[Path]:
    """Return the parts of the checkout that the kit runs from; none where it is an installed package."""
    if is_installed():
        return []
    return [path for path in sorted(ROOT.iterdir()) if not path.name.startswith(".") and path.name not in _NOT_SHOWN]


def is_installed() -> bool:
    """Tell whether the kit is a package among others, not a checkout."""
    return ROOT.is_relative_to(sys.prefix)


def hidden_from_steps() -> tuple[Path, ...]:
    """Return what is inside of a folder that steps see, and none of their business."""
    return (Path(grader.__file__).parent,) if is_installed() else ()


def environment() -> dict[str, str]:
    """Return the environment of the program in a box: nothing of whoever asked for it."""
    found = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BATCHLAB_HOME": STATE,
        "BATCHLAB_CACHE": str(jars.cache_root()),
        "XDG_CACHE_HOME": str(build.cache_dir().parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        return {**found, "JAVA_HOME": str(java.find().home)}
    except BadInput:
        return found


def complete() -> None:
    """Fetch and build what is not there yet: a box has no network.

    Raises:
        BadInput: something cannot be had.
    """
    jars.fetch()
    build.binary()
    cds.ensure(java.find_or_fetch())


def unreadable() -> Path | None:
    """Return a part of the kit that only root may read: in a box, nobody is root."""
    for path in (Path(sys.prefix) / "pyvenv.cfg", Path(__file__), build.cache_dir(), jars.cache_root() / "jars"):
        if os.geteuid() == 0 and path.exists() and not path.stat().st_mode & 0o004:
            return path
    return None
