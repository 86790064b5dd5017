"""Builds a box and lives in it: `python -m grader.autograde.boot LIFELINE EVENTS RESULT`, with the plan on stdin.

The process that is started enters namespaces of its own and stays at their door. Its child is process 1 inside: it
starts the one program that the box is for, and ends with it; whatever is left then, the kernel kills. Nothing of the
box is on the machine's disks or in its list of mounts, so nothing can be left behind, whichever of them is killed.

Standard library only. What it writes to the descriptor EVENTS is one JSON object per line; the program gets RESULT as
its descriptor 3. End of file on LIFELINE means that whoever wanted the box is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from grader.autograde import capsule
from pipelines.local.sandbox import limits, linux, strict
from pipelines.local.sandbox.identity import STEP_USER

RESULT = 3
"""The descriptor that the program writes its result to."""
LOOK_SECONDS = 0.5
_SPACES = linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_FLAGS = linux.MS_NOSUID | linux.MS_NODEV


def main(lifeline: int, events: int, result: int) -> None:
    """Be the process at the door."""
    linux.die_with_parent(signal.SIGKILL)
    linux.forget_keys()
    with os.fdopen(0, closefd=False) as given:
        plan: dict[str, Any] = json.load(given)
    try:
        plan["several"] = _enter(plan)
        inside = os.fork()
        if inside == 0:
            _be_first(plan, lifeline, events, result)
    except (OSError, capsule.NotPlainError) as error:
        _tell(events, event="refused", message=str(error))
        return
    os.close(events)
    os.close(result)
    _wait(inside, lifeline)


def _tell(events: int, **words: object) -> None:
    os.write(events, json.dumps(words).encode() + b"\n")


def _wait(inside: int, lifeline: int) -> None:
    """Wait for process 1; kill it, and with it everything, when nobody wants the box any more."""
    watched = os.pidfd_open(inside)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    if watched not in {fd for fd, _ in poll.poll()}:
        os.kill(inside, signal.SIGKILL)
    os.waitpid(inside, 0)


def _enter(plan: dict[str, Any]) -> bool:
    """Build the box's root and enter all namespaces; returns whether there are several users inside.

    Root builds it with its own rights, because only those reach what is to be shown, and gives them up after. Anybody
    else is alone in a user namespace, and builds it from there.
    """
    if not plan["users"]:
        mine = os.getuid(), os.getgid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
        _map(os.getpid(), [(0, mine[0])], [(0, mine[1])], alone=True)
        _build(plan, owner=-1)
        linux.unshare(_SPACES)
        return False
    grader, stranger = plan["users"]
    linux.unshare(linux.CLONE_NEWNS)
    _build(plan, owner=grader)
    _become_two([(0, grader), (STEP_USER, stranger)])
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    linux.die_with_parent(signal.SIGKILL)  # forgotten when the user changes
    return True


def _become_two(users: list[tuple[int, int]]) -> None:
    """Enter a user namespace of several users, which only somebody outside of it has the right to name."""
    ready, ready_in = os.pipe()
    mapped, mapped_in = os.pipe()
    door, helper = os.getpid(), os.fork()
    if helper == 0:
        try:
            linux.die_with_parent(signal.SIGKILL)
            os.close(ready_in)
            if os.read(ready, 1):
                _map(door, users, users, alone=False)
                os.write(mapped_in, b"x")
        finally:
            os._exit(0)
    os.close(mapped_in)
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS | _SPACES)
    os.write(ready_in, b"x")
    named = os.read(mapped, 1)
    os.waitpid(helper, 0)
    for fd in (ready, ready_in, mapped):
        os.close(fd)
    if not named:
        raise OSError("the users of the box could not be set up")


def _map(process: int, users: list[tuple[int, int]], groups: list[tuple[int, int]], *, alone: bool) -> None:
    if alone:
        _write(f"/proc/{process}/setgroups", "deny")
    for name, pairs in (("uid_map", users), ("gid_map", groups)):
        _write(f"/proc/{process}/{name}", "".join(f"{inside} {outside} 1\n" for inside, outside in pairs))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _build(plan: dict[str, Any], *, owner: int) -> None:
    """Build the root out of nothing over a folder of the machine that only this process then sees covered."""
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", plan["at"], "tmpfs", _FLAGS, f"mode=755,size={plan['size']},nr_inodes={strict.FILES}")
    os.chdir(plan["at"])
    os.chown(".", owner, owner)
    strict.system((*strict.SETTINGS, "passwd", "group"), owner)
    _write("etc/hosts", strict.HOSTS.format(name=plan["host"]))
    _write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    for path in plan["folders"]:
        strict.made(path[1:], owner)
    for path in plan["show"]:
        strict.show(path, path, owner)
    for source, target in plan["copy"]:
        capsule.copy(source, target[1:], owner=owner, budget=plan["budget"])
        os.chmod(target[1:], 0o700)
    for path, text in plan["texts"].items():
        _write(path[1:], text)
        os.chown(path[1:], owner, owner)
    linux.enter_root(plan["at"], or_chroot=False)


def _be_first(plan: dict[str, Any], lifeline: int, events: int, result: int) -> None:
    """Be process 1 of the box: start the program, and end everything when it ends, or has had its time."""
    try:
        linux.die_with_parent(signal.SIGKILL)
        strict.own_proc()
        _raise_loopback()
        socket.sethostname(plan["host"])
        child = os.fork()
        if child == 0:
            _be_program(plan, lifeline, events, result)
        os.close(result)
        _tell(events, event="started", several=plan["several"])
        _tell(events, **_watch(plan, child, lifeline))
    except BaseException as error:  # noqa: BLE001 - nothing may escape a forked child
        _tell(events, event="refused", message=f"{type(error).__name__}: {error}")
    os._exit(0)


def _raise_loopback() -> None:
    """Bring the only interface of the box's network up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _be_program(plan: dict[str, Any], lifeline: int, events: int, result: int) -> None:
    try:
        os.close(lifeline)
        os.close(events)
        os.dup2(result, RESULT)
        os.setsid()
        os.umask(0o022)
        os.chdir(plan["cwd"])
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        env = {**plan["env"], "BATCHLAB_BOX": json.dumps({"several": plan["several"]})}
        argv = [word.replace("{result}", str(RESULT)) for word in plan["argv"]]
        os.execve(argv[0], argv, env)
    except BaseException as error:  # noqa: BLE001
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(127)


