"""Copying a folder of a stranger's into a box: plain files only, and no link that leads out of it.

The copy is made with the instructor's rights, so a link to a file that only the instructor may read must not be
followed. Standard library only: the process that builds the box runs it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

LEFT_OUT = frozenset({".git", "__pycache__", ".venv", ".ipynb_checkpoints", ".batchlab"})
MOST = 20_000  # files, folders and links
_CHUNK = 1 << 20


class NotPlainError(Exception):
    """The folder has something that is not copied; the text says what and where."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something in the folder: its path below it, what it is, where a link leads, how large a file is."""

    path: str
    kind: str
    leads: str = ""
    size: int = 0


def entries(root: str, budget: int) -> Iterator[Entry]:
    """List what is copied of a folder, folders before what is in them.

    Raises:
        NotPlainError: there is a device, a pipe, a socket, a link out of the folder, or too much.
    """
    count = 0
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in [*folders, *sorted(names)]:
            entry = _entry(root, os.path.relpath(os.path.join(parent, name), root))
            count += 1
            budget -= entry.size
            if count > MOST:
                raise NotPlainError(f"it has more than {MOST} files")
            if budget < 0:
                raise NotPlainError("it is too large")
            yield entry


def _entry(root: str, path: str) -> Entry:
    full = os.path.join(root, path)
    found = os.lstat(full)
    if stat.S_ISLNK(found.st_mode):
        leads = os.readlink(full)
        inside = os.path.realpath(root)
        there = os.path.realpath(full)
        if os.path.isabs(leads) or not (there == inside or there.startswith(f"{inside}{os.sep}")):
            raise NotPlainError(f"{path} is a link that leads out of it")
        return Entry(path=path, kind="link", leads=leads)
    if stat.S_ISDIR(found.st_mode):
        return Entry(path=path, kind="folder")
    if stat.S_ISREG(found.st_mode):
        return Entry(path=path, kind="file", size=found.st_size)
    raise NotPlainError(f"{path} is neither a file nor a folder")


def copy(root: str, target: str, *, owner: int, budget: int) -> None:
    """Copy a folder to a new one.

    Args:
        root: what is copied.
        target: where to; made.
        owner: user and group of the copies, -1 for whoever copies.
        budget: how many bytes.

    Raises:
        NotPlainError: it is not plain; part of it may be copied.
    """
    os.makedirs(target, exist_ok=True)
    os.chown(target, owner, owner)
    for entry in entries(root, budget):
        to = os.path.join(target, entry.path)
        if entry.kind == "link":
            os.symlink(entry.leads, to)
        elif entry.kind == "folder":
            os.mkdir(to)
        else:
            _copy_file(os.path.join(root, entry.path), to, entry.size)
        os.chown(to, owner, owner, follow_symlinks=False)


def _copy_file(source: str, target: str, most: int) -> None:
    """Copy a file, and not more than it was said to have; one that was replaced by a link meanwhile is an error."""
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(reading).st_mode
        if not stat.S_ISREG(mode):
            raise NotPlainError(f"{source} is no file any more")
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644 | (mode & 0o111))
        try:
            while most > 0 and (data := os.read(reading, min(_CHUNK, most))):
                most -= len(data)
                os.write(writing, data)
        finally:
            os.close(writing)
    finally:
        os.close(reading)
