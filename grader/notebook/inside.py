"""Run the learner's own cells, whatever they do to their kernel; in a box this is the program that the box is for.

What to run is in `/box/cells.json`, and the outputs go to a descriptor. They decide nothing but how the notebook looks
and whether its plain assertions hold.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.preprocessors import Execute

CELLS = "/box/cells.json"
SUBMISSION = "/box/submission"


class _Cells(Execute):  # type: ignore[misc] # nbgrader has no types
    """Nbgrader's way of running cells, but a kernel that is lost does not end it."""

    lost = ""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Run one cell, or say why it could not be run."""
        if not self.lost:
            try:
                return super().preprocess_cell(cell, resources, index)  # type: ignore[no-any-return]
            except DeadKernelError:
                self.lost = "the kernel ended in this cell or one before it"
            except (CellTimeoutError, RuntimeError) as error:
                self.lost = f"the kernel does not answer any more: {type(error).__name__}"
        if cell.cell_type == "code" and cell.source.strip():
            cell.outputs = [*cell.get("outputs", []), error_output("KernelLost", self.lost)]
        return cell, resources


def execute(notebook: str, folder: str, *, seconds: int) -> list[list[dict[str, Any]]]:
    """Run the cells of a notebook that have a source.

    Args:
        notebook: its JSON.
        folder: where they run.
        seconds: time limit of each cell.

    Returns:
        The outputs of every cell; none for one that is no code.
    """
    nb = nbformat.reads(notebook, as_version=4)
    done, _ = _Cells(timeout=seconds).preprocess(nb, {"metadata": {"path": folder}})
    return [[dict(output) for output in cell.get("outputs", [])] for cell in done.cells]


def error_output(name: str, text: str) -> Any:
    """Make the output of a cell that failed."""
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def main(result: int) -> None:
    """Run what the box was given; write the outputs to the descriptor `result`."""
    os.set_inheritable(result, False)
    plan = json.loads(Path(CELLS).read_text(encoding="utf-8"))
    outputs = execute(plan["notebook"], SUBMISSION, seconds=plan["seconds"])
    with os.fdopen(result, "w", encoding="utf-8") as out:
        json.dump(outputs, out)
