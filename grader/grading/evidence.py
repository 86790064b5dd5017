"""The probe of a graded submission: evidence from the records of its plays."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader.checks.contents import PLAYS as MUST_SUCCEED
from grader.checks.local import LocalProbe, delivery
from grader.checks.probe import Delivery, Run, SparkRun
from grader.fingerprint.canonical import identifier
from grader.fingerprint.postgres import copy_in
from grader.grading.plays import PLAYS
from grader.grading.record import Record
from grader.grading.world import World
from grader.lineage.view import Lineage
from grader.oracle.tables import TABLES, TableSpec


@dataclass(kw_only=True)
class GradeProbe(LocalProbe):
    """Evidence about one submission.

    Args:
        world: where it was played; its source is in the state `late`, its tables as the last play left them.
        records: what was played, by pipeline and play.
        scope: the pipelines that are judged.
    """

    world: World
    records: Mapping[tuple[str, str], Record]
    scope: tuple[str, ...]
    _kept: dict[str, str] = field(default_factory=dict, repr=False)

    def has(self, need: str) -> bool:
        """A play is there if a judged pipeline was played so."""
        if need == "announcements":
            return "publish" in self.scope and ("publish", "first") in self.records
        if need in PLAYS:
            return any((pipeline, need) in self.records for pipeline in self.scope)
        return super().has(need)

    def tables(self) -> Sequence[TableSpec]:
        """The tables of the judged pipelines."""
        return [table for table in TABLES if table.pipeline in self.scope]

    def source_of(self, play: str) -> str:
        """Name the state of the source that a play saw."""
        return PLAYS[play].source

    def rows(self, table: TableSpec, run: Run) -> str:
        """Read a table as it was when a run had ended, one of PostgreSQL from the copy that was kept."""
        if table.in_lake:
            return super().rows(table, run)
        record = self.records.get((run.pipeline, run.play))
        if record is None or not record.moment.reporting:
            return super().rows(table, run)
        schema = self.world.kept_schema(record.moment)
        name = f"{schema}.{table.name.partition('.')[2]}"
        if name not in self._kept:
            import psycopg

            with psycopg.connect(self.lake.dsn) as pg:
                copy_in(self.lake.con, pg, f"SELECT * FROM {name}", name)
            self._kept[name] = identifier(name)
        return self._kept[name]

    def runs(self) -> Sequence[Run]:
        """The runs of the judged pipelines that must succeed: play by play, pipeline by pipeline."""
        return [run for play in MUST_SUCCEED for run in self._runs(play)]

    def faults(self, play: str) -> Sequence[Run]:
        """The runs of a play that injects a fault."""
        return self._runs(play)

    def _played(self, pipeline: str, play: str) -> bool:
        return pipeline in self.scope and (pipeline, play) in self.records

    def _runs(self, play: str) -> list[Run]:
        return [
            run
            for pipeline in self.scope
            if (pipeline, play) in self.records
            for run in self.records[pipeline, play].runs
        ]

    def spark_runs(self) -> Sequence[SparkRun]:
        """SparkApplications, as they were when the run that made them had ended."""
        return [SparkRun(**one) for run in self.runs() for one in run.facts.get("applications", ())]

    def deliveries(self, play: str = "") -> Sequence[Delivery]:
        """The calls of the webhook up to the end of a play."""
        plays = [play] if play else [name for name in MUST_SUCCEED if self._played("publish", name)][-1:]
        found = [
            self.records[pipeline, one] for one in plays for pipeline in self.scope if (pipeline, one) in self.records
        ]
        return [delivery(row, 0) for record in found for row in self.world.delivered(record.moment)]

    @cached_property
    def _lineage(self) -> Lineage:
        """Read the events of the plays that must succeed, and of no other run of this state directory."""
        with tempfile.TemporaryDirectory(prefix="batchlab-events-") as folder:
            for (pipeline, play), record in self.records.items():
                if pipeline in self.scope and play in MUST_SUCCEED:
                    for name in record.events:
                        source = self.state.lineage / name
                        if source.is_file():
                            (Path(folder) / name).symlink_to(source)
            return self.lineage_of(Path(folder))
