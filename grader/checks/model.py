"""What a check is, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from grader.checks.probe import Probe

Outcome = Literal["pass", "fail", "blocked", "error", "waiting"]
PIPELINES = ("ingest", "transform", "publish")
HIDDEN = "hidden-"
"""How the names of an instructor's own checks begin."""
MOST_ROWS = 10
MOST_PARTITIONS = 50


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a verdict rests on.

    Args:
        columns: names of the columns of `rows`.
        rows: at most ten offending (or, for a pass, proving) rows.
        partitions: `table partition` of what is concerned; the first fifty are kept.
        expected: what should be, in words.
        found: what is.
        query: a query to paste that shows it.
    """

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    partitions: Sequence[str] = ()
    expected: str = ""
    found: str = ""
    query: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it with values that JSON has; others as text."""
        return {
            "columns": list(self.columns),
            "rows": [[_plain(value) for value in row] for row in self.rows[:MOST_ROWS]],
            "partitions": list(self.partitions[:MOST_PARTITIONS]),
            "expected": self.expected,
            "found": self.found,
            "query": self.query,
        }


@dataclass(frozen=True)
class Passed:
    """A pass says why it is one."""

    rationale: str
    evidence: Evidence = field(default_factory=Evidence)


class Failure(Exception):  # noqa: N818 - it is a verdict
    """What a check saw is wrong.

    Args:
        rationale: one sentence, neutral and precise, naming table and partition where there are any.
        evidence: what it rests on.
        hints: up to three, from general to concrete, revealed one at a time.
    """

    def __init__(self, rationale: str, *, evidence: Evidence | None = None, hints: Sequence[str] = ()) -> None:
        self.rationale = rationale
        self.evidence = evidence or Evidence()
        self.hints = tuple(hints)
        super().__init__(rationale)


Function = Callable[["Probe"], Passed]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One named check.

    Args:
        id: `M03-keys`.
        title: what a learner sees: the function's docstring.
        item: mastery item.
        points: its share of the item's points is `points` of the sum over the item's checks.
        needs: what the probe must have: plays by name (`first`, `crash`), `announcements`, `flux`, `cluster`.
        depends: ids of checks that must pass first.
        function: looks at the evidence; raises `Failure`.
        pipelines: the pipelines whose plays it looks at.
        whole: it needs the plays of all of them at once; else it judges those that there are.
        hints: up to three, from general to concrete, for failures that bring none of their own.
    """

    id: str
    title: str
    item: str
    points: int
    needs: tuple[str, ...]
    depends: tuple[str, ...]
    function: Function
    pipelines: tuple[str, ...] = PIPELINES
    whole: bool = False
    hints: tuple[str, ...] = ()

    @property
    def hidden(self) -> bool:
        """Whether it is an instructor's own, of whose code nothing is shown."""
        return self.id.startswith(f"{self.item}-{HIDDEN}")


@dataclass(frozen=True, kw_only=True)
class Result:
    """The verdict of one check."""

    check: Check
    outcome: Outcome
    rationale: str
    evidence: Evidence = field(default_factory=Evidence)
    hints: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give it as report.json and `batchlab grade --json` have it."""
        return {
            "id": self.check.id,
            "title": self.check.title,
            "outcome": self.outcome,
            "rationale": self.rationale,
            "evidence": self.evidence.as_json(),
            "hint": self.hints[0] if self.hints else "",
            "seconds": round(self.seconds, 3),
        }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
