"""The fork server against what a real interpreter does with the same program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from pipelines.local.preload import Child, ForkServer, can_become

BECOME = "pipelines.local.preload.interpreter:become"
PROGRAM = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), os.environ.get("GREETING"), __name__, sys.path[:2], "json" in sys.modules]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One server for the module, with a library imported."""
    preloaded = ForkServer(["decimal"])
    assert preloaded.wait_ready(30)
    yield preloaded
    preloaded.close()


def run(
    server: ForkServer, folder: Path, words: list[str], env: Mapping[str, str] | None = None
) -> tuple[Child, str, str]:
    """Run one program to its end by the server; returns the child and what it wrote."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err, Path(os.devnull).open() as null:
        argv, descriptors = [sys.executable, *words], [null.fileno(), out.fileno(), err.fileno()]
        child = server.spawn(BECOME, [argv, dict(env or os.environ)], cwd=folder, descriptors=descriptors)
        child.wait(30)
    return child, (folder / "out").read_text(), (folder / "err").read_text()


def test_a_script_sees_what_it_would_see(server: ForkServer, tmp_path: Path) -> None:
    """Arguments, folder, environment, `__main__` and the module search path are those of a real start."""
    (tmp_path / "program.py").write_text(PROGRAM)
    env = {**os.environ, "GREETING": "hé llo", "PYTHONPATH": str(tmp_path / "lib")}
    words = [str(tmp_path / "program.py"), "a b", "--flag"]
    real = subprocess.run([sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    child, out, err = run(server, tmp_path, words, env)
    assert (child.returncode, out, err) == (0, real.stdout, "")


def test_a_module_comes_from_the_steps_own_path(server: ForkServer, tmp_path: Path) -> None:
    """The step's `pipelines` wins over the one that the server itself runs from."""
    (tmp_path / "code" / "pipelines").mkdir(parents=True)
    (tmp_path / "code" / "pipelines" / "__init__.py").write_text("")
    (tmp_path / "code" / "pipelines" / "job.py").write_text("print('mine', __file__)")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "code")}
    _, out, err = run(server, tmp_path, ["-m", "pipelines.job"], env)
    assert out == f"mine {tmp_path}/code/pipelines/job.py\n", err


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no such day')", 1, "no such day\n"),
        ("import os; os._exit(7)", 7, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import atexit; atexit.register(lambda: print('bye', flush=True))", 0, ""),
    ],
)
def test_exit_codes_are_those_of_an_interpreter(
    server: ForkServer, tmp_path: Path, source: str, code: int, says: str
) -> None:
    """However a program ends, its code and its last words come through."""
    (tmp_path / "program.py").write_text(source)
    child, out, err = run(server, tmp_path, [str(tmp_path / "program.py")])
    assert child.returncode == code
    assert says in err
    assert ("bye\n" in out) == ("bye" in source)


def test_two_forks_share_nothing(server: ForkServer, tmp_path: Path) -> None:
    """What one program does to a library is not seen by the next."""
    (tmp_path / "first.py").write_text("import decimal; decimal.spoilt = True")
    (tmp_path / "second.py").write_text("import decimal; print(hasattr(decimal, 'spoilt'))")
    run(server, tmp_path, [str(tmp_path / "first.py")])
    assert run(server, tmp_path, [str(tmp_path / "second.py")])[1] == "False\n"


def test_only_this_interpreter_is_replaced() -> None:
    """Other programs, other interpreters and settings that need a real start are left to a real start."""
    assert can_become([sys.executable, "-u", "-m", "json.tool"], {})
    assert can_become([sys.executable, "job.py"], {})
    assert not can_become(["/bin/sh", "-c", "true"], {})
    assert not can_become([sys.executable, "-c", "pass"], {})
    assert not can_become([sys.executable, "-I", "job.py"], {})
    assert not can_become([sys.executable, "job.py"], {"PYTHONHASHSEED": "1"})


def test_a_killed_server_is_noticed(tmp_path: Path) -> None:
    """A child's owner does not wait for ever when the server is killed, and the next spawn says so."""
    server = ForkServer([])
    assert server.wait_ready(30)
    (tmp_path / "program.py").write_text("import signal; signal.pause()")
    with Path(os.devnull).open("r+") as null:
        descriptors = [null.fileno()] * 3
        words = [[sys.executable, str(tmp_path / "program.py")], dict(os.environ)]
        child = server.spawn(BECOME, words, cwd=tmp_path, descriptors=descriptors)
        process = psutil.Process(child.pid)
        parent = process.parent()
        assert parent
        parent.kill()
        assert child.wait(30) == 255
        process.kill()
        with pytest.raises(OSError, match=r"\w"):
            server.spawn(BECOME, words, cwd=tmp_path, descriptors=descriptors)
    assert not server.ready
