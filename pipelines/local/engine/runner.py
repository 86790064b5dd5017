"""The executor's side of the sandbox: starts the zygote, sends it steps, hears of their ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BOOT = "import sys; sys.path.insert(0, {root!r}); from pipelines.local.sandbox.zygote import main; main()"
_ROOT = Path(__file__).parents[3]

Listener = Callable[[str, dict[str, Any]], None]


class Runner:
    """Runs step processes; one per executor, shared by its runs. Children end when this process does, however it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._listeners: dict[str, Listener] = {}
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
        """Start the zygote if it does not run, so that `isolated` tells what this machine allows."""
        with self._lock:
            self._running()

    def start(self, spec: dict[str, Any], listener: Listener) -> None:
        """Start a step; the listener hears `started`, then `done` or `lost`, from another thread."""
        with self._lock:
            process = self._running()
            self._listeners[spec["id"]] = listener
            spec = {**spec, "isolate": spec.get("isolate", True) and self.isolated, "pids": self.own_pids}
            self._send(process, {"op": "start", "spec": spec})

    def stop(self, key: str, number: int = signal.SIGTERM) -> None:
        """Ask a step to end: SIGTERM, then SIGKILL when its grace period is over."""
        with self._lock:
            if self._process is not None:
                self._send(self._process, {"op": "stop", "id": key, "signal": int(number)})

    def close(self) -> None:
        """End every step at once, and the zygote."""
        with self._lock:
            process, self._process = self._process, None
            pipe, self._lifeline = self._lifeline, None
            self._listeners.clear()
        if pipe is not None:
            os.close(pipe[1])
        if process is not None:
            assert process.stdin
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()
        if pipe is not None:
            os.close(pipe[0])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        read_end, _ = self._pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT.format(root=str(_ROOT)), str(read_end)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[read_end],
            start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": ""},
        )
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        self.isolated, self.own_pids = ready["isolate"], ready["pids"]
        self._process = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    @staticmethod
    def _send(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
        assert process.stdin
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            self._tell(event["id"], event["event"], event)
        with self._lock:
            orphans = list(self._listeners) if self._process is process else []
        for key in orphans:
            self._tell(key, "lost", {"message": "the step's supervisor is gone"})

    def _tell(self, key: str, event: str, details: dict[str, Any]) -> None:
        with self._lock:
            listener = self._listeners.get(key) if event == "started" else self._listeners.pop(key, None)
        if listener is not None:
            listener(event, details)
