"""A stranger's room: a root made of nothing, in which only what it needs is shown, and nothing of anybody else.

Unlike the rooms of `rooms`, which show the machine and keep writes apart, for code that means no harm.
"""

from __future__ import annotations

import glob
import os
from typing import Any

from pipelines.local.sandbox import linux, rooms
from pipelines.local.sandbox.identity import STEP_USER

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix")
# of /etc, what programs look up; no accounts, no keys, no names of other machines, and no time zone but UTC
SETTINGS = (
    "alternatives", "ca-certificates*", "crypto-policies", "debian_version", "fonts", "java*", "ld.so.cache",
    "ld.so.conf*", "magic*", "mime.types", "os-release", "pki", "protocols", "services", "ssl/certs",
    "ssl/openssl.cnf", "terminfo", "xdg",
)  # fmt: skip
HOSTS = "127.0.0.1 localhost {name}\n::1 localhost\n"
_USERS = "root:x:0:0:root:/root:/bin/sh\nstep:x:{0}:{0}:step:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
_GROUPS = "root:x:0:\nstep:x:{0}:\nnogroup:x:65534:\n"
_INPUTS = "/.inputs"
_KEYS = ("keys", "key-users")
_FLAGS = linux.MS_NOSUID | linux.MS_NODEV
FILES = 200_000  # files and folders that a file system of the room may hold


def isolate() -> None:
    """Enter namespaces of one's own: mounts, processes (for children), IPC, host name; if need be as a mapped user.

    Raises:
        OSError: the machine does not allow it.
    """
    rooms.isolate(pids=True, more=linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)


def furnish(spec: dict[str, Any]) -> None:
    """Build the room and enter it. `/proc` is still the one outside: process 1 of the room mounts its own.

    Args:
        spec: `private` (an empty folder to build at), `show` (folders of programs), `mounts` (pairs: path inside,
            folder outside), `files` (those with `from` are shown below `/.inputs`), `limits`, and `strict`: `user`,
            `read`, `write`, `scratch`, `hide` (paths that are shown, shown writable, empty and writable, or not shown).

    Raises:
        OSError: the kernel refuses anything of it.
    """
    private, strict = spec["private"], spec["strict"]
    os.makedirs(private, exist_ok=True)
    linux.mount("tmpfs", private, "tmpfs", _FLAGS, f"mode=755,size={spec['limits']['disk']},nr_inodes={FILES}")
    os.chdir(private)
    owner = owner_of(spec)
    os.chown(".", owner, owner)
    system(SETTINGS, owner)
    _accounts(owner)
    for path in ("tmp", "var/tmp", "root", "dev/shm", *(path[1:] for path in strict["scratch"])):
        made(path, owner)
    for path in [*spec["show"], *strict["read"]]:
        show(path, path, owner)
    for inside, outside in spec["mounts"]:
        show(outside, inside, owner)
    for path in strict["write"]:
        linux.bind(path, made(path[1:], owner))
    for path in strict["hide"]:
        if os.path.isdir(path[1:]):
            linux.mount("tmpfs", path[1:], "tmpfs", _FLAGS | linux.MS_RDONLY, "mode=555,size=4k")
    for number, file in enumerate(spec["files"]):
        if "from" in file:
            show(file["from"], f"{_INPUTS}/{number}", owner)
            file["from"] = f"{_INPUTS}/{number}"
    linux.enter_root(private, or_chroot=False)


def owner_of(spec: dict[str, Any]) -> int:
    """Return who owns what is made in a step's room, -1 for whoever makes it."""
    user = (spec.get("strict") or {}).get("user")
    return -1 if user is None else int(user)


def system(settings: tuple[str, ...], owner: int) -> None:
    """Show, in the present folder, what every program needs: the system's folders, its settings, devices, `/proc`."""
    for name in SYSTEM:
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), name)
        elif os.path.isdir(f"/{name}"):
            linux.show(f"/{name}", made(name, owner))
    for pattern in settings:
        for path in glob.glob(f"/etc/{pattern}"):
            _setting(path, owner)
    rooms.devices("dev")
    linux.bind("/proc", made("proc", owner), recursive=True)


def own_proc() -> None:
    """As process 1 of a room: put a `/proc` that knows only this room in the place of the one outside.

    The kernel's list of keys is of no room: it has those of every process of the same user.
    """
    linux.mount("proc", "/proc", "proc", _FLAGS | linux.MS_NOEXEC)
    for name in _KEYS:
        if os.path.exists(f"/proc/{name}"):
            linux.bind("/dev/null", f"/proc/{name}")


def forget_inputs(spec: dict[str, Any]) -> None:
    """Take input artifacts away that have been copied to where the step expects them."""
    for file in spec["files"]:
        if str(file.get("from", "")).startswith(f"{_INPUTS}/"):
            linux.detach(file["from"])


def made(path: str, owner: int) -> str:
    """Make a folder, and those above it, with an owner."""
    if not os.path.isdir(path):
        above = os.path.dirname(path)
        if above and above != "/":
            made(above, owner)
        os.mkdir(path, 0o755)
        os.chown(path, owner, owner)
    return path


def _setting(path: str, owner: int) -> None:
    """Show a file or folder of /etc; a link is made again, as it may lead to another setting."""
    if not os.path.islink(path):
        show(path, path, owner)
    elif not os.path.lexists(path[1:]):
        made(os.path.dirname(path)[1:], owner)
        os.symlink(os.readlink(path), path[1:])


def _accounts(owner: int) -> None:
    for path, text in (
        ("etc/passwd", _USERS.format(STEP_USER)),
        ("etc/group", _GROUPS.format(STEP_USER)),
        ("etc/hosts", HOSTS.format(name=os.uname().nodename)),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
        ("dev/termination-log", ""),
    ):
        made(os.path.dirname(path), owner)
        with open(path, "w") as file:
            file.write(text)
        os.chown(path, owner, owner)


def show(source: str, path: str, owner: int) -> None:
    """Show something read-only at a path of the room, unless it is not there or is to be seen at that path already."""
    target = path[1:]
    if not os.path.exists(source) or (os.path.exists(target) and os.path.samefile(source, target)):
        return
    if os.path.isdir(source):
        made(target, owner)
    else:
        made(os.path.dirname(target), owner)
        with open(target, "a"):
            pass
    linux.show(source, target)
