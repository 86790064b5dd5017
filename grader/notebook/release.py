"""Make notebooks of a lab's source: the one with solutions for the instructor, the one without for learners.

Both come out the same byte for byte whenever they are made: cell ids are derived, and the released notebook is what
`nbgrader generate_assignment` makes of the instructor's (a slow test compares them).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from grader.notebook.cells import checksum
from grader.notebook.percent import Cell
from pipelines.local.errors import BadInput

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
STUBS = {"code": "# YOUR CODE HERE\nraise NotImplementedError()", "markdown": "YOUR ANSWER HERE"}
_DEFAULTS = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
_NOTEBOOK = {
    "kernelspec": {"display_name": "Batch lab", "language": "python", "name": "batchlab"},
    "language_info": {"name": "python"},
}


def instructor_notebook(cells: Sequence[Cell]) -> str:
    """Make the notebook with solutions, as nbgrader's source."""
    return _written([_notebook_cell(cell, at, cell.source, {}) for at, cell in enumerate(cells)])


def released_notebook(cells: Sequence[Cell], *, where: str = "lab.py") -> str:
    """Make the notebook that learners get: solutions cut out, cells locked, checksums set.

    Raises:
        BadInput: a solution region outside of a solution cell, nested, or without an end.
    """
    made = []
    for at, cell in enumerate(cells):
        source = _cleared(cell, f"{where}:{cell.line}")
        made.append(_notebook_cell(cell, at, source, _locks(cell.nbgrader)))
        nbgrader = made[-1]["metadata"].get("nbgrader")
        if nbgrader:
            nbgrader |= {"cell_type": cell.kind, "checksum": checksum(cell.kind, nbgrader, source)}
    return _written(made)


def cell_id(cell: Cell, at: int) -> str:
    """Derive a cell's id from its grade id, and without one from its place and kind."""
    name = cell.nbgrader.get("grade_id") or f"{at}:{cell.kind}"
    return hashlib.sha256(str(name).encode()).hexdigest()[:8]


def _cleared(cell: Cell, where: str) -> str:
    """Cut the solution out, as nbgrader does: its regions, or all of a solution cell that has none."""
    kept: list[str] = []
    inside = found = False
    for line in cell.source.split("\n"):
        if BEGIN in line:
            if inside:
                raise BadInput("a solution begins inside another", where=where)
            inside = found = True
            indent = re.match(r"\s*", line)
            kept += [(indent[0] if indent else "") + stub for stub in STUBS[cell.kind].split("\n")]
        elif END in line:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise BadInput(f"a solution has no {END}", where=where)
    if found and not cell.nbgrader.get("solution"):
        raise BadInput("a solution stands in a cell that learners do not edit", where=where)
    if cell.nbgrader.get("solution") and not found:
        return STUBS[cell.kind]
    return "\n".join(kept)


def _locks(nbgrader: Mapping[str, Any]) -> dict[str, bool]:
    if nbgrader.get("solution"):
        return {"deletable": False}
    return {"deletable": False, "editable": False} if nbgrader.get("grade") or nbgrader.get("locked") else {}


def _notebook_cell(cell: Cell, at: int, source: str, locks: Mapping[str, bool]) -> dict[str, Any]:
    metadata: dict[str, Any] = {**cell.metadata, **locks}
    if cell.nbgrader:
        metadata["nbgrader"] = {**_DEFAULTS, **cell.nbgrader}
    made: dict[str, Any] = {
        "cell_type": cell.kind, "id": cell_id(cell, at), "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }  # fmt: skip
    return made if cell.kind == "markdown" else {**made, "execution_count": None, "outputs": []}


def _written(cells: Sequence[Mapping[str, Any]]) -> str:
    notebook = {"cells": list(cells), "metadata": _NOTEBOOK, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
