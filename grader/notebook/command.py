"""Run `batchlab grade` in a process of its own, within limits, and read what it says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import grader
from grader.notebook.errors import CouldNotGrade

COMMAND = "BATCHLAB"
SECONDS = "BATCHLAB_CHECK_SECONDS"
DEFAULT_SECONDS = 1200.0
GRACE = 20.0
"""Seconds in which a grade that is told to stop ends its own servers."""
MOST_OUTPUT = 32 * 1024 * 1024
_OWN = "batchlab: "
_KERNEL_ONLY = (
    "MPLBACKEND", "JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONPATH",
    "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM",
)  # fmt: skip
"""What a kernel sets for itself, and another program must not inherit: a cell's output is no terminal."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """How to run the grade.

    Args:
        program: the `batchlab` command.
        options: options of `grade` beyond item, submission and `--json`.
        seconds: time limit of one grade.
        hidden: the folder of checks that only an instructor has.
    """

    program: Path
    options: Sequence[str] = ()
    seconds: float = DEFAULT_SECONDS
    hidden: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None) -> Command:
        """Find the command and its limits: `BATCHLAB`, the checkout's own environment, or beside this interpreter.

        Raises:
            CouldNotGrade: there is none, or a limit is no number.
        """
        given = dict(os.environ if environment is None else environment)
        return cls(program=_program(given), seconds=_seconds(given), environment=given)

    def grade(self, wanted: str, submission: Path) -> dict[str, Any]:
        """Grade one item or check of a submission; gives the document that `batchlab grade --json` prints.

        Raises:
            CouldNotGrade: it printed no such document, or not in time.
        """
        arguments = [str(self.program), "grade", wanted, "--submission", str(submission), "--json", *self.options]
        if self.hidden is not None:
            arguments += ["--hidden", str(self.hidden)]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = self._run(arguments, out, err)
            said = _tail(err)
            if code not in (0, 1):
                raise CouldNotGrade(_last_line(said) or f"batchlab grade ended with exit code {code} and no message")
            return _document(out, said)

    def _run(self, arguments: Sequence[str], out: IO[bytes], err: IO[bytes]) -> int:
        try:
            process = subprocess.Popen(
                arguments, env=self.own_environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise CouldNotGrade(f"{self.program} cannot be run: {error.strerror}", remedy="run make setup") from None
        try:
            return process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            raise CouldNotGrade(
                f"the grade did not end within {self.seconds:g} s and was stopped",
                remedy=f"look for a step that waits for ever; {SECONDS} sets another limit",
            ) from None
        finally:
            _stop(process)

    def own_environment(self) -> dict[str, str]:
        """Give the environment of the process: without what a kernel sets for itself."""
        return {name: value for name, value in self.environment.items() if name not in _KERNEL_ONLY}


def _program(environment: Mapping[str, str]) -> Path:
    if given := environment.get(COMMAND):
        return Path(given).absolute()
    scripts, name = ("Scripts", "batchlab.exe") if os.name == "nt" else ("bin", "batchlab")
    checkout = Path(grader.__file__).parents[1] / ".venv" / scripts / name
    for program in (checkout, Path(sys.executable).parent / name):
        if program.is_file():
            return program
    raise CouldNotGrade("the batchlab command is not installed", remedy=f"run make setup, or set {COMMAND} to its path")


def _seconds(environment: Mapping[str, str]) -> float:
    given = environment.get(SECONDS) or str(DEFAULT_SECONDS)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise CouldNotGrade(f"{SECONDS} is {given!r}", remedy="set it to a number of seconds above 0")
    return seconds


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the grade: politely, so that it stops its servers, then for good."""
    if process.poll() is not None:
        return
    if os.name == "nt":
        process.kill()
        process.wait()
        return
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _document(out: IO[bytes], said: str) -> dict[str, Any]:
    if out.seek(0, os.SEEK_END) > MOST_OUTPUT:
        raise CouldNotGrade("batchlab grade printed more than a verdict can be long")
    out.seek(0)
    try:
        document = json.loads(out.read())
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("items"), dict):
        detail = _last_line(said)
        raise CouldNotGrade("batchlab grade printed no verdict" + (f": {detail}" if detail else ""))
    return document


def _tail(err: IO[bytes]) -> str:
    size = err.seek(0, os.SEEK_END)
    err.seek(max(0, size - 4096))
    return err.read().decode("utf-8", errors="replace")


def _last_line(text: str) -> str:
    """Give the program's own message, which libraries may have followed with theirs while it ended."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith(_OWN)]
    return (own or lines or [""])[-1].removeprefix(_OWN)[:500]
