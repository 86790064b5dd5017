"""What nbgrader makes of a cell: who may edit it, who grades it, its checksum, and which check it asks for."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["text", "locked", "solution", "checked", "tested", "manual", "free"]


def role(kind: str, nbgrader: Mapping[str, Any], source: str = "") -> Role:
    """Name what a cell is for.

    Returns:
        `checked`: graded by `check()`; `tested`: graded by the assertions in it; `manual`: graded by a person;
        `solution`: edited by the learner; `locked`: read-only; `text` and `free`: unknown to nbgrader.
    """
    if nbgrader.get("grade") and nbgrader.get("solution"):
        return "manual"
    if nbgrader.get("grade"):
        return "checked" if asked(source) else "tested"
    if nbgrader.get("solution"):
        return "solution"
    if nbgrader.get("locked"):
        return "locked"
    return "text" if kind == "markdown" else "free"


def checksum(kind: str, nbgrader: Mapping[str, Any], source: str) -> str:
    """Compute nbgrader's checksum of a cell, by which it sees that a locked cell was edited or an answer was not."""
    grade, solution = bool(nbgrader.get("grade")), bool(nbgrader.get("solution"))
    locked = not solution and (grade or bool(nbgrader.get("locked")))
    parts = [source, kind, str(grade), str(solution), str(locked), str(nbgrader["grade_id"])]
    if grade:
        parts.append(str(float(nbgrader["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a cell asks `check()` for: the item or check, and the most points."""

    wanted: str
    points: float | None


def asked(source: str) -> Asked | None:
    """Read which check a cell asks for; None where it does anything else besides.

    Only `check("M03", points=4)` with literals counts, alone or after imports, so that the answer is the same
    whoever runs the cell, and without running it.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    *before, last = statements or [ast.Pass()]
    if not all(isinstance(one, ast.Import | ast.ImportFrom) for one in before):
        return None
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "check":
        return None
    try:
        positional = [ast.literal_eval(one) for one in call.args]
        named = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    except ValueError:
        return None
    points = named.pop("points", None)
    if len(positional) != 1 or not isinstance(positional[0], str) or named:
        return None
    if points is not None and (isinstance(points, bool) or not isinstance(points, int | float)):
        return None
    return Asked(wanted=positional[0], points=None if points is None else float(points))
