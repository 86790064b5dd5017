"""`sql()`: Spark SQL on your own tables from a cell, run in another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from grader.notebook.documents import document
from grader.notebook.errors import CouldNot


class CouldNotAsk(CouldNot):
    """A statement is wrong, or Spark cannot be started."""


class Rows:
    """What a statement gave: a notebook shows it as a table, a terminal as lines.

    Args:
        answer: one of the answers that `batchlab sql --json` prints.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.columns: Sequence[str] = list(answer["columns"])
        self.rows: Sequence[Sequence[str | None]] = [list(row) for row in answer["rows"]]
        self.more = bool(answer["more"])

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        lines = [" | ".join(_text(cell) for cell in row) for row in (self.columns, *self.rows)]
        return "\n".join([*lines, *(["…"] if self.more else [])]) if self.columns else "done"

    def _repr_html_(self) -> str:
        """Show it as a table."""
        if not self.columns:
            return "<p>done</p>"
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(_text(one))}</td>" for one in row) + "</tr>" for row in self.rows)
        more = f"<p>the first {len(self.rows)} rows</p>" if self.more else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def sql(*statements: str, limit: int = 20) -> Rows:
    """Run Spark SQL on your own tables; the catalog is called `lake`.

    Args:
        statements: one after another, in one session.
        limit: the most rows that are given.

    Returns:
        What the last statement gave, every value as text: as the last line of a cell it is shown.

    Raises:
        CouldNotAsk: a statement is wrong; the message is Spark's.
    """
    if not statements:
        raise CouldNotAsk("sql() needs a statement", remedy='such as sql("SHOW TABLES IN lake.raw")')
    answers = document(["sql", *statements, "--limit", str(limit)], CouldNotAsk)["answers"]
    return Rows(answers[-1])


def _text(cell: str | None) -> str:
    return "NULL" if cell is None else cell
