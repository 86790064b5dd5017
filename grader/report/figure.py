"""Pictures that stand alone: SVG with its own style and words, for a notebook or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.report.drawing import Drawing
from grader.report.setting import asset, environment
from grader.report.words import Mark

_STYLES = ("tokens.css", "marks.css", "graphs.css", "pictures.css")
_WIDTH, _LABELS, _NOTES = 900, 270, 260  # px: whole, labels on the left, notes on the right
_LINE, _TOP, _CELL = 24, 28, 74


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A length of a line, as parts of the axis from 0 to 1; `wait` is drawn as a gap."""

    start: float
    length: float
    tone: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line with bars: what it is, its bars, and a note behind them."""

    label: str
    bars: Sequence[Bar]
    note: str = ""
    mark: Mark | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A field of a grid; `tone` is one of `created`, `same`, `changed`, `untouched`, `absent`."""

    tone: str
    label: str
    title: str


def drawn(drawing: Drawing, *, title: str, alt: str) -> str:
    """Set a drawing of boxes and arrows as SVG."""
    return _set("drawing.svg.j2", drawing.width, drawing.height, title, alt, d=drawing)


def bars(lines: Sequence[Line], *, ticks: Sequence[tuple[float, str]], title: str, alt: str) -> str:
    """Set lines with bars on one axis as SVG.

    Args:
        lines: from top to bottom.
        ticks: places on the axis, 0 to 1, and what stands above them.
        title: what is shown.
        alt: the same in words.
    """
    room = _WIDTH - _LABELS - _NOTES
    view = {
        "notes": _LABELS + room + 14,
        "ticks": [
            {"x": round(_LABELS + at * room, 1), "label": label, "anchor": _anchor(at)}
            for at, label in ticks
        ],
        "lines": [
            {
                "label": line.label, "note": line.note, "mark": line.mark, "title": line.title or line.label,
                "bars": [
                    {
                        "x": round(_LABELS + bar.start * room, 1), "width": round(max(bar.length * room, 2.0), 1),
                        "tone": bar.tone, "label": bar.label,
                    }
                    for bar in line.bars
                ],
            }
            for line in lines
        ],
    }  # fmt: skip
    return _set("bars.svg.j2", _WIDTH, _TOP + _LINE * len(lines) + 8, title, alt, view=view)


def grid(
    heads: Sequence[Sequence[str]], lines: Sequence[tuple[str, Sequence[Cell]]], *, legend: Sequence[tuple[str, str]],
    title: str, alt: str,
) -> str:  # fmt: skip
    """Set a grid as SVG: one column for each head, one line for each name.

    Args:
        heads: for each column what stands above it, from top to bottom.
        lines: names, and their fields from left to right.
        legend: tones, and what each means.
        title: what is shown.
        alt: the same in words.
    """
    left = 8 + 7.4 * max((len(name) for name, _ in lines), default=0) + 12
    top = 22 + 14 * max((len(head) for head in heads), default=0)
    view = {
        "top": top, "cell": _CELL - 4, "foot": top + _LINE * len(lines) + 8,
        "legend": [{"x": 8 + 124 * at, "tone": tone, "label": label} for at, (tone, label) in enumerate(legend)],
        "heads": [
            {"x": round(left + _CELL * (at + 0.5) - 2, 1), "line": line, "label": label}
            for at, head in enumerate(heads)
            for line, label in enumerate(head)
        ],
        "lines": [
            {
                "label": name,
                "cells": [
                    {"x": round(left + _CELL * at, 1), "tone": cell.tone, "label": cell.label, "title": cell.title}
                    for at, cell in enumerate(cells)
                ],
            }
            for name, cells in lines
        ],
    }  # fmt: skip
    width = max(round(left + _CELL * len(heads) + 8), 16 + 124 * len(legend))
    return _set("grid.svg.j2", width, top + _LINE * len(lines) + 34, title, alt, view=view)


def _anchor(at: float) -> str:
    """Keep the outermost labels of an axis within it."""
    return "start" if at <= 0 else "end" if at >= 1 else "middle"


def _set(template: str, width: float, height: float, title: str, alt: str, **view: Any) -> str:
    page = environment().get_template(template)
    style = Markup(asset(*_STYLES))  # noqa: S704 - our own files
    return page.render(width=width, height=height, title=title, alt=alt, style=style, **view)
