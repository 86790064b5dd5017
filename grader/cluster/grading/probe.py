"""The probe of a cluster: live objects, tables behind the cluster's catalog, logs, events and deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from grader.checks.contents import PLAYS as MUST_SUCCEED
from grader.checks.local import delivery
from grader.checks.manifests import ManifestProbe
from grader.checks.probe import Delivery, Installed, Run, SparkRun
from grader.cluster.grading import dbt
from grader.cluster.grading.live import Left
from grader.data.states import oracle_filter
from grader.fingerprint.canonical import identifier
from grader.fingerprint.lake import Lake
from grader.fingerprint.postgres import copy_in
from grader.grading.plays import PLAYS
from grader.lineage.gather import traces
from grader.lineage.view import Lineage, read_lineage
from grader.oracle.answers import Oracle
from grader.oracle.tables import TABLES, TableSpec
from pipelines.local.errors import BadInput

Deliveries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Played:
    """One run on the cluster, with what was kept of it.

    Args:
        run: the run.
        left: logs and applications, read when it had ended.
        deliveries: the calls of the webhook up to its end.
        reports: name of the copy of each reporting table in the DuckDB, made when it had ended.
    """

    run: Run
    left: Left
    deliveries: Deliveries
    reports: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class ClusterProbe(ManifestProbe):
    """Evidence about one submission on a cluster.

    Args:
        objects: ConfigMaps that parameters come from.
        lake: its tables, reached from here.
        days: the days that were played.
        played: the runs, in the order they were made.
        scope: the pipelines that are judged.
        installed_now: the platform's own objects and whether they are Ready.
        events: folder with the lineage events that the cluster received.
        known: every Workflow of the cluster, by name.
        begun: when the first run began; older events and snapshots prove nothing about these runs.
        since: number of webhook calls that were there before.
        project: the dbt project.
        scratch: folder for what is made from logs.
    """

    objects: Sequence[Mapping[str, Any]]
    lake: Lake
    days: tuple[date, ...]
    played: Sequence[Played]
    scope: tuple[str, ...]
    installed_now: Sequence[Installed]
    events: Path
    known: Mapping[str, Mapping[str, Any]]
    begun: datetime
    since: int
    project: Path
    scratch: Path
    _oracles: dict[str, Oracle] = field(default_factory=dict, repr=False)

    def has(self, need: str) -> bool:
        """A play is there if it was played; a cluster is."""
        if need == "flux":
            return self.flux_root is not None
        return need == "cluster" or any(one.run.play == need for one in self.played)

    def tables(self) -> Sequence[TableSpec]:
        """The tables of the judged pipelines."""
        return [table for table in TABLES if table.pipeline in self.scope]

    def oracle(self, play: str) -> Oracle:
        """The answers, computed once for each state of the source, which is in the state `late` by now."""
        state = PLAYS[play].source
        if state not in self._oracles:
            self._oracles[state] = Oracle.of_source(
                self.lake.con, self.lake.dsn, self.days, where=oracle_filter(state, self.days), schema=f"oracle_{state}"
            )
        return self._oracles[state]

    def rows(self, table: TableSpec, run: Run) -> str:
        """Read a table as it was when a run had ended."""
        if not table.in_lake:
            kept = self._played[run.name].reports.get(table.name)
            return identifier(kept) if kept else self.lake.rows(table.name)
        state = run.after.get(table.name)
        if state is None or not state.metadata or state.snapshot is None:
            return self.lake.rows(table.name)
        return self.lake.rows_of(state.metadata, state.snapshot)

    @cached_property
    def _played(self) -> Mapping[str, Played]:
        return {one.run.name: one for one in self.played}

    def runs(self) -> Sequence[Run]:
        """The runs that must succeed."""
        return [one.run for one in self.played if one.run.play in MUST_SUCCEED]

    def faults(self, play: str) -> Sequence[Run]:
        """The runs of a play that injects a fault."""
        return [one.run for one in self.played if one.run.play == play]

    def log(self, workflow: str, node: str) -> str:
        """What the node's pod and the driver of its application printed."""
        return self._played[workflow].left.logs.get(node, "") if workflow in self._played else ""

    def deliveries(self, play: str = "") -> Sequence[Delivery]:
        """The calls of the webhook up to the end of a play, of those that must succeed by default."""
        plays = {play} if play else set(MUST_SUCCEED)
        found = [one.deliveries for one in self.played if one.run.play in plays]
        return [delivery(one, self.since) for one in (found[-1] if found else ())]

    @cached_property
    def _lineage(self) -> Lineage:
        names = [table.name for table in self.tables() if table.in_lake]
        made = [run.name for run in self.runs()]
        found = traces(self.lake, names, dict(self.known))
        return read_lineage(self.events, self.known, found, self._manifest, self.begun, made)

    def lineage(self) -> Lineage:
        """Events that the cluster received, and snapshots, read once."""
        return self._lineage

    def spark_runs(self) -> Sequence[SparkRun]:
        """SparkApplications, as they were when the run that made them had ended."""
        names = {run.name for run in self.runs()}
        return [one for each in self.played if each.run.name in names for one in each.left.applications]

    def parameters(self) -> Sequence[Mapping[str, Any]]:
        """The cluster's ConfigMaps."""
        return self.objects

    def installed(self) -> Sequence[Installed]:
        """What the platform is made of."""
        return self.installed_now

    @cached_property
    def _manifest(self) -> Path | None:
        try:
            self.scratch.mkdir(parents=True, exist_ok=True)
            return dbt.parse(self.project, self.days[0], self.scratch)
        except BadInput:
            return None

    def dbt_artifacts(self, run: Run) -> Path | None:
        """Make the artifacts of a run's dbt step from what it printed; None where it printed nothing of dbt's."""
        logs = self._played[run.name].left.logs.values() if run.name in self._played else ()
        if self._manifest is None or not any("Running with dbt=" in text for text in logs):
            return None
        text = self._manifest.read_text(encoding="utf-8")
        found = [one for each in logs for one in dbt.results(each, json.loads(text))]
        folder = self.scratch / run.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(text, encoding="utf-8")
        (folder / "run_results.json").write_text(json.dumps({"results": found}), encoding="utf-8")
        return folder


def kept_reports(lake: Lake, name: str) -> dict[str, str]:
    """Copy the reporting tables, as they are, into the DuckDB; returns the names of the copies."""
    found = {}
    with psycopg.connect(lake.dsn) as pg:
        for table in (one.name for one in TABLES if not one.in_lake):
            schema, _, short = table.partition(".")
            there = pg.execute("SELECT to_regclass(%s)", (f'"{schema}"."{short}"',)).fetchone()
            if there and there[0]:
                found[table] = f"{name}.{table}"
                copy_in(lake.con, pg, f'SELECT * FROM "{schema}"."{short}"', found[table])
    return found