def _watch(plan: dict[str, Any], child: int, lifeline: int) -> dict[str, object]:
    """Wait for the program; returns how it ended, or which limit ended it."""
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, wake_in = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_in, False)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    until = time.monotonic() + plan["seconds"]
    while True:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    return {"event": "ended", "code": os.waitstatus_to_exitcode(ended[1])}
        except ChildProcessError:
            return {"event": "ended", "code": -1}
        if over := _broken(plan, until):
            return {"event": "limit", "message": over}
        ready = {fd for fd, _ in poll.poll(LOOK_SECONDS * 1000)}
        if lifeline in ready:
            os._exit(1)
        if wake in ready:
            os.read(wake, 512)


def _broken(plan: dict[str, Any], until: float) -> str:
    """Return a limit of the whole box that is broken, in words."""
    if time.monotonic() > until:
        return f"grading took more than {plan['seconds']:g} seconds"
    all_of_them = list(limits.everybody())
    if sum(member.threads for member in all_of_them) > plan["processes"]:
        return f"grading needed more than {plan['processes']} processes and threads"
    allowed = plan["memory"]
    if sum(member.memory for member in all_of_them) > allowed and limits.exactly(all_of_them) > allowed:
        return f"grading needed more than {limits.size(allowed)} of memory"
    return ""


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:4]))
