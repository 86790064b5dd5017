"""Run a command that prints one JSON document, and read it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from grader.notebook.command import Command
from grader.notebook.errors import CouldNot, CouldNotGrade

SECONDS = 300.0
_OWN = "batchlab: "


def document(words: Sequence[str], error: type[CouldNot]) -> dict[str, Any]:
    """Run `batchlab` with some words and `--json`; returns what it prints.

    Args:
        words: such as `("draw", "run")`.
        error: raised, with what the command said last, where there is no document.
    """
    try:
        command = Command.find()
    except CouldNotGrade as lost:
        raise error(lost.what, remedy=lost.remedy) from None
    try:
        done = subprocess.run(
            [str(command.program), *words, "--json"], env=command.own_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        found: dict[str, Any] | None = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise error(f"batchlab {words[0]} did not end within {SECONDS:g} s") from None
    except (OSError, ValueError) as broken:
        raise error(f"{command.program} cannot be run: {broken}", remedy="run make setup") from None
    if found is None:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        own = [line.removeprefix(_OWN) for line in said if line.startswith(_OWN)]
        raise error((own or said or [f"batchlab {words[0]} ended with exit code {done.returncode}"])[-1])
    return found
