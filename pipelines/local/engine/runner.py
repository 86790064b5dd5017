"""The executor's side of the sandbox: starts the zygotes, sends them steps, hears of their ends."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pipelines.local.errors import BadInput
from pipelines.local.preload import ForkServer
from pipelines.local.sandbox.isolation import Isolation

_BOOT = "import sys; sys.path.insert(0, {root!r}); from pipelines.local.sandbox.zygote import main; main()"
_ROOT = Path(__file__).parents[3]

Listener = Callable[[str, dict[str, Any]], None]


class _Zygote:
    """One zygote process, by its pipes: a bare one, or one forked from a Python that has imported the libraries."""

    def __init__(self, lifeline: int, preload: ForkServer | None) -> None:
        requests, self._requests_in = os.pipe()
        answers_out, answers = os.pipe()
        self._answers: IO[bytes] = os.fdopen(answers_out, "rb")
        try:
            start = _boot if preload is None else functools.partial(_fork, preload)
            self._process = start(requests, answers, lifeline)
        finally:
            os.close(requests)
            os.close(answers)
        self.features: dict[str, Any] = json.loads(self._answers.readline() or b'{"isolate": false, "pids": false}')

    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, request: dict[str, Any]) -> None:
        data = json.dumps(request).encode() + b"\n"
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self._requests_in, data) :]

    def events(self) -> IO[bytes]:
        return self._answers

    def close(self) -> None:
        os.close(self._requests_in)
        self._process.wait()


def _boot(requests: int, answers: int, lifeline: int) -> Any:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BOOT.format(root=str(_ROOT)), str(lifeline)],
        stdin=requests,
        stdout=answers,
        pass_fds=[lifeline],
        start_new_session=True,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": ""},
    )


def _fork(preload: ForkServer, requests: int, answers: int, lifeline: int) -> Any:
    return preload.spawn(
        "pipelines.local.sandbox.zygote:serve", [], cwd=Path("/"), descriptors=[requests, answers, 2, lifeline]
    )


class Runner:
    """Runs step processes; one per executor, shared by its runs. Steps end when this process does, however it ends.

    Args:
        preload: a Python that has imported libraries.
        isolation: limits, and how strangers' code is kept apart; None for neither.
    """

    def __init__(self, preload: ForkServer | None = None, isolation: Isolation | None = None) -> None:
        self._preload = preload
        self.isolation = isolation
        self._lock = threading.Lock()
        self._bare: _Zygote | None = None
        self._preloaded: _Zygote | None = None
        self._listeners: dict[str, tuple[_Zygote, Listener]] = {}
        self._lifeline: tuple[int, int] | None = None
        self.isolated = False
        self.own_pids = False

    @property
    def lifeline(self) -> int:
        """The read end of a pipe that nobody writes to; it shows end of file when this process is gone."""
        with self._lock:
            return self._pipe()[0]

    def _pipe(self) -> tuple[int, int]:
        if self._lifeline is None:
            self._lifeline = os.pipe()
        return self._lifeline

    def ready(self) -> None:
        """Start the zygote if it does not run, so that `isolated` tells what this machine allows.

        Raises:
            BadInput: it does not allow strangers' code to be kept apart.
        """
        with self._lock:
            self._for_any()
        strangers = self.isolation is not None and self.isolation.strangers is not None
        if strangers and not (self.isolated and self.own_pids):
            raise BadInput(
                "this machine has no namespaces to keep a stranger's code apart",
                remedy="use Linux, as root or where user namespaces are allowed",
            )

    def start(self, spec: dict[str, Any], listener: Listener) -> None:
        """Start a step; the listener hears `started`, then `done` or `lost`, from another thread."""
        if self.isolation is not None:
            spec = self.isolation.around(spec)
        with self._lock:
            zygote = self._for_any()
            zygote = (self._for_python() or zygote) if _is_python(spec) else zygote
            self._listeners[spec["id"]] = (zygote, listener)
            spec = {**spec, "isolate": spec.get("isolate", True) and self.isolated, "pids": self.own_pids}
            zygote.send({"op": "start", "spec": spec})

    def stop(self, key: str, number: int = signal.SIGTERM) -> None:
        """Ask a step to end: SIGTERM, then SIGKILL when its grace period is over."""
        with self._lock:
            if key in self._listeners:
                self._listeners[key][0].send({"op": "stop", "id": key, "signal": int(number)})

    def close(self) -> None:
        """End every step at once, and the zygotes."""
        with self._lock:
            zygotes = [zygote for zygote in (self._bare, self._preloaded) if zygote is not None]
            self._bare = self._preloaded = None
            pipe, self._lifeline = self._lifeline, None
            self._listeners.clear()
        if pipe is not None:
            os.close(pipe[1])
        for zygote in zygotes:
            zygote.close()
        if pipe is not None:
            os.close(pipe[0])

    def _for_any(self) -> _Zygote:
        if self._bare is None or not self._bare.alive():
            self._bare = self._started(None)
            self.isolated, self.own_pids = self._bare.features["isolate"], self._bare.features["pids"]
        return self._bare

    def _for_python(self) -> _Zygote | None:
        """Return the zygote with the libraries, once they are imported."""
        if self._preload is None or not self._preload.ready:
            return None
        if self._preloaded is None or not self._preloaded.alive():
            try:
                self._preloaded = self._started(self._preload)
            except OSError:  # the server was killed: steps start a little slower
                return None
        return self._preloaded

    def _started(self, preload: ForkServer | None) -> _Zygote:
        zygote = _Zygote(self._pipe()[0], preload)
        threading.Thread(target=self._listen, args=(zygote,), daemon=True).start()
        return zygote

    def _listen(self, zygote: _Zygote) -> None:
        for line in zygote.events():
            event = json.loads(line)
            self._tell(event["id"], event["event"], event)
        with self._lock:
            orphans = [key for key, (owner, _) in self._listeners.items() if owner is zygote]
        for key in orphans:
            self._tell(key, "lost", {"message": "the step's supervisor is gone"})

    def _tell(self, key: str, event: str, details: dict[str, Any]) -> None:
        with self._lock:
            found = self._listeners.get(key) if event == "started" else self._listeners.pop(key, None)
        if found is not None:
            found[1](event, details)


def _is_python(spec: dict[str, Any]) -> bool:
    """Tell whether a step may be a Python program that a fork can run; the fork looks at it more closely."""
    return bool(spec["argv"]) and Path(spec["argv"][0]).name.startswith("python")
