"""Run one Spark driver to its end: `python -m pipelines.local.spark.drive REQUEST LIFELINE`.

It is the leader of the application's process group and ends all of it when the executor is gone (end of file on the
LIFELINE descriptor). A Python program runs as a fresh process beside a JVM that offers PySpark's gateway, so that the
JVM may be a new one or a warm one; a Java program is submitted to a new JVM. The exit code is the program's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from pipelines.local.spark import gateway
from pipelines.local.spark.command import SUBMIT
from pipelines.local.spark.request import Request


def run(request: Request) -> int:
    """Run a driver in a new JVM; returns the program's exit code."""
    if not request.program:
        return _code(
            subprocess.run(
                [*request.java, SUBMIT, *request.submit], env=request.env, cwd=request.cwd, check=False
            ).returncode
        )
    info = Path(request.cwd) / f".gateway-{os.getpid()}"
    jvm = gateway.start(request.java, request.submit, info=info, env=request.env, cwd=Path(request.cwd), log=None)
    try:
        address = gateway.await_address(jvm, info)
    except gateway.GatewayGone:
        return _code(jvm.wait()) or 1
    env = {**request.env, **address.env()}
    done = subprocess.run([sys.executable, *request.program], env=env, cwd=request.cwd, check=False)
    assert jvm.stdin is not None
    jvm.stdin.close()  # the JVM stops what the program left running, and ends
    jvm.wait()
    return _code(done.returncode)


def watch(descriptor: int) -> None:
    """End this process group as soon as the other end of the pipe is closed."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _code(returned: int) -> int:
    """Return a shell's exit code: 128 + signal where a signal ended the process."""
    return returned if returned >= 0 else 128 - returned


if __name__ == "__main__":
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: None)  # the group's other processes get it too; this one waits for them
    watch(int(sys.argv[2]))
    sys.exit(run(Request.load(Path(sys.argv[1]))))
