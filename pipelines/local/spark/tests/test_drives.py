"""Drivers within limits, and strangers' drivers in rooms; a Python stands in for the JVM."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.engine.images import Image, ImageTable
from pipelines.local.engine.operators import StepPlace
from pipelines.local.engine.runner import Runner
from pipelines.local.sandbox.isolation import Isolation, Strangers
from pipelines.local.sandbox.limits import Limits
from pipelines.local.sandbox.tests.test_sandbox import isolated
from pipelines.local.sandbox.tests.test_strict import SOMEBODY
from pipelines.local.spark.drives import Order, OwnDrive, RoomDrive, drive
from pipelines.local.spark.request import Request
from pipelines.local.state import StateDir

MIB = 1 << 20
GROW = "x = bytearray(400 << 20); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(1000)"


@pytest.fixture
def lifeline() -> Iterator[int]:
    """A pipe that stays open."""
    reading, writing = os.pipe()
    yield reading
    os.close(writing)
    os.close(reading)


def order(root: Path, runner: Runner | None, lifeline: int, program: str) -> Order:
    """Order a driver that is a Python program."""
    state = StateDir(root=root / "state").ensure()
    directory = state.steps / "w" / "n" / "app"
    (directory / "work").mkdir(parents=True)
    (directory / "logs").mkdir()
    image = Image(name="batchlab/work:x")
    place = StepPlace(
        directory=directory, env={}, image=image, images=ImageTable({}), lifeline_fd=lifeline, secret=_nothing,
        config_map=_nothing, wake=lambda: None, runner=runner,
    )  # fmt: skip
    log = directory / "logs" / "driver.log"
    request = Request(
        java=[sys.executable, "-c", program], submit=[], program=[], env={**os.environ, "TOLD": "me"},
        cwd=str(directory / "work"), log=str(log), properties={}, state=str(state.root),
    )  # fmt: skip
    return Order(state=state, place=place, image=image, request=request, log=log, name="it")


def _nothing(name: str) -> dict[str, str]:
    raise KeyError(name)


@pytest.mark.parametrize("code", [0, 7])
def test_a_driver_without_limits(tmp_path: Path, lifeline: int, code: int) -> None:
    """Its exit code is its program's, and nothing more is said."""
    asked = order(tmp_path, None, lifeline, f"print('out'); raise SystemExit({code})")
    started = drive(asked)
    assert isinstance(started, OwnDrive)
    assert started.await_over() == (code, "")
    assert asked.log.read_text() == "out\n"


@pytest.mark.parametrize(
    ("program", "limits", "why"),
    [
        (GROW, Limits(memory=300 * MIB), "the step used more than 300 MiB of memory"),
        ("import time; time.sleep(1000)", Limits(seconds=0.5), "the step ran for more than 0.5 seconds"),
        ("while True: print('x' * 1000)", Limits(output=MIB), "the driver printed more than 8 MiB"),
    ],
)
def test_a_driver_that_breaks_a_limit(tmp_path: Path, lifeline: int, program: str, limits: Limits, why: str) -> None:
    """It is ended as a container would be, and why is told."""
    with closing(Runner(isolation=Isolation(limits=limits))) as runner:
        started = drive(order(tmp_path, runner, lifeline, program))
        assert isinstance(started, OwnDrive)
        assert started.await_over() == (137, why)


@isolated
def test_a_strangers_driver_is_in_a_room(tmp_path: Path, lifeline: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is somebody else, sees nothing of the executor's, and what it leaves in its folder is kept."""
    monkeypatch.setenv("EXECUTORS", "own")
    program = """
import os
print(os.getuid(), os.environ["TOLD"], os.environ["HOME"], os.getcwd().endswith("/app/work"), "EXECUTORS" in os.environ)
open("target", "w").write("kept")
for path in ("../logs", "../../../../../runs.db", "../exit.json"):
    print(os.path.exists(path))
raise SystemExit(5)
"""
    isolation = Isolation(limits=Limits(seconds=60), strangers=Strangers(user=SOMEBODY))
    with closing(Runner(isolation=isolation)) as runner:
        asked = order(tmp_path, runner, lifeline, program)
        isolation.prepare(asked.state)
        started = drive(asked)
        assert isinstance(started, RoomDrive)
        assert started.await_over() == (5, "")
    assert asked.log.read_text() == "1000 me /root True False\nFalse\nFalse\nFalse\n"
    assert (asked.place.directory / "work" / "target").read_text() == "kept"


@isolated
def test_a_strangers_driver_can_be_stopped(tmp_path: Path, lifeline: int) -> None:
    """One that ignores being asked is killed."""
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
    isolation = Isolation(limits=Limits(seconds=None), strangers=Strangers(user=SOMEBODY))
    with closing(Runner(isolation=isolation)) as runner:
        asked = order(tmp_path, runner, lifeline, program)
        isolation.prepare(asked.state)
        started = drive(asked)
        started.stop()
        assert started.await_over()[0] in {137, 143}


@isolated
def test_a_strangers_driver_is_told_its_limit(tmp_path: Path, lifeline: int) -> None:
    """The limit that it broke is named."""
    isolation = Isolation(limits=Limits(memory=300 * MIB), strangers=Strangers(user=SOMEBODY))
    with closing(Runner(isolation=isolation)) as runner:
        asked = order(tmp_path, runner, lifeline, GROW)
        isolation.prepare(asked.state)
        assert drive(asked).await_over() == (137, "the step used more than 300 MiB of memory")
