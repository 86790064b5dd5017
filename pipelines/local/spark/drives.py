"""Running a driver: as a process of ours beside a warm JVM, or, for strangers' code, alone in a room of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipelines.local.preload import Child, ForkServer
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.spark import jars
from pipelines.local.spark.java import find
from pipelines.local.spark.request import Request
from pipelines.local.spark.warm.pool import Pool
from pipelines.local.state import StateDir

if TYPE_CHECKING:
    from pipelines.local.engine.images import Image
    from pipelines.local.engine.operators import StepPlace

DRIVE = "pipelines.local.spark.drive"
GRACE = 5.0  # seconds between asking a driver to end and killing it; a pod has 30
_REQUEST = "/argo/request.json"
_KILLED = 137
# variables that a driver needs, even where the executor has the same value
_COMMON = ("HOME", "JAVA_HOME", "LANG", "LC_", "PATH", "PYSPARK_", "PYTHON", "SPARK_", "TZ")


@dataclass(frozen=True, kw_only=True)
class Order:
    """A driver to be started.

    Args:
        state: the state directory.
        place: where its application works.
        image: what it runs in.
        request: what runs.
        log: the file that everything it says goes to.
        name: a name that no other driver of this executor has.
        preload: a Python that has imported PySpark.
    """

    state: StateDir
    place: StepPlace
    image: Image
    request: Request
    log: Path
    name: str
    preload: ForkServer | None = None


class OwnDrive:
    """A driver as a process of this user, which may lease a warm JVM."""

    def __init__(self, order: Order) -> None:
        Pool(order.state).hold_off()
        path, kept_apart = order.place.directory / "request.json", _isolation(order)
        limits = kept_apart.limits.as_json() if kept_apart is not None else None
        replace(order.request, limits=limits).save(path)
        reading, writing = os.pipe()
        try:
            with order.log.open("ab") as log:
                self._process = _started(order, path, log, writing)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._report, self._over = reading, False

    @property
    def pid(self) -> int:
        """The process that leads the application's."""
        return self._process.pid

    def await_over(self) -> tuple[int, str]:
        """Wait for its report; one whose leader was killed gives none."""
        with os.fdopen(self._report, "rb") as report:
            code, _, why = report.readline().decode().strip().partition(" ")
        # What follows a report is cleaning, which nobody waits for.
        threading.Thread(target=self._process.wait, daemon=True).start()
        self._over = True
        return (int(code), why) if code else (_KILLED, "")

    def stop(self) -> None:
        """Ask its process group to end, then kill it."""
        if self._over:
            return
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _isolation(order: Order) -> Isolation | None:
    return order.place.runner.isolation if order.place.runner is not None else None


def _started(order: Order, request: Path, log: IO[bytes], report: int) -> subprocess.Popen[bytes] | Child:
    """Start the process that runs the driver, from a Python that has PySpark already if there is one."""
    preload, lifeline = order.preload, order.place.lifeline_fd
    if preload is not None and preload.ready:
        with Path(os.devnull).open("rb") as nothing, suppress(OSError):  # a killed server: the other way
            descriptors = [nothing.fileno(), log.fileno(), log.fileno(), lifeline, report]
            return preload.spawn(f"{DRIVE}:main", [str(request)], cwd=request.parent, descriptors=descriptors)
    return subprocess.Popen(
        [sys.executable, "-I", "-m", DRIVE, str(request), str(lifeline), str(report)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=(lifeline, report),
    )


class RoomDrive:
    """A driver in a room, with a JVM that serves nobody else."""

    def __init__(self, order: Order) -> None:
        assert order.place.runner is not None
        self._runner, self._result = order.place.runner, order.place.directory / "exit.json"
        self._ended = threading.Event()
        self._result.unlink(missing_ok=True)
        spec = _in_room(order)
        self._key: str = spec["id"]
        self._runner.ready()
        self._runner.start(spec, self._hear)

    def _hear(self, event: str, _details: dict[str, Any]) -> None:
        if event != "started":
            self._ended.set()

    def await_over(self) -> tuple[int, str]:
        """Wait for the end of its room."""
        self._ended.wait()
        try:
            found = json.loads(self._result.read_text(encoding="utf-8"))
        except OSError:  # its supervisor was killed
            return _KILLED, ""
        return found["code"], found.get("message", "")

    def stop(self) -> None:
        """Ask it to end, then kill it."""
        self._runner.stop(self._key)
        if not self._ended.wait(GRACE):
            self._runner.stop(self._key, signal.SIGUSR1)
            self._ended.wait(GRACE)
        self._ended.set()  # if its supervisor is gone, nobody else will say so


def _in_room(order: Order) -> dict[str, Any]:
    """Describe the room to the sandbox: the request as a file, the working folder kept when it is over."""
    folder, work = str(order.place.directory), order.request.cwd
    # a JVM that others have used, or will, is not for strangers
    alone = replace(order.request, state="", env={**_given(order.request.env), "HOME": "/root"})
    programs = [sys.prefix, sys.base_prefix, find().home, jars.cache_root(), *order.image.path]
    return {
        "id": f"driver/{order.name}",
        "dir": folder,
        "argv": [sys.executable, "-m", DRIVE, _REQUEST],
        # the seed is that of the Python which forks drivers: it could not become one with another
        "env": {"PATH": os.defpath, "HOME": "/root", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
        "cwd": work,
        "files": [{"path": _REQUEST, "text": json.dumps(asdict(alone)), "mode": 0o600}],
        "outputs": [],
        "mounts": [[inside, str(outside)] for inside, outside in order.image.mounts.items()],
        "keep": [str(order.state.root)],
        "show": sorted({str(path) for path in programs}),
        "scratch": [work],
        "collect": [{"path": work, "to": work, "append": False}],
        "private": f"{folder}/private",
        "stdout": str(order.log),
        "stderr": str(order.log),
        "append": True,
        "roots": [folder],
        "grace": GRACE,
    }


def _given(env: Mapping[str, str]) -> dict[str, str]:
    """Leave out of a driver's environment what it only has because the executor has it."""
    return {name: value for name, value in env.items() if os.environ.get(name) != value or name.startswith(_COMMON)}


def drive(order: Order) -> OwnDrive | RoomDrive:
    """Start a driver as this executor's isolation asks.

    Raises:
        OSError: it cannot be started.
    """
    kept_apart = _isolation(order)
    return RoomDrive(order) if kept_apart is not None and kept_apart.strangers is not None else OwnDrive(order)
