"""A small past for tests: workflow runs, the events that they emitted and the snapshots that they committed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from grader.lineage.events import Event, parse
from grader.lineage.executions import Execution, executions
from grader.lineage.snapshots import Trace
from grader.lineage.view import Lineage, lineage_of

BEGIN = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
RAW, CURATED, CARRIER = "lake.raw.flights", "lake.curated.flights", "lake.marts.carrier_daily"
Columns = Mapping[str, tuple[str, str]]
"""Column written → dataset and column that it is made from."""


def parent_id(uid: str, node: str) -> str:
    """Derive a parent's run id as the manifests do."""
    h = hashlib.sha1(f"{uid}/{node}".encode()).hexdigest()
    return f"{h[0:8]}-{h[8:12]}-5{h[13:16]}-a{h[17:20]}-{h[20:32]}"


@dataclass(kw_only=True)
class Story:
    """What happened, in the order in which a test tells it; each thing takes a second."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    seconds: int = 0

    def run(
        self, name: str, ds: str = "2013-03-09", steps: Sequence[str] = ("curate",), template: str = "transform"
    ) -> str:
        """Make a workflow run in which all steps succeeded, each with its one attempt."""
        nodes: dict[str, Any] = {}
        for number, step in enumerate(steps):
            for suffix, kind in (("", "Retry"), ("(0)", "Pod")):
                id_ = f"{name}-{number}{suffix}"
                nodes[id_] = {
                    "id": id_, "name": f"{name}.{step}{suffix}", "displayName": f"{step}{suffix}", "type": kind,
                    "phase": "Succeeded", "templateName": step, "templateScope": f"local/{name}",
                    "inputs": {"parameters": [{"name": "ds", "value": ds}]},
                }  # fmt: skip
        self.runs[name] = {
            "name": name, "phase": "Succeeded", "uid": f"uid-of-{name}", "template": template, "nodes": nodes,
        }  # fmt: skip
        return name

    def now(self) -> datetime:
        """Let a second pass, and give the time."""
        self.seconds += 1
        return BEGIN + timedelta(seconds=self.seconds)

    def event(
        self,
        run: str,
        node: str,
        reads: Mapping[str, str],
        writes: Mapping[str, str],
        *,
        kind: str = "COMPLETE",
        columns: Columns | None = None,
        **more: Any,
    ) -> None:
        """Emit what a query of a node read and wrote, each with its snapshot id or ''; START, then `kind`.

        More: `rows` written, `engine`, `parent` job and `parent_run` instead of the right ones, `filter` of the scans.
        """
        full = f"{run}.{node}"
        facets = {"parent": {"job": {"namespace": "batchlab", "name": more.get("parent", f"{run}.{full}")},
                             "run": {"runId": more.get("parent_run", parent_id(f"uid-of-{run}", full))}},
                  "processing_engine": {"name": more.get("engine", "spark")}}  # fmt: skip
        if more.get("parent") == "":
            del facets["parent"]
        body = {
            "run": {"runId": f"query-{len(self.events)}", "facets": facets},
            "job": {"namespace": "batchlab", "name": f"{node}.query"},
            "inputs": [_input(name, version, more.get("filter")) for name, version in reads.items()],
            "outputs": [_output(name, version, columns or {}, more.get("rows")) for name, version in writes.items()],
        }
        self.events.append({**body, "eventType": "START", "eventTime": self.now().isoformat()})
        self.events.append({**body, "eventType": kind, "eventTime": self.now().isoformat()})

    def commit(self, table: str, run: str, node: str, ds: str = "2013-03-09", **more: Any) -> str:
        """Commit a snapshot on top of the newest visible one; gives its id."""
        above = [one.snapshot for one in self.traces if one.table == table and one.visible]
        made = Trace(
            table=table, snapshot=1000 + len(self.traces), parent=above[-1] if above else None,
            committed=self.now().isoformat(timespec="milliseconds"), operation="overwrite", workflow=run,
            node=f"{run}.{node}", ds=ds, code="c", problem="",
        )  # fmt: skip
        self.traces.append(replace(made, **more))
        return str(made.snapshot)

    def write(
        self, run: str, node: str, table: str, reads: Mapping[str, str], ds: str = "2013-03-09", **more: Any
    ) -> str:
        """Let a node read, commit, and say so, as Spark does; gives the snapshot's id."""
        columns = more.pop("columns", None)
        self.event(run, node, reads, {table: ""}, columns=columns, **{"rows": 3, **more})
        end = self.events.pop()
        snapshot = self.commit(table, run, node, ds)
        self.events.append({**end, "eventTime": self.now().isoformat()})
        return snapshot

    def parsed(self) -> list[Event]:
        """Read the events as they would be read from a file."""
        found = [parse(json.dumps(one)) for one in self.events]
        return [one for one in found if one]

    def executions(self) -> list[Execution]:
        """Put them together."""
        return executions(self.parsed(), self.runs)

    def lineage(self) -> Lineage:
        """Compare it all with what should be there."""
        return lineage_of(self.parsed(), self.runs, self.traces)


