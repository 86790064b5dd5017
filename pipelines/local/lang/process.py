"""The helper as a child process: one JSON request and one JSON response per line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.local.lang.errors import HelperDiedError, LangError


class Helper:
    """Talks to one helper process, started on first use and again after a crash (once per question).

    Safe for threads (one question at a time) and across forks (a child of this process starts its own helper). The
    helper sees end of input when this process ends, however it ends, and ends too.
    """

    def __init__(self, binary: Callable[[], Path]) -> None:
        self._binary = binary
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._stderr: Any = None

    def ask(self, request: dict[str, Any]) -> Any:
        """Send a request and give its result.

        Raises:
            LangError: the library refused.
            HelperDiedError: the helper ended twice over this request.
        """
        line = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
        with self._lock:
            answer = self._exchange(line) or self._exchange(line)
        if answer is None:
            raise HelperDiedError(f"the expression helper ended unexpectedly: {self._last_words()}")
        reply = json.loads(answer)
        if (message := reply.get("e")) is not None:
            raise LangError(message)
        return reply["r"]

    def close(self) -> None:
        """End the helper."""
        with self._lock:
            self._end()

    def _exchange(self, line: bytes) -> bytes | None:
        """Send one line and read one; None where the helper died, which also clears it away."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            pass
        except BaseException:  # Ctrl-C: an answer that comes now would be taken for the next question's
            self._end()
            raise
        if answer.endswith(b"\n"):
            return answer
        self._end()
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the helper
            self._process = subprocess.Popen(
                [str(self._binary())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
            )
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream and stream.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode("utf-8", "replace").split("\n")
        return next((line for line in lines if line.strip()), "it said nothing")
