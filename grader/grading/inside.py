"""Grading inside the box of autograde mode."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from grader.demo.display import Display
from grader.grading.grade import Grading
from grader.submission import read, seeded
from pipelines.local.state import StateDir

AUTOGRADE = (
    "autograde: the submission ran as another user in a box of its own, with a catalog, a warehouse and a database of "
    "its own, no network, and nothing that was kept from earlier gradings"
)


def grade(argument: Mapping[str, Any]) -> dict[str, Any]:
    """Grade a submission; called by `grader.autograde`.

    Args:
        argument: `submission`, `items`, `hidden` (a folder or None), `seed` (or None: the submission's own).

    Returns:
        The verdict's document, and the hints of its checks.
    """
    state = StateDir.locate().ensure()
    hidden = argument["hidden"]
    display = Display(state.logs / "grade.log", Console(file=sys.stdout, highlight=False))  # a pipe out of the box
    grading = Grading(state=state, display=display, fresh=True, hidden=Path(hidden) if hidden else None, mode=AUTOGRADE)
    graded = grading.grade(seeded(read(Path(argument["submission"])), argument["seed"]), argument["items"])
    return {
        "document": graded.document,
        "hints": {result.check.id: list(result.hints) for result in graded.results},
    }