def dataset(name: str) -> dict[str, Any]:
    """Name a dataset as an emitter does."""
    if name == "webhook":
        return {"namespace": "http://127.0.0.1:4", "name": "/deliveries", "facets": {}}
    if not name.startswith("lake."):
        return {"namespace": "postgres://127.0.0.1:5", "name": f"batchlab.{name}", "facets": {}}
    symlinks = {"identifiers": [{"namespace": "x", "name": name.removeprefix("lake."), "type": "TABLE"}]}
    return {"namespace": "file", "name": f"/w/{name.replace('.', '/')}", "facets": {"symlinks": symlinks}}


def _input(name: str, version: str, scan: str | None) -> dict[str, Any]:
    made = dataset(name)
    if version:
        made["facets"]["version"] = {"datasetVersion": version}
    if scan is not None and name.startswith("lake."):
        made["inputFacets"] = {"icebergScanReport": {"filterDescription": scan}}
    return made


def _output(name: str, version: str, columns: Columns, rows: int | None) -> dict[str, Any]:
    made = dataset(name)
    if version:
        made["facets"]["version"] = {"datasetVersion": version}
    if columns:
        made["facets"]["columnLineage"] = {
            "fields": {
                column: {"inputFields": [{**_bare(source), "field": field_}]}
                for column, (source, field_) in columns.items()
            }
        }
    if rows is not None:
        made["outputFacets"] = {"outputStatistics": {"rowCount": rows}}
    return made


def _bare(name: str) -> dict[str, str]:
    made = dataset(name)
    place = f"/w/{name.removeprefix('lake.').replace('.', '/')}" if name.startswith("lake.") else made["name"]
    return {"namespace": made["namespace"], "name": place}


def whole_day(story: Story, ds: str, play: str = "first", *, daily: bool = False) -> None:
    """Let the reference's pipelines run a day, each in a run of its own or all in one."""
    name = ds.replace("-", "")
    runs = {each: f"{each}-{name}-{play}" for each in ("ingest", "transform", "publish")}
    steps = {"ingest": ["extract", "write"], "transform": ["curate", "build"], "publish": ["replace", "notify"]}
    if daily:
        one = story.run(
            f"daily-{name}-{play}", ds, [f"{each}.{step}" for each in steps for step in steps[each]], "daily"
        )
        runs, inner = dict.fromkeys(runs, one), {each: f"{each}." for each in runs}
    else:
        for each, run in runs.items():
            story.run(run, ds, steps[each], each)
        inner = dict.fromkeys(runs, "")
    ingest, transform, publish = runs["ingest"], runs["transform"], runs["publish"]
    flights = story.write(
        ingest, f"{inner['ingest']}extract", RAW, {"ops.flights": ""}, ds, columns={"dest": ("ops.flights", "dest")}
    )
    weather = story.write(ingest, f"{inner['ingest']}extract", "lake.raw.weather", {"ops.weather": ""}, ds)
    story.event(ingest, f"{inner['ingest']}write", {}, {RAW: flights, "lake.raw.weather": weather}, engine="")
    reads = {RAW: flights, "lake.raw.weather": weather, "ops.airlines": "", "ops.airports": ""}
    curated = story.write(
        transform, f"{inner['transform']}curate", CURATED, reads, ds,
        columns={"dep_delay": (RAW, "dep_delay"), "tailnum": (RAW, "tailnum"), "temp": ("lake.raw.weather", "temp")},
    )  # fmt: skip
    marts = {}
    for mart in (CARRIER, "lake.marts.route_daily"):
        made = {"dep_delay_minutes": (CURATED, "dep_delay")}
        marts[mart] = story.write(transform, f"{inner['transform']}build", mart, {CURATED: curated}, ds, columns=made)
    for mart, snapshot in marts.items():
        target = mart.replace("lake.marts", "reporting")
        made = {"dep_delay_minutes": (mart, "dep_delay_minutes")}
        story.event(publish, f"{inner['publish']}replace", {mart: snapshot}, {target: ""}, columns=made, engine="")
    reports = {"reporting.carrier_daily": "", "reporting.route_daily": ""}
    story.event(publish, f"{inner['publish']}notify", reports, {"webhook": ""}, engine="")
