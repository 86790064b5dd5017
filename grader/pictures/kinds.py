"""The kinds of pictures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.pictures import runs, stages, tables
from grader.pictures.lineage import lineage
from grader.pictures.picture import Picture
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of picture.

    Args:
        of: what its name names.
        shows: what it shows.
        make: makes it of a state directory and a name, or none.
    """

    of: str
    shows: str
    make: Callable[[StateDir, str | None], Picture]


KINDS: Mapping[str, Kind] = {
    "run": Kind(of="run", shows="the steps of a run with their phases", make=runs.steps),
    "retry": Kind(of="run", shows="when each attempt of a retried step ran", make=runs.attempts),
    "lineage": Kind(of="table", shows="which table was made from which", make=lineage),
    "partitions": Kind(of="table", shows="what the last snapshots did to each partition", make=tables.partitions),
    "history": Kind(of="table", shows="a table's snapshots", make=tables.history),
    "skew": Kind(of="run or step", shows="how evenly Spark's tasks shared the work", make=stages.skew),
}


def draw(state: StateDir, kind: str, name: str | None = None) -> Picture:
    """Draw a picture.

    Args:
        state: whose runs and tables.
        kind: one of `KINDS`.
        name: of what; for runs and jobs, none means the last one, for lineage all tables.

    Raises:
        BadInput: there is no such kind, run or table, or nothing to draw.
    """
    if kind not in KINDS:
        raise BadInput(f"there is no picture {kind}", where="KIND", remedy=f"there are: {', '.join(KINDS)}")
    return KINDS[kind].make(state, name)
