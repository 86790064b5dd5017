"""The plays: what is done to a pipeline so that its tables, effects and failures can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from grader.data.states import BAD, BASE, EMPTY, LATE
from grader.sample import DEFAULT
from grader.submission.folder import PIPELINES

Kind = Literal["plain", "parameter", "gate", "flaky", "crash"]

DAYS = DEFAULT.days
"""The graded days where no seed draws others: the clocks in New York change on the second."""
BACKFILLED_LATER = timedelta(hours=36)
"""How long after its due time a backfill runs: long enough for the wall clock to be on another day."""


@dataclass(frozen=True, kw_only=True)
class Play:
    """One play of one pipeline.

    Args:
        name: what checks call it.
        title: what a person reads while it runs.
        days: positions among the graded days, in the order in which they are run.
        source: state of the operational database.
        after: the play that it goes on from; empty: from nothing.
        upstream: the play of the pipelines before this one whose tables it reads; empty: the same play.
        parallel: how many days at once.
        late: how long after the due time the clock stands at its start.
        kind: `plain` runs the days; the others are described in the module of the same name.
        pipelines: which pipelines have it.
        fault: whether it belongs to the crash and fault tests.
    """

    name: str
    title: str
    days: tuple[int, ...]
    source: str = BASE
    after: str = ""
    upstream: str = ""
    parallel: int = 1
    late: timedelta = timedelta()
    kind: Kind = "plain"
    pipelines: tuple[str, ...] = PIPELINES
    fault: bool = False

    def dates(self, graded: Sequence[date]) -> tuple[date, ...]:
        """Give the days in the order in which they are run, of those that are graded."""
        return tuple(graded[one] for one in self.days)


PLAYS: dict[str, Play] = {
    play.name: play
    for play in (
        Play(name="first", title="in order", days=(0, 1)),
        Play(
            name="second", title="again, in another order, both at once", days=(1, 0), after="first", parallel=2,
            late=BACKFILLED_LATER,
        ),
        Play(name="replay", title="after late data", days=(1,), source=LATE, after="second", late=BACKFILLED_LATER),
        Play(name="empty", title="a day that lost all its rows", days=(0,), source=EMPTY, after="replay"),
        Play(
            name="bad", title="source rows that must be refused", days=(1,), source=BAD, after="second", fault=True,
            pipelines=("ingest",),
        ),
        Play(
            name="parameter", title="a parameter that is no date", days=(1,), after="second", upstream="second",
            kind="parameter", fault=True,
        ),
        Play(
            name="gate", title="wrong curated rows, which dbt's tests must stop", days=(0,), after="second",
            upstream="second", kind="gate", pipelines=("transform",), fault=True,
        ),
        Play(
            name="flaky", title="a webhook that fails once", days=(1,), after="second", upstream="second", kind="flaky",
            pipelines=("publish",), fault=True,
        ),
        Play(
            name="crash", title="killed at every step and commit", days=(1,), source=LATE, after="second",
            upstream="replay", kind="crash", fault=True,
        ),
    )
}  # fmt: skip
"""All plays, in the order in which they are played."""


def needed(names: Iterable[str]) -> list[Play]:
    """Give some plays and those that they go on from, in order."""
    wanted: set[str] = set()
    for name in names:
        while name and name not in wanted:
            wanted.add(name)
            play = PLAYS[name]
            name = play.after  # noqa: PLW2901
    return [play for name, play in PLAYS.items() if name in wanted]


def upstream_of(pipeline: str, play: Play) -> list[tuple[str, str]]:
    """Name the plays of earlier pipelines whose tables a play reads: pipeline and play, nearest last."""
    before = PIPELINES[: PIPELINES.index(pipeline)]
    return [(one, play.upstream or play.name) for one in before]
