"""Fold crowds of steps in a drawing: what went wrong stays, the many that went well become one box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.report.layered import Edge, layer

_CROWD = 32  # members of one holder that are drawn without folding
_WIDE = 16  # members of one layer that are drawn singly
_WRONG, _FIRST = 4, 2  # of a wider layer these are: so many that went wrong, and the first ones
_GOOD = frozenset({"Succeeded", "Skipped", "Omitted"})


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Members to draw and the edges between them; a fold's name maps to the members it stands for."""

    members: Sequence[str]
    arrows: Sequence[Edge]
    folded: Mapping[str, Sequence[str]]


def fold(holder: str, members: Sequence[str], arrows: Sequence[Edge], phases: Mapping[str, str]) -> Fold:
    """Fold the members of one holder where they are too many to look at."""
    known = set(members)
    rows = [[name for name in row if name in known] for row in layer(members, arrows).layers]
    if len(members) <= _CROWD and all(len(row) <= _WIDE for row in rows):
        return Fold(members=members, arrows=arrows, folded={})
    order = {name: spot for spot, name in enumerate(members)}
    shown: set[str] = set()
    for row in rows:
        wrong = sorted((name for name in row if phases.get(name) not in _GOOD), key=order.__getitem__)
        first = sorted(row, key=order.__getitem__)[:_FIRST]
        shown.update((*first, *wrong[:_WRONG]) if len(row) > _WIDE else row)
    if len(shown) > _CROWD:
        shown = _ends_and_faults(rows, shown, phases)
    return _gather(holder, rows, shown, arrows, members)


def _ends_and_faults(rows: Sequence[Sequence[str]], shown: set[str], phases: Mapping[str, str]) -> set[str]:
    """Of a long chain keep the first and last layers and what went wrong, at most a crowd."""
    wrong = [name for row in rows for name in row if name in shown and phases.get(name) not in _GOOD]
    ends = [name for row in (*rows[:3], *rows[-3:]) for name in row if name in shown]
    return set((wrong[: _CROWD // 2] + ends)[:_CROWD])


def _gather(
    holder: str, rows: Sequence[Sequence[str]], shown: set[str], arrows: Sequence[Edge], members: Sequence[str]
) -> Fold:
    """Put what is not shown into one fold per stretch of layers; a stretch ends where a shown one is.

    A fold spans layers only where nothing else is in them, so the edges between folds still run one way.
    """
    stands: dict[str, str] = {}
    folded: dict[str, list[str]] = {}
    current = ""
    for row in rows:
        hidden = [name for name in row if name not in shown]
        if len(hidden) < len(row) or not current:
            current = f"{holder}\0fold{len(folded)}"
        for name in hidden:
            stands[name] = current
            folded.setdefault(current, []).append(name)
        if len(hidden) < len(row):
            current = ""
    lifted = dict.fromkeys((stands.get(a, a), stands.get(b, b)) for a, b in arrows)
    drawn = list(dict.fromkeys(stands.get(name, name) for name in members))
    return Fold(members=drawn, arrows=[(a, b) for a, b in lifted if a != b], folded=folded)


def tally(names: Sequence[str], phases: Mapping[str, str]) -> list[tuple[str, int]]:
    """Count phases, what went wrong first."""
    counts = Counter(phases.get(name, "") for name in names)
    return sorted(counts.items(), key=lambda item: (item[0] in _GOOD, -item[1]))
