"""Play `gate`: between Spark and dbt, wrong rows get into the curated table; dbt's tests must stop them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table

from grader.checks.probe import Run
from grader.fingerprint.lake import Lake
from grader.grading.ground import Ground
from grader.oracle.tables import PARTITION, spec
from pipelines.local.engine import Event
from pipelines.local.errors import BadInput

CURATED = "lake.curated.flights"
SPOILED = 3


class Interrupted(BaseException):
    """Ends the executor where it stands, as a kill would; the run can be resumed."""


def play(ground: Ground) -> list[Run]:
    """Run the day; once the curated table has been written, stop, spoil it, and go on.

    The run's facts say whether there was a moment for it: a pipeline that curates and builds in one step has none.
    What failed is tried again once: more attempts at the same rows show nothing more, and each is a whole dbt build.
    """
    (day,) = ground.days
    due = ground.pipeline.due([day])[day]
    before, name = ground.state(), ground.name(day)
    written = _metadata(ground)

    def listen(event: Event) -> None:
        ended = event.node is not None and event.node.get("type") == "Pod" and event.node.get("phase") == "Succeeded"
        if ended and _metadata(ground) != written:
            raise Interrupted

    try:
        with ground.engine(due + ground.play.late, listener=listen) as engine:
            document = ground.execute(engine, ground.pipeline.workflow(name, day, due), name, due, change=again_once)
            facts: Mapping[str, Any] = {"spoiled": 0}
    except Interrupted:
        spoiled, others = spoil(ground.lake.iceberg(CURATED), day), _others(ground.lake)
        with ground.engine(due + ground.play.late) as engine:
            document = engine.resume(name).document
        facts = {"spoiled": spoiled, "kept": _kept(others, _others(ground.lake))}
    return [ground.run_of(day, name, document, before, ground.state(), facts=facts)]


def again_once(manifest: Any) -> Any:
    """Give a manifest in which every retry strategy that allows attempts allows one."""
    if isinstance(manifest, Mapping):
        given = {name: again_once(one) for name, one in manifest.items()}
        retry = given.get("retryStrategy")
        if isinstance(retry, dict) and str(retry.get("limit")) != "0":
            retry["limit"] = "1"
        return given
    return [again_once(one) for one in manifest] if isinstance(manifest, list) else manifest


def _metadata(ground: Ground) -> str:
    try:
        return str(ground.lake.iceberg(CURATED).metadata_location)
    except BadInput:
        return ""


def _others(lake: Lake) -> dict[str, Table]:
    """Give the tables that the specification does not name."""
    return {name: lake.iceberg(name) for name in lake.tables() if name.startswith("lake.") and spec(name) is None}


def _kept(before: Mapping[str, Table], now: Mapping[str, Table]) -> dict[str, Any]:
    """Describe the tables that were written since: how many rows they hold, and which columns."""
    return {
        name: {"rows": table.scan().count(), "columns": list(table.schema().column_names)}
        for name, table in now.items()
        if name not in before or before[name].metadata_location != table.metadata_location
    }


def spoil(table: Table, day: date) -> int:
    """Add rows of the day that break what any test of a mart looks for: its key, its origins, its names.

    Returns:
        How many rows.
    """
    rows = table.scan(row_filter=EqualTo(PARTITION, str(day))).to_arrow().slice(0, SPOILED)
    if not rows.num_rows:
        return 0
    listed = rows.to_pylist()
    for number, row in enumerate(listed):
        row["flight"] = 99000 + number
        if number == 0:
            row["carrier_name"] = "another airline of the same code"  # two rows of the mart with one key
        elif number == 1:
            row["origin"] = "XXX"
        else:
            row["carrier_name"] = None
    table.append(pa.Table.from_pylist(listed, schema=rows.schema))
    return len(listed)
