"""Run a submission's notebook in the box that autograde mode is made of: no network, nobody else's files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import grader
from grader.autograde import kit
from grader.autograde.box import Contents, run_in_box
from grader.autograde.limits import Limits
from grader.notebook.check import OUTSIDE
from grader.notebook.inside import CELLS, SUBMISSION
from grader.notebook.sample import SEED
from pipelines.local.errors import BadInput

START_SECONDS = 60.0
_MEMORY = 2 << 30
_PROCESSES = 512
_PARTS = ("grader", "pipelines")
_PROGRAM = "import sys; sys.path.insert(0, {root!r}); from grader.notebook.inside import main; main(int(sys.argv[1]))"


class LostError(Exception):
    """The notebook was not run to its end; the message says why."""


def outputs_in_box(notebook: str, folder: Path, *, seconds: int, cells: int, seed: str) -> list[list[dict[str, Any]]]:
    """Run a notebook's cells on a copy of the submission.

    Args:
        notebook: its JSON; cells without a source are not run.
        folder: the submission's.
        seconds: time limit of each cell.
        cells: how many there are.
        seed: what `sample()` draws from.

    Raises:
        BadInput: this machine cannot make a box, or the submission cannot be put into one.
        LostError: it used more than it may.
    """
    checkout = Path(grader.__file__).parents[1]
    contents = Contents(
        show=[*kit.python(), *(checkout / name for name in _PARTS)], copy={SUBMISSION: folder},
        texts={CELLS: json.dumps({"notebook": notebook, "seconds": seconds})}, env=_environment(seed),
    )  # fmt: skip
    # an interrupted cell takes a few seconds to answer
    limits = Limits(seconds=START_SECONDS + cells * (seconds + 10), memory=_MEMORY, processes=_PROCESSES)
    argv = [sys.executable, "-I", "-c", _PROGRAM.format(root=str(checkout)), "{result}"]
    outcome = run_in_box(argv, contents=contents, limits=limits)
    if outcome.refused:
        raise BadInput(
            f"no box could be made for the notebook: {outcome.why}", where=str(folder),
            remedy="see docs/instructor.md, What autograding needs",
        )  # fmt: skip
    try:
        found: list[list[dict[str, Any]]] = json.loads(outcome.result)
    except ValueError:
        said = (outcome.log.strip().splitlines() or ["it ended without a result"])[-1]
        raise LostError(outcome.why or said) from None
    return found


def _environment(seed: str) -> dict[str, str]:
    home = "/box/home"
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": home, "LANG": "C.UTF-8", "TZ": "UTC", "JUPYTER_PLATFORM_DIRS": "1", "NBGRADER_EXECUTION": "autograde",
        "PYTHONDONTWRITEBYTECODE": "1", OUTSIDE: "1", SEED: seed,
    }  # fmt: skip
