"""`draw()`: a picture of a run, a table or a job in a notebook, made in another process."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from grader.notebook.documents import document
from grader.notebook.errors import CouldNotDraw


class Drawn:
    """A picture that a notebook shows and a terminal tells.

    Args:
        document: as `batchlab draw --json` prints it.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.title = str(document["title"])
        self.alt = str(document["alt"])
        self.svg = str(document["svg"])
        self.columns: Sequence[str] = [str(name) for name in document["columns"]]
        self.rows: Sequence[Sequence[str]] = [[str(cell) for cell in row] for row in document["rows"]]

    def __repr__(self) -> str:
        lines = [f"{self.title}. {self.alt}", *(" | ".join(row) for row in (self.columns, *self.rows))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show it as an image, which no style of the page can change, with the same as a table below."""
        image = base64.b64encode(self.svg.encode()).decode()
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return (
            f'<figure style="margin:0"><img src="data:image/svg+xml;base64,{image}" alt="{escape(self.alt)}" '
            f'style="max-width:100%"><figcaption>{escape(self.title)}</figcaption>'
            f"<details><summary>as a table</summary><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></details></figure>"
        )


def draw(kind: str, name: str | None = None) -> Drawn:
    """Draw a picture of your own runs and tables.

    Args:
        kind: `run`, `retry`, `lineage`, `partitions`, `history` or `skew`.
        name: a run, table or step; without it the last run or job, or all tables.

    Returns:
        The picture: as the last line of a cell it is shown.

    Raises:
        CouldNotDraw: there is no such picture, run or table, or nothing to draw.
    """
    return Drawn(document(["draw", kind, *([name] if name is not None else [])], CouldNotDraw))
