"""The few Linux calls that Python 3.11 has no function for. Each raises OSError; elsewhere none of them exists."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x04000000, 0x08000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
_LOCKABLE = MS_NOEXEC | 1024 | 2048  # and noatime, noatime, nodiratime: the same numbers in statvfs and in mount
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
_KEYCTL_JOIN_SESSION_KEYRING = 1
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_CAPABILITY_VERSION = 0x20080522
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
        kept = os.statvfs(target).f_flag & _LOCKABLE  # what an outer namespace has set may not be taken away
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | kept)


def show(source: str, target: str) -> None:
    """Show a file or folder, with what is mounted below it, at a second place where nobody can write to it.

    Where the kernel (before 5.12) cannot do that for all of it at once, what is mounted below it is not shown.
    """
    mount(source, target, "", MS_BIND | MS_REC)
    attributes = struct.pack("QQQQ", MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    arguments = (_AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, len(attributes))
    if _libc is None or _libc.syscall(ctypes.c_long(_SYS_MOUNT_SETATTR), *arguments) != 0:
        detach(target)
        bind(source, target, read_only=True)


def detach(target: str) -> None:
    """Unmount as soon as nobody uses it."""
    _call("umount2", os.fsencode(target), ctypes.c_int(MNT_DETACH))


def enter_root(folder: str, *, or_chroot: bool = True) -> None:
    """Make a folder, which is a mount point, the root of this mount namespace, and forget the old one.

    With `or_chroot`, where that cannot be done the old one is only put out of sight.
    """
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    os.chdir(folder)
    if number is not None and _libc is not None and _libc.syscall(ctypes.c_long(number), b".", b".") == 0:
        detach(".")
    elif or_chroot:
        os.chroot(".")
    else:
        raise OSError(ctypes.get_errno(), "the root cannot be changed", folder)
    os.chdir("/")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel signal this process when its parent ends."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0)


def _prctl(option: int, value: int) -> None:
    _call("prctl", option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def allow_inspection(allowed: bool) -> None:
    """Say whether this process may be looked into by others of its user; its own `/proc/self` needs it, too."""
    _prctl(_PR_SET_DUMPABLE, int(allowed))


def forget_keys() -> None:
    """Leave the session's key ring, which may hold tickets of whoever logged in, where there are key rings."""
    number = _SYS_KEYCTL.get(os.uname().machine)
    if number is not None and _libc is not None:
        _libc.syscall(ctypes.c_long(number), ctypes.c_long(_KEYCTL_JOIN_SESSION_KEYRING), None)


def forget_environment() -> None:
    """Wipe what this process was started with out of its memory, where `/proc/self/environ` shows it for ever."""
    os.environ.clear()
    with open("/proc/self/stat", "rb") as file:
        words = file.read().rpartition(b")")[2].split()
    start, end = int(words[47]), int(words[48])
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)


def give_up_privileges() -> None:
    """Give up every capability for good: no program that this process starts gets any back."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    try:
        for capability in range(64):
            _prctl(_PR_CAPBSET_DROP, capability)
    except OSError:  # past the last one that this kernel knows, or none to drop
        pass
    _call("capset", struct.pack("Ii", _CAPABILITY_VERSION, 0), struct.pack("6I", *[0] * 6))
