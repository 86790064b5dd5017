"""One step's supervisor: starts the process alone, watches it and its executor, saves what the step put out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import time
from typing import Any

from pipelines.local.sandbox import rooms
from pipelines.local.sandbox.saving import Outside, Pump, Saver, TooMuchError, read_short, save_result
from pipelines.local.sandbox.starting import NO_START, CannotStartError, code_of, place, start

_TERMINATION_LOG = "/dev/termination-log"
_KILLED = 128 + signal.SIGKILL


def supervise(spec: dict[str, Any], lifeline: int, wake: int, report: Any) -> None:
    """Run one step to its end and write `exit.json` into its folder; nothing is written if the executor went away.

    Args:
        spec: see `pipelines.local.engine.podspec` and, for limits and strangers' code, `sandbox.isolation`.
        lifeline: end of a pipe that shows end of file when the executor is gone.
        wake: where signals of this process can be read from.
        report: called with `started` and `done`.
    """
    lock = os.open(f"{spec['dir']}/lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    outside = Outside(spec["roots"])
    step = _Step(spec, outside)
    result: dict[str, Any] = {"started": time.time()}
    try:
        step.start()
    except CannotStartError as error:
        result |= {"code": NO_START, "message": str(error)}
    except OSError as error:
        result |= {"code": 128, "reason": "StartError", "message": f"cannot prepare the step: {error}"}
    else:
        report("started")
        code = step.watch(lifeline, wake)
        step.collect(gone=code is None)
        if code is None:
            return
        result |= step.result(code)
    result["finished"] = time.time()
    save_result(outside, spec["dir"], result)
    report("done")


class _Step:
    """One step: its process, what it prints, its limits."""

    def __init__(self, spec: dict[str, Any], outside: Outside) -> None:
        self.spec, self.outside = spec, outside
        self.child = 0
        self.pumps: dict[str, Pump] = {}
        self.eye: Any = None  # a `limits.Watch`, where there are limits
        self.breach: Any = None
        self.too_much = ""

    def start(self) -> None:
        spec, owner = self.spec, -1
        self._open_logs()
        if "strict" in spec:
            from pipelines.local.sandbox import strict

            if not (spec["isolate"] and spec["pids"]):
                raise OSError("a stranger's code runs in namespaces of its own only, and there are none here")
            strict.isolate()
            strict.furnish(spec)
            owner = strict.owner_of(spec)
            place(spec["files"], owner)
            strict.forget_inputs(spec)
        else:
            if spec["isolate"]:
                rooms.isolate(pids=spec["pids"])
                rooms.furnish(spec)
            place(spec["files"], owner)
        ends = [self.pumps[spec[name]].end for name in ("stdout", "stderr")] if self.pumps else []
        for end in set(ends):
            if owner >= 0:
                os.fchown(end, owner, owner)  # so that the step can open /dev/stdout anew
        self.child = start(spec, ends)
        for end in set(ends):
            os.close(end)
        if "limits" in spec:
            from pipelines.local.sandbox.limits import Limits, Watch

            self.eye = Watch(Limits(**spec["limits"]), self.child, alone="strict" in spec)

    def _open_logs(self) -> None:
        """Where output is limited, take it in ourselves; else the step writes to its files."""
        if "limits" in self.spec:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if self.spec.get("append") else os.O_TRUNC)
            for path in {self.spec["stdout"], self.spec["stderr"]}:
                self.pumps[path] = Pump(self.outside.open(path, flags), self.spec["limits"]["output"])

    def watch(self, lifeline: int, wake: int) -> int | None:
        """Wait for the process; None if the executor went away, and then everything is killed."""
        code = self._wait(lifeline, wake)
        for pump in self.pumps.values():
            pump.close()
        return code

    def _wait(self, lifeline: int, wake: int) -> int | None:
        poll = select.poll()
        for fd in (lifeline, wake, *(pump.source for pump in self.pumps.values())):
            poll.register(fd, select.POLLIN | select.POLLHUP)
        kill_at: float | None = None
        terminated = False
        while True:
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                self._kill()
                return _KILLED if self.breach else code_of(status)
            ready = {fd for fd, _ in poll.poll(self._patience(kill_at))}
            if lifeline in ready:
                self._kill()
                os.waitpid(self.child, 0)
                return None
            for pump in self.pumps.values():
                if pump.source in ready and not pump.take():
                    poll.unregister(pump.source)
            self._look()
            signals = os.read(wake, 512) if wake in ready else b""
            if signal.SIGUSR1 in signals:
                self._kill()
            if signal.SIGTERM in signals and not terminated:
                terminated = True
                _signal(self.child, signal.SIGTERM, group=not self.spec["isolate"] or not self.spec["pids"])
                kill_at = time.monotonic() + float(self.spec.get("grace", 30))
            if kill_at is not None and time.monotonic() >= kill_at:
                self._kill()
                kill_at = None

    def _patience(self, kill_at: float | None) -> float | None:
        """Return for how many milliseconds nothing need be looked at."""
        until = None if kill_at is None else max(0.0, kill_at - time.monotonic())
        if self.eye is not None:
            until = min(until if until is not None else self.eye.pause, self.eye.pause)
        return None if until is None else until * 1000

    def _look(self) -> None:
        if self.eye is not None and self.breach is None and self.eye.due():
            self.breach = self.eye.look()
            if self.breach is not None:
                self.eye.kill()
                self._kill()

    def _kill(self) -> None:
        """Kill what is left of a step: its process group, and with its process 1 the whole namespace."""
        _signal(self.child, signal.SIGKILL, group=True)

    def collect(self, *, gone: bool) -> None:
        """Take what the step left beside its outputs; of one that has to run again, only what it told as it ran."""
        for each in (self.spec.get("strict") or {}).get("collect", ()):
            if each["append"] or not gone:
                self._save(self._saver(), each)

    def _saver(self) -> Saver:
        budget = self.spec["limits"]["saved"] if "limits" in self.spec else None
        return Saver(self.outside, budget, trusted="strict" not in self.spec)

    def _save(self, saver: Saver, output: dict[str, Any]) -> bool:
        try:
            return saver.save(output["path"], output["to"], append=output.get("append", False))
        except TooMuchError:
            self.too_much = f"the step leaves too much: {output['path']}"
        except (OSError, RecursionError) as error:
            self.too_much = f"{output['path']} cannot be kept: {error}"
        return True

    def result(self, code: int) -> dict[str, Any]:
        """Say how the step ended, and save its outputs."""
        saver = self._saver()
        found = [self._save(saver, each) for each in self.spec["outputs"]]
        message = read_short(_TERMINATION_LOG) if self.spec["isolate"] else ""
        if self.eye is not None and self.breach is None:
            self.breach = self.eye.breach_of(code)
        if self.breach is not None:
            return {"code": code, "reason": self.breach.reason, "message": self.breach.message, "found": found}
        if self.too_much:
            return {"code": code or 1, "message": self.too_much, "found": found}
        if code and not message and self.eye is not None:
            message = self.eye.excuse()
        return {"code": code, "message": message, "found": found}


def _signal(child: int, number: int, *, group: bool) -> None:
    with contextlib.suppress(OSError):
        (os.killpg if group else os.kill)(child, number)
