"""A small process that forks step supervisors: cheaper than starting an interpreter for every step.

It reads one JSON request per line and writes one JSON event per line. When its input ends, the executor is gone: each
supervisor sees that by itself, kills its step, and this process ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
from typing import Any

from pipelines.local.sandbox import linux, rooms
from pipelines.local.sandbox.supervise import supervise


def main() -> None:
    """Serve as a process of its own. The only argument is the file descriptor of the lifeline."""
    serve(int(sys.argv[1]))


def serve(lifeline: int) -> None:
    """Serve until the input ends; in a process that has imported libraries already, Python steps start from them."""
    os.set_inheritable(lifeline, False)
    wake, wake_in = os.pipe()
    for fd in (wake, wake_in):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    isolation, pids = _probe()
    _tell({"event": "ready", "isolate": isolation, "pids": pids})
    _Zygote(lifeline, wake, wake_in).serve()


def _tell(event: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(event).encode() + b"\n")


class _Zygote:
    def __init__(self, lifeline: int, wake: int, wake_in: int) -> None:
        self.lifeline, self.wake, self.wake_in = lifeline, wake, wake_in
        self.running: dict[int, str] = {}
        self.private: dict[int, str] = {}
        self.pending = b""

    def serve(self) -> None:
        poll = select.poll()
        for fd in (0, self.wake):
            poll.register(fd, select.POLLIN | select.POLLHUP)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self.wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake, 512)
                self.reap()
            if 0 in ready and not self.read():
                self.drain()
                return

    def read(self) -> bool:
        """Take requests; False at the end of the input."""
        data = os.read(0, 1 << 20)
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["op"] == "start":
                self.start(request["spec"])
            else:
                self.stop(request["id"], request["signal"])
        return bool(data)

    def start(self, spec: dict[str, Any]) -> None:
        if "limits" in spec:
            import pipelines.local.sandbox.identity
            import pipelines.local.sandbox.strict  # noqa: F401 - once here, not in every fork

        _remove(spec["private"])
        pid = os.fork()
        if pid:
            self.running[pid] = spec["id"]
            self.private[pid] = spec["private"]
            return
        try:
            os.setsid()
            linux.die_with_parent(signal.SIGKILL)
            os.close(0)
            self.own_signals()
            supervise(spec, self.lifeline, self.wake, lambda event: _tell({"event": event, "id": spec["id"]}))
        except BaseException as error:  # noqa: BLE001 - nothing may escape a forked child
            _tell({"event": "lost", "id": spec["id"], "message": f"{type(error).__name__}: {error}"})
        os._exit(0)

    def own_signals(self) -> None:
        """Give a forked supervisor a wake-up pipe that it does not share."""
        for fd in (self.wake, self.wake_in):
            os.close(fd)
        self.wake, self.wake_in = os.pipe()
        for fd in (self.wake, self.wake_in):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self.wake_in, warn_on_full_buffer=False)

    def stop(self, key: str, number: int) -> None:
        for pid, name in self.running.items():
            if name == key:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def reap(self) -> None:
        while self.running and self.reap_one(os.WNOHANG):
            pass

    def drain(self) -> None:
        """The executor is gone or done: see every supervisor end, and clear up behind it."""
        while self.running:
            self.reap_one(0)

    def reap_one(self, options: int) -> bool:
        try:
            pid, status = os.waitpid(-1, options)
        except InterruptedError:
            return True
        except ChildProcessError:
            self.running.clear()
            return False
        if not pid:
            return False
        name = self.running.pop(pid, "")
        _remove(self.private.pop(pid, ""))
        if status and name:
            _tell({"event": "lost", "id": name, "message": f"supervisor ended with status {status}"})
        return True


def _remove(private: str) -> None:
    """Remove a step's private files, from outside its namespace.

    Inside it, the machine's own folders are mounted below `private`: a removal there would go through to them.
    """
    if not private or not os.path.isdir(private):
        return
    real, points = os.path.realpath(private), []
    with contextlib.suppress(FileNotFoundError), open("/proc/self/mountinfo", errors="surrogateescape") as mounts:
        points = [line.split()[4].replace("\\040", " ") for line in mounts]
    if not any(point == real or point.startswith(f"{real}/") for point in points):
        shutil.rmtree(private, ignore_errors=True)


def _probe() -> tuple[bool, bool]:
    """Try in a child what this machine allows: a private file system, and private process numbers."""
    for pids in (True, False):
        child = os.fork()
        if child == 0:
            try:
                rooms.isolate(pids=pids)
                linux.mount("tmpfs", "/tmp", "tmpfs")  # noqa: S108
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return True, pids
    return False, False


if __name__ == "__main__":
    main()
