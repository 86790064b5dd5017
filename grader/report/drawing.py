"""What a drawing is made of; the templates turn it into SVG, escaping every text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.report.words import Mark


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line inside a box, such as an attempt; `key` is the id of the element that tells more."""

    x: float
    y: float
    width: float
    label: str
    note: str
    mark: Mark
    key: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle with a label of one or more lines and a note under it. Lengths in px, corner upper left."""

    x: float
    y: float
    width: float
    height: float
    lines: Sequence[str]
    note: str
    key: str
    title: str
    kind: str
    mark: Mark | None = None
    rows: Sequence[Row] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An edge as SVG path data, with its head's tip and direction (degrees, 0 = to the right)."""

    path: str
    tip: tuple[float, float]
    angle: int
    kind: str
    start: str = ""
    end: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Frames lie under arrows, arrows under boxes."""

    width: float
    height: float
    frames: Sequence[Box]
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    label: str
