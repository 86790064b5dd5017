"""A past of three tables and a report, for taint: day 9 spoiled, corrected, and not everywhere rewritten since."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lineage.taint.changes import Change
from grader.lineage.taint.history import History, history_of
from grader.lineage.tests.story import CARRIER, CURATED, RAW, Story

REPORT = "reporting.carrier_daily"
NINE, TEN = "2013-03-09", "2013-03-10"
SINGLE = 'ref(name="flight_date") == "(date)"'


@dataclass(kw_only=True)
class Past(Story):
    """A story whose every snapshot replaces the partition of its day."""

    kept: frozenset[str] = frozenset()

    def history(self) -> History:
        """Put it together; snapshots in `kept` kept older rows."""
        changed = [
            Change(trace=one, partition=f"flight_date={one.ds}", keeps=str(one.snapshot) in self.kept)
            for one in self.traces
            if one.visible and one.writes
        ]
        return history_of(self.executions(), self.runs, self.traces, changed)

    def ingest(self, run: str, ds: str) -> str:
        """Write a day of raw flights; gives the snapshot."""
        self.run(run, ds, ["extract"], "ingest")
        columns = {name: ("ops.flights", name) for name in ("dep_delay", "tailnum")}
        return self.write(run, "extract", RAW, {"ops.flights": ""}, ds, columns=columns)

    def transform(self, run: str, ds: str, raw: str) -> str:
        """Make the curated day from a snapshot of the raw table, and the mart from that; gives the mart's snapshot."""
        self.run(run, ds, ["curate", "build"], "transform")
        columns = {name: (RAW, name) for name in ("dep_delay", "tailnum")}
        curated = self.write(run, "curate", CURATED, {RAW: raw}, ds, columns=columns, filter=SINGLE)
        made = {"dep_delay_minutes": (CURATED, "dep_delay")}
        return self.write(run, "build", CARRIER, {CURATED: curated}, ds, columns=made, filter=SINGLE)

    def publish(self, run: str, ds: str, mart: str) -> None:
        """Publish a snapshot of the mart, and tell the webhook."""
        self.run(run, ds, ["replace", "notify"], "publish")
        columns = {"dep_delay_minutes": (CARRIER, "dep_delay_minutes")}
        self.event(run, "replace", {CARRIER: mart}, {REPORT: ""}, columns=columns, engine="")
        self.event(run, "notify", {REPORT: ""}, {"webhook": ""}, engine="")


def past() -> Past:
    """Days 9 and 10 go through; then raw day 9 is corrected and curated again, and not published again."""
    told = Past()
    for ds in (NINE, TEN):
        raw = told.ingest(f"ingest-{ds}-1", ds)
        told.publish(f"publish-{ds}-1", ds, told.transform(f"transform-{ds}-1", ds, raw))
    told.transform(f"transform-{NINE}-2", NINE, told.ingest(f"ingest-{NINE}-2", NINE))
    return told
