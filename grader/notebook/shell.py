"""`batchlab()`: the command line from a cell, with what it says in the cell's output."""

from __future__ import annotations

import shlex
import subprocess

from grader.notebook.command import Command
from grader.notebook.errors import CouldNot, CouldNotGrade


class CouldNotRun(CouldNot):
    """The command line cannot be started."""


def batchlab(words: str) -> None:
    """Run `batchlab` with some words, in the notebook's folder; what it says is printed as it comes.

    An exit code other than 0 is printed below it: 1 failed, 2 wrong usage or input.

    Args:
        words: as at a shell: `run flaky.yaml --virtual-time`.

    Raises:
        CouldNotRun: it is not installed, or a quotation mark is missing.
    """
    try:
        command, given = Command.find(), shlex.split(words)
    except CouldNotGrade as error:
        raise CouldNotRun(error.what, remedy=error.remedy) from None
    except ValueError as error:
        raise CouldNotRun(f"{words}: {error}") from None
    try:
        process = subprocess.Popen(
            [str(command.program), *given], env=command.own_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise CouldNotRun(f"{command.program} cannot be run: {error.strerror}", remedy="run make setup") from None
    with process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
        except KeyboardInterrupt:
            process.terminate()
            raise
    if process.returncode:
        print(f"(exit code {process.returncode})", flush=True)
