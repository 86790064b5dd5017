"""Collect what `batchlab taint` looks at from a state directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.fingerprint.lake import Lake
from grader.lineage.columns import columns_of
from grader.lineage.events import read_events
from grader.lineage.executions import executions
from grader.lineage.gather import known_runs
from grader.lineage.snapshots import Trace, trace
from grader.lineage.taint.changes import Change, changes
from grader.lineage.taint.history import History, history_of
from grader.oracle.tables import TABLES
from pipelines.local.state import StateDir

AUDIT = "lake.audit."
"""Where failing rows are kept to be looked at: nothing is made from them."""


def gather(state: StateDir) -> tuple[History, Mapping[str, frozenset[str]], list[Mapping[str, Any]]]:
    """Read events, runs, snapshots and their files, and the webhook's deliveries.

    Args:
        state: whose.

    Returns:
        The past, the columns of each dataset in lower case, and the deliveries.
    """
    lake = Lake.open(state)
    runs = known_runs(state)
    done = executions(read_events(state.lineage)[0], runs)
    traces: list[Trace] = []
    changed: list[Change] = []
    columns = {table.name: list(table.columns) for table in TABLES}
    for name in lake.tables():
        if not name.startswith("lake.") or name.startswith(AUDIT):
            continue
        table = lake.iceberg(name)
        mine = trace(table, name, runs)
        traces += mine
        changed += changes(table, mine)
        columns[name] = [one.name for one in table.schema().fields]
    return history_of(done, runs, traces, changed), columns_of(done, columns).known, _deliveries(state)


def _deliveries(state: StateDir) -> list[Mapping[str, Any]]:
    from pipelines.local.platform import Platform
    from pipelines.local.platform.webhook import Deliveries

    return list(Deliveries(Platform(state).receiver.database).list())
