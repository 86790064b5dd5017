"""Noticing that files of a folder were saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.local.errors import BadInput

TICK = 0.5
_LEFT_OUT = {"__pycache__", "target", "logs", ".git", ".ipynb_checkpoints"}
Stamps = dict[str, tuple[int, int]]


def changes(folder: Path, pause: Callable[[float], None] = time.sleep) -> Iterator[list[str]]:
    """Give nothing at once, then, whenever files were saved and none is being saved any more, their names.

    Args:
        folder: what is looked at.
        pause: waits between looks.

    Raises:
        BadInput: there is no such folder.
    """
    if not folder.is_dir():
        raise BadInput("there is no such folder", where=str(folder))
    seen = stamps(folder)
    yield []
    while True:
        pause(TICK)
        now = stamps(folder)
        if now == seen:
            continue
        while True:  # an editor, or a checkout, may write several files
            pause(TICK)
            later = stamps(folder)
            if later == now:
                break
            now = later
        changed = sorted(name for name in {*seen, *now} if seen.get(name) != now.get(name))
        seen = now
        yield changed


def stamps(folder: Path) -> Stamps:
    """Give size and time of each file."""
    found: Stamps = {}
    for current, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        for file in files:
            path = Path(current) / file
            try:
                stat = path.stat()
            except OSError:  # a temporary file of an editor
                continue
            if file.endswith((".pyc", "~", ".swp")):
                continue
            found[path.relative_to(folder).as_posix()] = (stat.st_size, stat.st_mtime_ns)
    return found
