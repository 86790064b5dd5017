"""A box: its own everything, bounded, and gone when it is over."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from grader.autograde import kit
from grader.autograde.box import BOX, HIDDEN, ROOT, SUBMISSION, Contents, Outcome, run_in_box
from grader.autograde.limits import Limits
from grader.autograde.machine import can_isolate
from pipelines.local.processes import await_end

MIB = 1 << 20
pytestmark = pytest.mark.skipif(bool(can_isolate()), reason="this system cannot make a box")


def sh(script: str, *, contents: Contents | None = None, **limits: float) -> Outcome:
    """Run a shell script in a box."""
    given = contents or Contents(env={"PATH": "/usr/bin:/bin"})
    return run_in_box(["/bin/sh", "-c", script], contents=given, limits=Limits(**{"seconds": 60, **limits}))  # type: ignore[arg-type]


def test_its_result_is_what_it_writes_to_its_own_descriptor() -> None:
    """Code, result and log come back; what is printed is only the log."""
    outcome = sh('echo "{\\"outcome\\": \\"pass\\"}"; echo said >&2; echo -n true >&3; exit 3')
    assert (outcome.code, outcome.result, outcome.why, outcome.refused) == (3, b"true", "", False)
    assert outcome.log == '{"outcome": "pass"}\nsaid\n'


def test_it_holds_what_it_is_given(tmp_path: Path) -> None:
    """Folders are shown and cannot be changed; copies can, and are not the original; nothing else is there."""
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "a").write_text("a")
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "mine" / "b").write_text("b")
    (tmp_path / "mine" / "b").chmod(0o600)
    (tmp_path / "other").write_text("secret")
    contents = Contents(
        show=[tmp_path / "shown"], copy={SUBMISSION: tmp_path / "mine"}, texts={f"{BOX}/t": "t"},
        env={"PATH": "/usr/bin:/bin", "X": "x"},
    )  # fmt: skip
    script = f"cd {tmp_path}; cat shown/a {SUBMISSION}/b {BOX}/t; echo $X; echo > shown/a; echo c > {SUBMISSION}/b; ls"
    outcome = sh(script, contents=contents)
    assert outcome.log.replace("\n", " ").split("/bin/sh")[0].strip() == "abtx"
    assert "Read-only file system" in outcome.log
    assert outcome.log.endswith("\nshown\n")
    assert (tmp_path / "mine" / "b").read_text() == "b"


def test_it_has_no_network_but_its_own() -> None:
    """Loopback is there; the machine's loopback and the rest of the world are not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"""
import socket, threading
own = socket.create_server(("127.0.0.1", 0))
print(bool(socket.create_connection(own.getsockname(), 5)))
for address in (("127.0.0.1", {port}), ("1.1.1.1", 53), ("{_address()}", {port})):
    try:
        print(socket.create_connection(address, 5))
    except OSError as error:
        print(type(error).__name__)
