"""The part of a grade that a cell asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.notebook.errors import CouldNotGrade

_WANTED = re.compile(r"(?P<item>[A-Z]\d+)(?:-(?P<check>[a-z0-9][a-z0-9-]*))?")
_DECIDED = ("pass", "fail")
_WITHOUT_ANSWER = ("error", "waiting", "blocked")


def item_of(wanted: str) -> str:
    """Give the item of `M03` or `M03-keys`.

    Raises:
        CouldNotGrade: it is neither.
    """
    match = _WANTED.fullmatch(wanted) if isinstance(wanted, str) else None
    if not match:
        raise CouldNotGrade(f'check({wanted!r}) names neither an item nor a check, as in "M03" or "M03-keys"')
    return match["item"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a cell shows and returns.

    Args:
        wanted: `M03` or `M03-keys`.
        title: the item's or the check's.
        outcome: of the item or the check.
        share: passed part, 0 to 1.
        points: the most that the cell can give.
        checks: as `batchlab grade --json` gives them.
        note: what is to be known besides: parts that the submission leaves out.
    """

    wanted: str
    title: str
    outcome: str
    share: float
    points: float
    checks: Sequence[Mapping[str, Any]]
    note: str = ""

    @property
    def score(self) -> float:
        """The points gained: a float from 0 to `points`, exactly `points` where everything passed."""
        return float(min(max(self.points * self.share, 0.0), self.points))


def read_verdict(document: Mapping[str, Any], wanted: str, points: float | None = None) -> Verdict:
    """Take from a grade's document what a cell asked for.

    Args:
        document: as `batchlab grade --json` prints it.
        wanted: `M03` or `M03-keys`.
        points: the most that the cell can give; without it the item's own, and 1 for a single check.

    Raises:
        CouldNotGrade: it is not in there, or no check of it came to a verdict.
    """
    name = item_of(wanted)
    item = document["items"].get(name)
    if not isinstance(item, Mapping):
        raise CouldNotGrade(f"the course has no item {name}")
    checks = [check for check in item.get("checks") or [] if isinstance(check, Mapping)]
    if wanted == name:
        share, own, title, outcome = _share(item), float(item.get("max_points") or 0), item, item.get("outcome")
    else:
        checks = [check for check in checks if check.get("id") == wanted]
        if not checks:
            raise CouldNotGrade(f"{name} has no check {wanted}")
        # what a submission leaves out is the reference's: that its checks pass is nobody's merit
        passed = checks[0].get("outcome") == "pass" and not item.get("lacking")
        share, own, title, outcome = float(passed), 1.0, checks[0], checks[0].get("outcome")
    _refuse_without_answer(wanted, item, checks)
    return Verdict(
        wanted=wanted, title=str(title.get("title", wanted)), outcome=str(outcome), share=share,
        points=own if points is None else float(points), checks=checks, note=str(item.get("note") or ""),
    )  # fmt: skip


def _share(item: Mapping[str, Any]) -> float:
    most, gained = item.get("max_points"), item.get("points")
    if item.get("outcome") == "pass" and not item.get("lacking"):
        return 1.0
    if not isinstance(most, int | float) or not isinstance(gained, int | float) or not most > 0:
        return 0.0
    share = gained / most
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0


def _refuse_without_answer(wanted: str, item: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> None:
    """Raise where nothing says pass or fail: a zero would call work wrong that nobody looked at.

    A check that is blocked by one that failed is answered: by that one. An item that fails without any check was not
    handed in, which is an answer too.
    """
    outcomes = {str(check.get("outcome")) for check in checks}
    blocked_by_failure = "blocked" in outcomes and any(
        check.get("outcome") == "fail" for check in item.get("checks") or []
    )
    if outcomes.intersection(_DECIDED) or blocked_by_failure or (not checks and item.get("outcome") in _DECIDED):
        return
    for outcome in _WITHOUT_ANSWER:
        for check in checks:
            if check.get("outcome") == outcome:
                raise CouldNotGrade(f"{check.get('id', wanted)} could not be graded: {_one_line(check)}")
    raise CouldNotGrade(f"{wanted} could not be graded: it {item.get('note') or 'has no checks'}")


def is_hidden(check: Mapping[str, Any]) -> bool:
    """Tell whether a check is an instructor's own: its verdict is shown, but not what would give the check away."""
    return "-hidden-" in str(check.get("id"))


def _one_line(check: Mapping[str, Any]) -> str:
    if is_hidden(check):
        return "an instructor's check could not run"
    return " ".join(str(check.get("rationale") or check.get("outcome")).split())[:500]
