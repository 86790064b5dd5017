"""The few Linux calls that Python 3.11 has no function for. Each raises OSError; elsewhere none of them exists."""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT = 1, 2, 4, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _call(name: str, *arguments: object) -> None:
    if _libc is None:
        raise OSError("not Linux")
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with the parent."""
    _call("unshare", ctypes.c_int(flags))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system."""
    _call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind) or None,
        ctypes.c_ulong(flags),
        os.fsencode(data) or None,
    )


def bind(source: str, target: str, *, recursive: bool = False, read_only: bool = False) -> None:
    """Show a file or folder at a second place."""
    mount(source, target, "", MS_BIND | (MS_REC if recursive else 0))
    if read_only:
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def detach(target: str) -> None:
    """Unmount as soon as nobody uses it."""
    _call("umount2", os.fsencode(target), ctypes.c_int(MNT_DETACH))


def enter_root(folder: str) -> None:
    """Make a folder, which is a mount point, the root of this mount namespace, and forget the old one."""
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    os.chdir(folder)
    if number is None or _libc is None or _libc.syscall(ctypes.c_long(number), b".", b".") != 0:
        os.chroot(".")
    else:
        detach(".")
    os.chdir("/")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel signal this process when its parent ends."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0)
