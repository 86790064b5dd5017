"""Fit labels into drawings: identifiers are set in a fixed-width font, so their width is known without a browser.

A cell is the advance width of a Latin letter; in the widest of the common fonts (DejaVu Sans Mono) it is 0.602 em.
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_BREAKS = re.compile(r"(?<=[-_.:/ ,\]])|(?=[\[(])")


def cells(label: str) -> int:
    """Count the cells a label takes: wide characters (CJK, emoji) two, combining ones none."""
    return sum(_cell(char) for char in label)


def _cell(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    # Scripts that fixed-width fonts lack come from other fonts, whose glyphs may be wider than a cell.
    return 1 if ord(char) < 0x370 or char == ELLIPSIS else 2


def elide(label: str, room: int) -> str:
    """Shorten a label to so many cells by leaving out its middle; both ends of an identifier tell it apart."""
    if cells(label) <= room:
        return label
    head = _take(label, (room - 1) // 2)
    tail = _take(label[::-1], room - 1 - cells(head))[::-1]
    return head + ELLIPSIS + tail


def _take(label: str, room: int) -> str:
    used = 0
    for position, char in enumerate(label):
        used += _cell(char)
        if used > room:
            return label[:position]
    return label


def wrap(label: str, room: int, lines: int = 2) -> list[str]:
    """Break a label after separators into at most so many lines of so many cells; what is left is elided."""
    label = " ".join(label.split())
    if cells(label) <= room:
        return [label]
    rows = [""]
    for part in (part for part in _BREAKS.split(label) if part):
        if cells(rows[-1] + part.rstrip()) <= room or not rows[-1]:
            rows[-1] += part
        else:
            rows.append(part)
    if len(rows) > lines:
        kept = sum(len(row) for row in rows[: lines - 1])
        rows = [*rows[: lines - 1], label[kept:]]
    return [elide(row.strip(), room) for row in rows]
