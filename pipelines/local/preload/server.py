"""The process that imports once and forks on demand; started by `ForkServer`, ends when its owner does.

Requests come on one socket (descriptor 0) as JSON with descriptors attached; answers are one JSON line each:
`{"ready": true}`, then `{"id", "pid"}` when a child was forked and `{"id", "status"}` when it ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from pipelines.local.preload.interpreter import end, run_to_end

MESSAGE = 1 << 20
DESCRIPTORS = 8


def main() -> None:
    """Import what the arguments name, then serve until the owner closes the socket."""
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # an image without it simply has nothing to share
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # keeps the shared pages shared: collections in a child do not touch them
    owner = socket.socket(fileno=os.dup(0))
    request = _serve(owner)
    if request is not None:
        owner.close()
        end(_run(request))


def _serve(owner: socket.socket) -> dict[str, Any] | None:
    """Fork a child per request and report ends; returns the request in a child, None in the server at its end."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner decides what an interrupt means
    children: dict[int, int] = {}
    _answer(owner, ready=True)
    while True:
        readable, _, _ = select.select([owner, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _reap(owner, children)
        if owner in readable:
            data, descriptors, _, _ = socket.recv_fds(owner, MESSAGE, DESCRIPTORS)
            if not data:
                return None
            request = json.loads(data)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                os.close(woken)
                os.close(wake)
                return {**request, "descriptors": descriptors}
            for descriptor in descriptors:
                os.close(descriptor)
            children[pid] = request["id"]
            _answer(owner, id=request["id"], pid=pid)


def _reap(owner: socket.socket, children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if pid in children:
            _answer(owner, id=children.pop(pid), status=os.waitstatus_to_exitcode(status))


def _answer(owner: socket.socket, **words: object) -> None:
    with contextlib.suppress(OSError):  # the owner has gone: the next read says so
        owner.send(json.dumps(words).encode())


def _run(request: dict[str, Any]) -> int:
    """Be the child: a session of its own, its descriptors, its folder; then the function that the request names.

    Returns:
        The exit code that an interpreter would have ended with.
    """
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given = request["descriptors"]
    for target, source in enumerate(given[:3]):
        os.dup2(source, target)
    for source in given[:3]:
        os.close(source)
    os.chdir(request["cwd"])
    module, _, function = request["target"].partition(":")
    return run_to_end(lambda: getattr(importlib.import_module(module), function)(*request["args"], *given[3:]))


if __name__ == "__main__":
    main()
