"""The commands that put tainted partitions right: the pipelines that wrote them, run again for their days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from grader.lineage.makers import Document, template_of
from grader.lineage.taint.history import Write, day_of
from grader.oracle.tables import spec

PIPELINES = ("ingest", "transform", "publish")
WHOLE = "daily"
"""The workflow that runs all of them."""
MANIFESTS = "cluster/apps"


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One backfill: a pipeline over days that follow one another."""

    pipeline: str
    first: date
    last: date

    @property
    def command(self) -> str:
        """What to type."""
        return f"batchlab backfill {MANIFESTS} --name {self.pipeline} --from {self.first} --to {self.last}"

    def as_json(self) -> dict[str, str]:
        """Give its fields and the command."""
        return {
            "pipeline": self.pipeline, "from": str(self.first), "to": str(self.last), "command": self.command,
        }  # fmt: skip


def repairs(writes: Iterable[Write], runs: Mapping[str, Document]) -> list[Repair]:
    """Give the backfills that write some partitions anew, those that others depend on first.

    Args:
        writes: what is to be replaced.
        runs: workflow runs by name, which say what WorkflowTemplate a node is of.
    """
    wanted: dict[date, set[str]] = {}
    for one in writes:
        day = day_of(f"={one.ds}") or day_of(one.partition)
        pipeline = pipeline_of(one, runs)
        if day is not None and pipeline:
            wanted.setdefault(day, set()).add(pipeline)
    found: list[Repair] = []
    names = {day: _named(pipelines) for day, pipelines in wanted.items()}
    for pipeline in dict.fromkeys([WHOLE, *PIPELINES, *sorted({name for some in names.values() for name in some})]):
        days = sorted(day for day, some in names.items() if pipeline in some)
        found += [Repair(pipeline=pipeline, first=first, last=last) for first, last in ranges(days)]
    return found


def _named(pipelines: set[str]) -> set[str]:
    """Take the workflow that runs all of them for all of them."""
    return {WHOLE, *(pipelines - set(PIPELINES))} if pipelines >= set(PIPELINES) else pipelines


def pipeline_of(one: Write, runs: Mapping[str, Document]) -> str:
    """Name the pipeline that wrote a partition: what its node's template is of, else what the specification says."""
    run = runs.get(one.workflow)
    table = spec(one.dataset)
    said = template_of(run, one.node) if run is not None else ""
    return said or (table.pipeline if table else "")


def ranges(days: Sequence[date]) -> list[tuple[date, date]]:
    """Merge days that follow one another."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
