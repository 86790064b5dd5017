"""Taking out of a step what it leaves: its results, its outputs, what it printed.

The step made these files, so nothing is taken for granted: only regular files are read, none for ever, and no link is
followed from a folder.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Sequence
from typing import Any

_CHUNK = 1 << 16
_SHORT = 4096
_AT_ONCE = 16  # chunks; a pipe holds one
_DROPPED = "\n[batchlab: more than {limit} bytes; the rest was dropped]\n"


class TooMuchError(Exception):
    """The step leaves more than may be kept."""


class Outside:
    """Folders of the executor, to be reached when the step's own root has been entered.

    Args:
        roots: folders that exist; everything that is written must be below one of them.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = [(root.rstrip("/"), os.open(root, os.O_RDONLY | os.O_DIRECTORY)) for root in roots]

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:
        """Open a file."""
        root, inside = self._find(path)
        return os.open(inside, flags | os.O_CLOEXEC, mode, dir_fd=root)

    def replace(self, source: str, target: str) -> None:
        """Move a file over another."""
        (from_, source), (to, target) = self._find(source), self._find(target)
        os.replace(source, target, src_dir_fd=from_, dst_dir_fd=to)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        root, inside = self._find(path)
        made = ""
        for part in inside.split("/") if inside != "." else ():
            made = f"{made}/{part}" if made else part
            try:
                os.mkdir(made, 0o755, dir_fd=root)
            except FileExistsError:
                continue

    def remove(self, path: str) -> None:
        """Remove a file or a folder with what is in it, if it is there."""
        root, inside = self._find(path)
        _remove(inside, root)

    def link(self, target: str, path: str) -> None:
        """Make a symbolic link."""
        root, inside = self._find(path)
        os.symlink(target, inside, dir_fd=root)

    def _find(self, path: str) -> tuple[int, str]:
        for root, descriptor in self._roots if ".." not in path.split("/") else ():
            if path == root or path.startswith(f"{root}/"):
                return descriptor, path[len(root) + 1 :] or "."
        raise OSError(errno.EACCES, "outside of the executor's folders", path)


def _remove(path: str, root: int) -> None:
    try:
        os.unlink(path, dir_fd=root)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):  # the second is macOS's word for the first
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
        try:
            for name in os.listdir(folder):
                _remove(name, folder)
        finally:
            os.close(folder)
        os.rmdir(path, dir_fd=root)


class Saver:
    """Copies outputs.

    Args:
        outside: where to.
        budget: how many bytes all of them may have, None for any number.
        trusted: whether links in folders may lead anywhere; else only those are kept that stay inside of the folder,
            because somebody with other rights may read the copy.
    """

    def __init__(self, outside: Outside, budget: int | None, *, trusted: bool = True) -> None:
        self._outside = outside
        self._budget = budget
        self._trusted = trusted
        self._top = ""

    def save(self, path: str, to: str, *, append: bool = False) -> bool:
        """Copy a file, or a folder with its links as they are; False if there is neither.

        Raises:
            TooMuchError: the budget is used up.
        """
        try:
            mode = os.stat(path).st_mode
        except OSError:
            return False
        if stat.S_ISDIR(mode):
            if not append:
                self._outside.remove(to)
            self._top = os.path.realpath(path)
            self._folder(path, to, append=append)
            return True
        self._outside.make_folder(to.rpartition("/")[0])
        return stat.S_ISREG(mode) and self._file(path, to, follow=True, append=append)

    def _folder(self, path: str, to: str, *, append: bool) -> None:
        self._outside.make_folder(to)
        for entry in sorted(os.scandir(path), key=lambda one: one.name):
            target = f"{to}/{entry.name}"
            if entry.is_symlink():
                if not append and self._may_link(entry.path):
                    self._outside.link(os.readlink(entry.path), target)
            elif entry.is_dir():
                self._folder(entry.path, target, append=append)
            elif entry.is_file():
                self._file(entry.path, target, follow=False, append=append)

    def _may_link(self, path: str) -> bool:
        inside = os.path.realpath(path).startswith(f"{self._top}/") and not os.path.isabs(os.readlink(path))
        return self._trusted or inside

    def _file(self, path: str, to: str, *, follow: bool, append: bool) -> bool:
        # without O_NONBLOCK, opening a pipe that was put in the file's place would wait for ever
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
        try:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode):
                return False
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
            target = self._outside.open(to, flags, (stat.S_IMODE(found.st_mode) & 0o777) | 0o600)
            try:
                self._copy(source, target, path)
                os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
            finally:
                os.close(target)
        finally:
            os.close(source)
        return True

    def _copy(self, source: int, target: int, path: str) -> None:
        while data := os.read(source, _CHUNK):
            if self._budget is not None:
                self._budget -= len(data)
                if self._budget < 0:
                    raise TooMuchError(path)
            write(target, data)


class Pump:
    """Takes what a step prints into its log, up to a limit; `end` is what the step writes to."""

    def __init__(self, log: int, limit: int) -> None:
        self.source, self.end = os.pipe()
        os.set_blocking(self.source, False)
        self._log = log
        self._left = self._limit = limit
        self._dropped = False

    def take(self) -> bool:
        """Take some of what is there; False once nobody can write any more."""
        for _ in range(_AT_ONCE):  # somebody who never stops printing must not keep us from looking elsewhere
            try:
                data = os.read(self.source, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            write(self._log, data[: self._left])
            if len(data) > self._left and not self._dropped:
                self._dropped = True
                write(self._log, _DROPPED.format(limit=self._limit).encode())
            self._left = max(0, self._left - len(data))
        return True

    def close(self) -> None:
        """Take the rest, and stop."""
        self.take()
        os.close(self.source)
        os.close(self._log)


def write(descriptor: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(descriptor, data) :]


def read_short(path: str) -> str:
    """Read the beginning of a text; "" if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, _SHORT) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        finally:
            os.close(descriptor)
    except OSError:
        return ""
    return data.decode("utf-8", "replace")


def save_result(outside: Outside, folder: str, result: dict[str, Any]) -> None:
    """Write a step's result in one step, so that it is there whole or not at all."""
    new = f"{folder}/exit.json.new"
    descriptor = outside.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(result, file)
    outside.replace(new, f"{folder}/exit.json")
