"""Read a lab's source: a Python file in jupytext's percent format, with nbgrader's metadata.

The part of the format that labs use: a `# ---` header, cells that begin with `# %%` or `# %% [markdown]` and may carry
`name=JSON` metadata, Markdown as comments, and notebook magics as comments. A slow test compares with jupytext.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.errors import BadInput

_START = re.compile(r"# %%(?: \[(?P<kind>markdown)\])?(?: (?P<metadata>\S.*))?")
_NAME = re.compile(r"\s*(?P<name>[A-Za-z_][\w-]*)=")
_MAGIC = re.compile(r"# (?=[%!])")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Args:
        kind: `markdown` or `code`.
        source: its text.
        metadata: as in the notebook; `nbgrader` is what matters here.
        line: where it begins in the source file.
    """

    kind: str
    source: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    line: int = 1

    @property
    def nbgrader(self) -> Mapping[str, Any]:
        """Metadata of nbgrader; empty for a cell that it does not know."""
        found = self.metadata.get("nbgrader", {})
        return found if isinstance(found, Mapping) else {}


def parse(text: str, *, where: str = "lab.py") -> list[Cell]:
    """Split a source into its cells.

    Raises:
        BadInput: metadata that is no JSON, or text before the first cell.
    """
    lines = text.splitlines()
    start = _after_header(lines)
    cells: list[Cell] = []
    kind, begun, body = "", start, list[str]()
    metadata: dict[str, Any] = {}
    for number, line in enumerate(lines[start:], start + 1):
        match = _START.fullmatch(line)
        if not match:
            body.append(line)
            continue
        cells += _cell(kind, metadata, begun, body, where)
        kind, begun, body = match["kind"] or "code", number, []
        metadata = _metadata(match["metadata"] or "", f"{where}:{number}")
    return cells + _cell(kind, metadata, begun, body, where)


def _after_header(lines: Sequence[str]) -> int:
    if lines and lines[0] == "# ---" and "# ---" in lines[1:]:
        return lines.index("# ---", 1) + 1
    return 0


def _cell(kind: str, metadata: Mapping[str, Any], line: int, body: Sequence[str], where: str) -> list[Cell]:
    text = "\n".join(body).strip("\n")
    if not kind:
        if text.strip():
            raise BadInput("there is text before the first `# %%`", where=f"{where}:{line + 1}")
        return []
    make = _markdown if kind == "markdown" else _code
    return [Cell(kind=kind, source=make(text, f"{where}:{line}"), metadata=metadata, line=line)]


def _markdown(text: str, where: str) -> str:
    lines = text.splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            raise BadInput(f"a Markdown cell has a line that is no comment: {line!r}", where=where)
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


def _code(text: str, where: str) -> str:  # noqa: ARG001 - the same form as for Markdown
    return "\n".join(_MAGIC.sub("", line, count=1) if _MAGIC.match(line) else line for line in text.splitlines())


def _metadata(text: str, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    while text:
        match = _NAME.match(text)
        try:
            if not match:
                raise ValueError("no name")  # noqa: TRY301 - both are the same mistake to whoever wrote it
            found[match["name"]], end = decoder.raw_decode(text, match.end())
        except ValueError:
            raise BadInput(f"cell metadata is not name=JSON: {text!r}", where=where) from None
        text = text[end:].strip()
    return found
