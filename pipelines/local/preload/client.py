"""The owner's side of the fork server."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.local.preload import server


class Child:
    """A process forked by the server. Its `pid` leads a session of its own."""

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._started = threading.Event()
        self._ended = threading.Event()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code, negative for a signal, as `subprocess` does.

        Raises:
            subprocess.TimeoutExpired: it is still running after `timeout` seconds.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.returncode

    def _learn(self, answer: dict[str, Any]) -> None:
        if "pid" in answer:
            self.pid = answer["pid"]
            self._started.set()
        else:
            self._end(answer["status"])

    def _end(self, status: int) -> None:
        if self.returncode is None:
            self.returncode = status
        self._started.set()
        self._ended.set()


class ForkServer:
    """Owns one server process; thread-safe.

    `ready` turns true once its imports are done, and false when it has died.
    """

    def __init__(self, modules: Sequence[str], python: str | Path = sys.executable) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [str(python), "-m", server.__name__, *modules],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # as spark-submit sets it for every driver
        )
        theirs.close()
        self._socket = ours
        self._ids = itertools.count(1)
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self.ready = False
        threading.Thread(target=self._listen, daemon=True, name="preload").start()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until the imports are done; tells whether they are."""
        self._ready.wait(timeout)
        return self.ready

    def spawn(self, target: str, args: Sequence[Any], *, cwd: Path, descriptors: Sequence[int]) -> Child:
        """Fork a process that calls `target` ("module:function") with `args` and the descriptors after the third.

        Args:
            target: function that the child runs; the process ends when it returns.
            args: JSON values, passed to it.
            cwd: the child's working folder.
            descriptors: stdin, stdout, stderr, and up to five more; duplicated, so the caller may close its own.

        Raises:
            OSError: the server is gone.
        """
        child, number = Child(), next(self._ids)
        request = json.dumps({"id": number, "target": target, "args": list(args), "cwd": str(cwd)}).encode()
        with self._lock:
            self._children[number] = child
            try:
                socket.send_fds(self._socket, [request], list(descriptors))
            except OSError:
                del self._children[number]
                raise
        child._started.wait()  # noqa: SLF001 - one object in two classes
        if child.pid == 0:
            raise ConnectionResetError("the preloaded interpreter has gone")
        return child

    def close(self) -> None:
        """End the server; children that still run are not touched (their supervisors end them)."""
        self.ready = False
        self._socket.shutdown(socket.SHUT_RDWR)
        self._process.wait()

    def _listen(self) -> None:
        try:
            while data := self._socket.recv(server.MESSAGE):
                answer = json.loads(data)
                if "ready" in answer:
                    self.ready = True
                    self._ready.set()
                    continue
                child = self._children[answer["id"]]
                if "status" in answer:
                    del self._children[answer["id"]]
                child._learn(answer)  # noqa: SLF001
        except OSError:
            pass
        self.ready = False
        self._ready.set()
        for child in list(self._children.values()):
            child._end(_LOST)  # noqa: SLF001


_LOST = 255  # what a child is said to have ended with when the server was killed and nobody can know
