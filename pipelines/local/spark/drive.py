"""Run one Spark driver to its end: `python -m pipelines.local.spark.drive REQUEST [LIFELINE REPORT]`.

It leads the application's process group, and ends all of it when the executor is gone (end of file on the descriptor
LIFELINE). A Python program runs as a fresh process beside a JVM that offers PySpark's gateway: a warm one where one is
free and fits, else a new one. A Java program is submitted to a new JVM. The exit code is written to the descriptor
REPORT as soon as the application is over; a warm JVM is cleaned after that. Without LIFELINE and REPORT it is somebody
else's business to end it, and its exit code is the application's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pipelines.local.preload import can_become, replace_process
from pipelines.local.sandbox.limits import LOOK_SECONDS, Limits, Watch, hold, size
from pipelines.local.spark import gateway
from pipelines.local.spark.command import SUBMIT
from pipelines.local.spark.request import Request
from pipelines.local.spark.warm.jvm import Doubt
from pipelines.local.spark.warm.pool import Lease, Pool
from pipelines.local.state import StateDir

_LOGS = 8  # a driver's log may be this many times as long as a step's: its JVM writes to it, too
_KILLED = 137


def run(request: Request, standby: Standby | None, report: Callable[[int], None]) -> None:
    """Run a driver; `report` gets the program's exit code."""
    if not request.program:
        argv = [*request.java, SUBMIT, *request.submit]
        report(_code(subprocess.run(argv, env=request.env, cwd=request.cwd, check=False).returncode))
        return
    lease = _lease(request)
    if lease is None:
        report(_run_new(request, standby))
        return
    code = _program(request, standby, lease.address)
    with suppress(Doubt):  # the keeper will find out, and replace the JVM
        lease.stop_context()
    report(code)
    lease.release()


class Standby:
    """A fork of this process that waits to become the program.

    It is made before anything else: a later fork would inherit connections to the JVM, and close them in its own way.
    """

    def __init__(self, argv: list[str], cwd: str) -> None:
        waiting, self._start = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._start)
            with os.fdopen(waiting) as told:
                env = told.read()
            if not env:
                os._exit(0)
            os.chdir(cwd)
            replace_process(argv, json.loads(env))
        os.close(waiting)

    def run(self, env: Mapping[str, str]) -> int:
        """Let it begin, with this environment, and wait for its end; returns its exit code, negative for a signal."""
        os.write(self._start, json.dumps(env).encode())
        os.close(self._start)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def _standby(request: Request) -> Standby | None:
    """Keep a fork ready where this process has imported PySpark already and the program is Python."""
    argv = [sys.executable, *request.program]
    ready = "pyspark" in sys.modules and request.program and can_become(argv, request.env)
    return Standby(argv, request.cwd) if ready else None


def watch(descriptor: int, over: threading.Event) -> None:
    """End this process group as soon as the other end of the pipe is closed, unless the application is over."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        if not over.is_set():
            os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def guard(request: Request, over: threading.Event, report: Callable[[int, str], None]) -> None:
    """Watch the application, end it and say so when it breaks a limit; nothing where it has none."""
    if request.limits is None:
        return
    limits = Limits(**request.limits)
    eye, most = Watch(limits, os.getpid(), alone=False), _LOGS * limits.output

    def look() -> None:
        while not over.is_set():
            breach = eye.look()
            why = breach.message if breach else ""
            if not why and Path(request.log).stat().st_size > most:
                why = f"the driver printed more than {size(most)}"
            if why and not over.is_set():
                report(_KILLED, why)
                os.killpg(os.getpgrp(), signal.SIGKILL)
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=look, daemon=True).start()


def _lease(request: Request) -> Lease | None:
    if not request.state:
        return None
    pool = Pool(StateDir(root=Path(request.state)))
    while (lease := pool.lease()) is not None:
        try:
            lease.prepare(request.properties, log=Path(request.log), work=Path(request.cwd))
        except Doubt:
            lease.release(finished=False)
        else:
            return lease
    return None


def _run_new(request: Request, standby: Standby | None) -> int:
    info = Path(request.cwd) / f".gateway-{os.getpid()}"
    jvm = gateway.start(request.java, request.submit, info=info, env=request.env, cwd=Path(request.cwd), log=None)
    try:
        address = gateway.await_address(jvm, info)
    except gateway.GatewayGone:
        return _code(jvm.wait()) or 1
    code = _program(request, standby, address)
    assert jvm.stdin is not None
    jvm.stdin.close()  # the JVM stops what the program left running, and ends
    jvm.wait()
    return code


def _program(request: Request, standby: Standby | None, address: gateway.Address) -> int:
    env = {**request.env, **address.env()}
    if standby is not None:
        return _code(standby.run(env))
    argv = [sys.executable, *request.program]
    return _code(subprocess.run(argv, env=env, cwd=request.cwd, check=False).returncode)


def _code(returned: int) -> int:
    """Return a shell's exit code: 128 + signal where a signal ended the process."""
    return returned if returned >= 0 else 128 - returned


def main(request: str, lifeline: int, report_to: int) -> None:
    """Run the request and report once."""
    os.set_inheritable(lifeline, False)
    os.set_inheritable(report_to, False)
    loaded = Request.load(Path(request))
    if loaded.limits is not None:
        hold(Limits(**loaded.limits), count_processes=False)
    standby = _standby(loaded)
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: None)  # the group's other processes get it too; this one waits for them
    watch(lifeline, over)
    telling = threading.Lock()

    def report(code: int, why: str = "") -> None:
        with telling:
            if over.is_set():
                return
            over.set()
            os.write(report_to, f"{code} {why}\n".encode())
            os.close(report_to)

    guard(loaded, over, report)
    run(loaded, standby, report)


def main_alone(request: str) -> NoReturn:
    """Run the request, and end with its exit code."""
    loaded = Request.load(Path(request))
    codes: list[int] = []
    run(loaded, _standby(loaded), codes.append)
    sys.exit(codes[0])


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main_alone(sys.argv[1])
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
