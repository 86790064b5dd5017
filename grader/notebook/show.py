"""Say a verdict: as text, and as a small page for a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from grader.notebook.verdict import Verdict, is_hidden

MOST_ROWS = 10
_COLOURS = {"pass": "#1a7f37", "fail": "#cf222e", "error": "#cf222e", "blocked": "#9a6700", "waiting": "#9a6700"}
_SIGNS = {"pass": "✓", "fail": "✗", "error": "!", "blocked": "-", "waiting": "…"}


class Shown:
    """A verdict that a notebook draws and a terminal prints."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def __repr__(self) -> str:
        return as_text(self.verdict)

    def _repr_html_(self) -> str:
        return as_html(self.verdict)


def show(verdict: Verdict) -> None:
    """Display in a notebook, else print; never on stderr."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if ipython is not None and shell is not None and getattr(shell, "kernel", None) is not None:
        ipython.display.display(Shown(verdict))
    else:
        print(as_text(verdict), flush=True)


def as_text(verdict: Verdict) -> str:
    """Write a verdict as lines of text."""
    return "\n".join(_lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    yield _heading(verdict)
    if verdict.note:
        yield f"  {verdict.note}"
    for check in verdict.checks:
        yield f"  {check.get('outcome')!s:<8}{check.get('id')}  {check.get('title')}"
        if why := _rationale(check):
            yield f"          {why}"
        if check.get("outcome") == "pass" or is_hidden(check):
            continue
        evidence = _evidence(check)
        yield from (f"          {line}" for line in _table(evidence))
        yield from (f"          {name}: {text}" for name, text in _facts(evidence))
        if check.get("hint"):
            yield f"          hint: {check['hint']}"


def as_html(verdict: Verdict) -> str:
    """Write a verdict as HTML without scripts, links or outside styles."""
    parts = [f"<p><strong>{escape(_heading(verdict))}</strong></p>"]
    if verdict.note:
        parts.append(f"<p>{escape(verdict.note)}</p>")
    for check in verdict.checks:
        outcome = str(check.get("outcome"))
        colour = _COLOURS.get(outcome, "inherit")
        parts.append(
            f'<div style="border-left:3px solid {colour};padding-left:.8em;margin:.6em 0">'
            f'<div><strong style="color:{colour}">{_SIGNS.get(outcome, "?")} {escape(outcome)}</strong> '
            f"<code>{escape(str(check.get('id')))}</code> {escape(str(check.get('title')))}</div>"
        )
        if why := _rationale(check):
            parts.append(f"<div>{escape(why)}</div>")
        if outcome != "pass" and not is_hidden(check):
            parts += _details(check)
        parts.append("</div>")
    return "".join(parts)


def _details(check: Mapping[str, Any]) -> Iterator[str]:
    evidence = _evidence(check)
    rows = _rows(evidence)
    if rows:
        head = "".join(f"<th>{escape(str(name))}</th>" for name in evidence.get("columns") or ())
        body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        yield f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    for name, text in _facts(evidence):
        shown = f"<pre>{escape(text)}</pre>" if name == "query" or "\n" in text else escape(text)
        yield f"<div><em>{escape(name)}</em>: {shown}</div>"
    if check.get("hint"):
        yield f"<div><em>hint</em>: {escape(str(check['hint']))}</div>"


def _heading(verdict: Verdict) -> str:
    score = f"{verdict.score:.2f}".rstrip("0").rstrip(".")
    return f"{verdict.wanted}: {verdict.title.rstrip('.')}: {verdict.outcome}, {score} of {verdict.points:g} points"


def _rationale(check: Mapping[str, Any]) -> str:
    """Give the reason; a hidden check that broke may quote its own code in it, so that one is not given."""
    if is_hidden(check) and check.get("outcome") not in ("pass", "fail"):
        return "an instructor's check" if check.get("outcome") == "blocked" else "an instructor's check could not run"
    return " ".join(str(check.get("rationale") or "").split())


def _evidence(check: Mapping[str, Any]) -> Mapping[str, Any]:
    evidence = check.get("evidence")
    return evidence if isinstance(evidence, Mapping) else {}


def _rows(evidence: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    return [row for row in evidence.get("rows") or () if isinstance(row, list | tuple)][:MOST_ROWS]


def _facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(evidence[name])) for name in ("expected", "found", "query") if evidence.get(name)]


def _table(evidence: Mapping[str, Any]) -> list[str]:
    """Set rows in columns as wide as their longest cell."""
    rows = _rows(evidence)
    if not rows:
        return []
    cells = [[str(cell) for cell in row] for row in ([evidence.get("columns") or (), *rows]) if row]
    widths = [max(len(row[at]) if at < len(row) else 0 for row in cells) for at in range(max(map(len, cells)))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells]
