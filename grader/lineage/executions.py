"""Run events put together: one execution per run, with the workflow node above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grader.lineage.events import Event
from grader.lineage.facets import Use, joined
from grader.lineage.makers import Maker, maker_of, workflow_of

SPARK = "spark"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of one job: a query, or a step that is not Spark.

    Args:
        run: its id.
        job: the job's name.
        maker: the workflow node above it; None where no event names a parent.
        parent: name of the topmost parent job, as it was said.
        parent_run: id of the topmost parent run.
        completed: whether it ended well.
        engine: what ran it.
        started: time of its first event.
        ended: time of its last one.
        reads: datasets read, by name.
        writes: datasets written, by name.
    """

    run: str
    job: str
    maker: Maker | None
    parent: str = ""
    parent_run: str = ""
    completed: bool
    engine: str = ""
    started: datetime
    ended: datetime
    reads: Mapping[str, Use] = field(default_factory=dict)
    writes: Mapping[str, Use] = field(default_factory=dict)

    @property
    def workflow(self) -> str:
        """Name of the workflow run; empty where no event names a parent."""
        return self.maker.workflow if self.maker else ""

    @property
    def spark(self) -> bool:
        """Whether Spark ran it, whose integration can tell columns and rows."""
        return self.engine == SPARK

    def sources(self, target: str) -> list[str]:
        """Name the datasets that one that was written is made from, itself left out.

        Of a run with several outputs, each is made from the inputs that its columns name.
        """
        named = {one.source for one in self.writes[target].columns} & self.reads.keys()
        found = named if named and len(self.writes) > 1 else self.reads.keys()
        return [source for source in self.reads if source in found and source != target]


def executions(events: Sequence[Event], workflows: Iterable[str] = ()) -> list[Execution]:
    """Put the events of each run together; inputs and outputs may be spread over them.

    A query is a run whose parent is the application, whose parent is the workflow node: the topmost is the maker.

    Args:
        events: in the order of time.
        workflows: names of known workflow runs, which tell where a parent's workflow name ends.
    """
    known = sorted(workflows, key=len, reverse=True)
    parents = {event.run: event for event in events if event.parent}
    runs: dict[str, list[Event]] = {}
    for event in events:
        runs.setdefault(event.run, []).append(event)
    return [_execution(run, mine, _topmost(run, parents, known), known) for run, mine in runs.items()]


def _execution(run: str, events: Sequence[Event], above: tuple[str, str], known: Sequence[str]) -> Execution:
    name, parent_run = above
    return Execution(
        run=run,
        job=events[-1].job,
        maker=maker_of(name, known) if name else None,
        parent=name,
        parent_run=parent_run,
        completed=any(event.kind == "COMPLETE" for event in events),
        engine=next((event.engine for event in events if event.engine), ""),
        started=events[0].moment,
        ended=events[-1].moment,
        reads=_together(event.reads for event in events),
        writes=_together(event.writes for event in events),
    )


def _together(uses: Iterable[Mapping[str, Use]]) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for some in uses:
        for name, use in some.items():
            found[name] = joined(found[name], use) if name in found else use
    return found


def _topmost(run: str, parents: Mapping[str, Event], known: Sequence[str]) -> tuple[str, str]:
    """Climb from a run to the job that is nobody's child, and its run; empty where the run names no parent.

    Where the climb ends below a workflow, because a file was cut, what the event says of the root is taken.
    """
    name, root, seen = "", ("", ""), set()
    while run in parents and run not in seen:
        seen.add(run)
        event = parents[run]
        name, run = event.parent, event.parent_run
        root = (event.root, event.root_run) if event.root else root
    if root[0] and workflow_of(name, known) is None and workflow_of(root[0], known) is not None:
        return root
    return (name, run) if name else ("", "")
