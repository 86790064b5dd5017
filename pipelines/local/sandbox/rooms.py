"""A private view of the file system: the machine's own, on which every write stays in the step's folder."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from pipelines.local.sandbox import linux

_APART = {"proc", "sys", "dev", "tmp", "run", "boot", "lost+found"}
_NODES = ("null", "zero", "full", "random", "urandom", "tty")


def isolate(*, pids: bool, more: int = 0) -> None:
    """Enter a mount namespace (and a process namespace for children) of one's own, if need be as a mapped user.

    Args:
        pids: whether children are to have process numbers of their own.
        more: flags of further namespaces.

    Raises:
        OSError: the machine does not allow it.
    """
    flags = linux.CLONE_NEWNS | (linux.CLONE_NEWPID if pids else 0) | more
    user, group = os.getuid(), os.getgid()
    if user != 0 or not _unshared(flags):
        linux.unshare(flags | linux.CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)


def _unshared(flags: int) -> bool:
    try:
        linux.unshare(flags)
    except PermissionError:  # root without the capability, as in most containers
        return False
    return True


def furnish(spec: dict[str, Any]) -> None:
    """Build the private root in the step's folder and enter it.

    Args:
        spec: `private` (an empty folder), `keep` (folders shown as they are, writable), `show` (folders that must be
            visible), `mounts` (pairs: path inside, folder outside, read-only).

    Raises:
        OSError: the kernel refuses what is indispensable.
    """
    private = spec["private"]
    os.makedirs(private, exist_ok=True)
    os.chdir(private)
    if not _can_overlay():
        linux.mount("tmpfs", private, "tmpfs", 0, "mode=755")
        os.chdir(private)
    for name in ("root", "upper", "work", "tmp", "home"):
        os.makedirs(name, exist_ok=True)
    os.chmod("tmp", 0o1777)  # noqa: S103 - as /tmp is everywhere
    root = f"{private}/root"
    linux.bind(root, root)
    os.chdir(private)
    for entry in os.scandir("/"):
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), f"root/{entry.name}")
        elif entry.is_dir() and entry.name not in _APART:
            _cover(entry.name)
    _system()
    linux.bind("tmp", _made("root/tmp"))
    if not any(path == "/root" or path.startswith("/root/") for path in [*spec["keep"], *spec["show"]]):
        linux.bind("home", _made("root/root"))
    for path in spec["show"]:
        if not os.path.exists(f"root{path}"):
            _show(path, read_only=True)
    for path in spec["keep"]:
        _show(path, read_only=False)
    for inside, outside in spec["mounts"]:
        linux.bind(outside, _made_like(outside, f"root{inside}"), read_only=True)
    linux.enter_root(root)


def _can_overlay() -> bool:
    """Try whether writes to an overlay can go to this folder's file system."""
    for name in ("try", "try/upper", "try/work", "try/root"):
        os.makedirs(name, exist_ok=True)
    try:
        linux.mount("overlay", "try/root", "overlay", 0, "lowerdir=/usr,upperdir=try/upper,workdir=try/work")
    except OSError:
        return False
    linux.detach("try/root")
    return True


def _cover(name: str) -> None:
    """Show a top folder with a private layer for writes; without overlays, as it is but read-only."""
    target = _made(f"root/{name}")
    upper, work = _made(f"upper/{name}"), _made(f"work/{name}")
    try:
        linux.mount("overlay", target, "overlay", 0, f"lowerdir=/{name},upperdir={upper},workdir={work}")
    except OSError:
        if name in {"etc", "usr", "bin", "sbin", "lib", "lib64", "opt", "var", "nix"}:
            with contextlib.suppress(OSError):
                linux.bind(f"/{name}", target, recursive=True, read_only=True)


def _system() -> None:
    try:
        linux.mount("proc", _made("root/proc"), "proc")
    except OSError:
        linux.bind("/proc", _made("root/proc"), recursive=True)
    for name in ("sys", "run"):
        if os.path.isdir(f"/{name}"):
            with contextlib.suppress(OSError):
                linux.bind(f"/{name}", _made(f"root/{name}"), recursive=True, read_only=True)
    linux.mount("tmpfs", _made("root/dev"), "tmpfs", 0, "mode=755")
    devices("root/dev")
    linux.bind("/dev/shm", _made("root/dev/shm"), recursive=True)  # noqa: S108


def devices(folder: str) -> None:
    """Show the devices that every program may expect, in a folder that is made if need be."""
    for node in _NODES:
        with open(f"{_made(folder)}/{node}", "w"):
            pass
        linux.bind(f"/dev/{node}", f"{folder}/{node}")
    for link, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{folder}/{link}")


def _show(path: str, *, read_only: bool) -> None:
    target = _made(f"root{path}")
    linux.bind(path, target, recursive=read_only)
    if read_only:
        with contextlib.suppress(OSError):
            linux.mount("none", target, "", linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def _made(path: str) -> str:
    os.makedirs(path, exist_ok=True)
    return path


def _made_like(source: str, target: str) -> str:
    """Make an empty file or folder to show another one at."""
    if os.path.isdir(source):
        return _made(target)
    _made(os.path.dirname(target))
    with open(target, "a"):
        pass
    return target
