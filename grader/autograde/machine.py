"""Whether this machine can keep a stranger's code apart, and if not, what it lacks."""

from __future__ import annotations

import sys

from grader.autograde import kit
from grader.autograde.box import ROOT, Contents, run_in_box
from grader.autograde.limits import Limits
from pipelines.local.errors import BadInput

_PROBE = """
import json, os, sys
sys.path.insert(0, {root!r})
from pipelines.local.sandbox import identity, limits, strict
user = identity.STEP_USER if json.loads(os.environ["BATCHLAB_BOX"])["several"] else None
room = {{"user": user, "read": [], "write": [], "scratch": [], "hide": []}}
strict.isolate()
strict.furnish({{"private": "/tmp/room", "show": [], "mounts": [], "files": [], "strict": room,
                 "limits": limits.Limits().as_json()}})
child = os.fork()
if child == 0:
    try:
        strict.own_proc()
        if os.fork() == 0:
            identity.become_stranger(user, limits.Limits())
            os.execv("/bin/sh", ["sh", "-c", "test ! -e /box && ! echo > /usr/x"])
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    except BaseException as error:
        print(f"{{type(error).__name__}}: {{error}}", flush=True)
    os._exit(3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
_REMEDY = (
    "run as root, or allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns); a container needs the right to make namespaces"
)


def can_isolate() -> str | None:
    """Try to build a box and a room in it; returns why that cannot be done here, None if it can."""
    if not sys.platform.startswith("linux"):
        return f"it needs Linux's namespaces, and this is {sys.platform}"
    if (path := kit.unreadable()) is not None:
        return f"{path} may be read by root only, and in a box nobody is root: chmod -R o+rX it"
    argv = [sys.executable, "-I", "-S", "-c", _PROBE.format(root=str(ROOT))]
    contents = Contents(show=[*kit.python(), *kit.checkout()], env=kit.environment())
    try:
        outcome = run_in_box(argv, contents=contents, limits=Limits(seconds=60))
    except BadInput as error:
        return str(error)
    if outcome.code == 0:
        return None
    said = outcome.why or (outcome.log.strip().splitlines() or ["it does not hold"])[-1]
    return f"no box can be made on this machine ({said}); {_REMEDY}"


def require() -> None:
    """Refuse where a stranger's code cannot be kept apart.

    Raises:
        BadInput: with what is missing.
    """
    if reason := can_isolate():
        raise BadInput(f"autograding is not possible here: {reason}", where="--autograde")
