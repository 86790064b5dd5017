"""What the tables held after a play, and what a run changed that it should not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.checks.model import Failure
from grader.checks.probe import Probe, Run, State, TableState
from grader.fingerprint.digest import Digest
from grader.fingerprint.files import DataFile
from grader.fingerprint.lake import Lake
from grader.oracle.tables import PARTITION, TableSpec, spec

PLAYS = ("first", "second", "replay", "empty")
"""The plays whose runs must succeed and leave right tables, in their order."""
_NO_RUN_HINTS = (
    "Which pipelines ran in that play, and which one writes the table?",
    "A table is judged as the last run of its own pipeline left it.",
    "batchlab runs lists the runs with their phases; the log of the first step that failed says why.",
)


def partitions(probe: Probe) -> list[str]:
    """Name the partitions of the graded days."""
    return [f"{PARTITION}={day}" for day in probe.days]


def digest(state: State, table: str, partition: str) -> Digest:
    """Give the digest of a partition; of no rows where there is no such table or partition."""
    return state[table].partitions.get(partition, Digest()) if table in state else Digest()


def runs_of(probe: Probe, play: str) -> list[Run]:
    """Give the runs of a play, in their order."""
    return [run for run in probe.runs() if run.play == play]


def last_run(probe: Probe, play: str, table: TableSpec) -> Run:
    """Give the run after which a table is what a play made of it.

    Raises:
        Failure: no run of that play writes the table.
    """
    found = [run for run in runs_of(probe, play) if run.writes(table)]
    if not found:
        raise Failure(f"there was no {play} run that writes {table.name}", hints=_NO_RUN_HINTS)
    return found[-1]


def after(probe: Probe, play: str, table: TableSpec) -> State:
    """Give the content of a table at the end of a play, in the state of all tables."""
    return last_run(probe, play, table).after


def played(probe: Probe, plays: Sequence[str] = PLAYS) -> list[str]:
    """Name those of some plays that were played."""
    there = {run.play for run in probe.runs()}
    return [play for play in plays if play in there]


def strays(run: Run) -> Iterator[tuple[str, str]]:
    """Name what a run changed that is not of its day, nor of a day that ran beside it: table and partition."""
    own = {f"{PARTITION}={day}" for day in run.days}
    for name in sorted({*run.before, *run.after}):
        if spec(name) is None:
            continue
        before = run.before[name].partitions if name in run.before else {}
        now = run.after[name].partitions if name in run.after else {}
        for partition in sorted({*before, *now} - own):
            if before.get(partition, Digest()) != now.get(partition, Digest()):
                yield name, partition


def diff_query(table: str, before: State, now: State) -> str:
    """Give a command, or a query, that shows what changed in a table."""
    if table in before and table in now and before[table].snapshot and now[table].snapshot:
        return f"batchlab diff {table} --from {before[table].snapshot} --to {now[table].snapshot}"
    return f"SELECT {PARTITION}, count(*) FROM {table} GROUP BY {PARTITION}"


def files(lake: Lake, name: str, state: TableState) -> list[DataFile]:
    """List the data files of a table as it was; none for a table without a snapshot."""
    if state.snapshot is None:
        return []
    return lake.files_of(state.metadata, state.snapshot) if state.metadata else lake.files(name, state.snapshot)
