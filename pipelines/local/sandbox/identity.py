"""Becoming the one that a stranger's code runs as: another user where there is one, and no privileges at all."""

from __future__ import annotations

import os

from pipelines.local.sandbox import linux
from pipelines.local.sandbox.limits import Limits, hold

STEP_USER = 1000
"""What the code's user is called by number, in its room."""
_NICE = 5


def become_stranger(user: int | None, limits: Limits) -> None:
    """Give up what this process may do; it must be in the step's own namespaces, as their root.

    A user namespace of its own makes the kernel count its processes by themselves, and keeps those outside, even of
    the same user, from its reach.

    Args:
        user: who to become; None where the machine gives only one user: then namespaces alone are the border.
        limits: what it may use.

    Raises:
        OSError: the kernel refuses; nothing may be run then.
    """
    outer_user, outer_group = (os.geteuid(), os.getegid()) if user is None else (user, user)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    linux.allow_inspection(True)  # else /proc/self belongs to root from here on
    linux.forget_keys()
    linux.forget_environment()  # that of the process it was forked from
    os.nice(_NICE)  # whoever watches it must get the processor
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where the kernel has to kill somebody, let it be the stranger
    linux.unshare(linux.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{STEP_USER} {outer_user} 1"),
        ("gid_map", f"{STEP_USER} {outer_group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")  # none below this one
    hold(limits, count_processes=True)
    linux.give_up_privileges()
