"""`draw()`: a picture of a run, a table or a job in a notebook, made in another process."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from grader.notebook.command import Command
from grader.notebook.errors import CouldNotDraw, CouldNotGrade

SECONDS = 300.0
_OWN = "batchlab: "


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
    try:
        command = Command.find()
    except CouldNotGrade as error:
        raise CouldNotDraw(error.what, remedy=error.remedy) from None
    words = [str(command.program), "draw", kind, *([name] if name is not None else []), "--json"]
    try:
        done = subprocess.run(
            words,
            env=command.own_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        document = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise CouldNotDraw(f"the picture was not ready within {SECONDS:g} s") from None
    except (OSError, ValueError) as error:
        raise CouldNotDraw(f"{command.program} cannot be run: {error}", remedy="run make setup") from None
    if document is None:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        own = [line.removeprefix(_OWN) for line in said if line.startswith(_OWN)]
        raise CouldNotDraw((own or said or [f"batchlab draw ended with exit code {done.returncode}"])[-1])
    return Drawn(document)