print(sorted(name for _, name in socket.if_nameindex()))
"""
        contents = Contents(show=kit.python(), env=kit.environment())
        outcome = run_in_box([sys.executable, "-I", "-c", program], contents=contents, limits=Limits(seconds=60))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    lines = outcome.log.split("\n")
    assert lines[0] == "True", outcome.log
    assert all("Error" in line for line in lines[1:4]), outcome.log
    assert "lo" in lines[4]


def _address() -> str:
    """Return an address of this machine that is not loopback, if it has one."""
    found = [one.address for many in psutil.net_if_addrs().values() for one in many if one.family == socket.AF_INET]
    return next((address for address in found if not address.startswith("127.")), "192.0.2.1")


def test_it_is_nobody_and_alone() -> None:
    """The program is no user of this machine, sees no process of it, and has another host name."""
    outcome = sh("cat /proc/self/uid_map; ls -d /proc/[0-9]* | wc -l; hostname; ls /root /home /mnt")
    first, *rest = outcome.log.split("\n")
    outside = int(first.split()[1])
    assert outside >= 2_000_000_000 if os.geteuid() == 0 else outside == os.geteuid()
    numbers = [line for line in rest if line.isdigit()]
    assert int(numbers[-1]) <= 4
    assert "box" in rest


def test_time_is_bounded() -> None:
    """A program that never ends is ended, and so is what it has started."""
    outcome = sh("setsid sleep 1000 & sleep 1000", seconds=0.5)
    assert (outcome.code, outcome.why) == (None, "grading took more than 0.5 seconds")


def test_memory_is_bounded() -> None:
    """A program that takes too much is ended."""
    program = "x = bytearray(400 << 20); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(1000)"
    contents = Contents(show=kit.python(), env=kit.environment())
    limits = Limits(seconds=60, memory=200 * MIB)
    outcome = run_in_box([sys.executable, "-I", "-S", "-c", program], contents=contents, limits=limits)
    assert outcome.why == "grading needed more than 200 MiB of memory"


def test_processes_are_bounded() -> None:
    """A program that starts too many is ended, with all of them."""
    outcome = sh("for i in $(seq 100); do sleep 1000 & done; wait", processes=50)
    assert outcome.why == "grading needed more than 50 processes and threads"


def test_disk_is_bounded() -> None:
    """Its files are refused when there are too many; the machine's disk has none of them."""
    outcome = sh(f"head -c 100000000 /dev/zero > {BOX}/home/x || exit 9", disk=10 * MIB)
    assert outcome.code == 9
    assert "No space left on device" in outcome.log


def test_result_and_log_are_bounded() -> None:
    """A result that is too large is none; of a long log, the end is kept."""
    outcome = sh("head -c 2000000 /dev/zero >&3; yes | head -c 1000000; echo end", result=1000, log=1000)
    assert outcome.why == "the result is too large"
    assert len(outcome.log) <= 1001
    assert outcome.log.endswith("end\n")


def test_a_program_that_is_not_there_is_no_box_that_is_not_there() -> None:
    """The two are told apart."""
    outcome = run_in_box(["/no/such"], contents=Contents(), limits=Limits(seconds=60))
    assert (outcome.code, outcome.refused) == (127, False)
    assert "FileNotFoundError" in outcome.log


def test_a_folder_that_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    """The box is not built around a folder with something strange in it."""
    os.mkfifo(tmp_path / "pipe")
    outcome = sh("true", contents=Contents(copy={HIDDEN: tmp_path}))
    assert (outcome.code, outcome.refused) == (None, True)
    assert outcome.why == "pipe is neither a file nor a folder"


@pytest.mark.parametrize("victim", ["asker", "door"])
def test_it_ends_with_whoever_wanted_it(tmp_path: Path, victim: str) -> None:
    """When the asking process or the one at the door is killed, everything inside ends, and nothing is left."""
    program = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from grader.autograde.box import *
limits = Limits(seconds=1000)
run_in_box(["/bin/sh", "-c", "setsid sleep 987654 & sleep 987654"], contents=Contents(), limits=limits)
"""
    asker = subprocess.Popen([sys.executable, "-c", program])
    try:
        inside = _descendants(asker, "987654", 2)
        door = psutil.Process(asker.pid).children()[0]
        (door if victim == "door" else asker).send_signal(signal.SIGKILL)
        assert await_end([door, *inside], timeout=30) == []
        asker.wait(30)
    finally:
        asker.kill()
        asker.wait()


def _descendants(asker: subprocess.Popen[bytes], word: str, count: int) -> list[psutil.Process]:
    """Wait until descendants with a word in their command line run."""
    waiting = threading.Event()
    for _ in range(600):
        found = []
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(asker.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if process.cmdline()[-1:] == [word]:
                        found.append(process)
        if len(found) == count:
            return found
        waiting.wait(0.05)
    raise AssertionError("they never ran")
