"""Build `status.nodes` maps as Argo writes them, for the samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Nodes = dict[str, dict[str, Any]]


@dataclass(kw_only=True)
class Recorder:
    """Adds nodes one after the other; every Pod moves the clock on."""

    workflow: str
    at: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=timezone.utc)
    nodes: Nodes = field(default_factory=dict)

    def add(self, name: str, kind: str, *, boundary: str = "", parent: str = "", **more: Any) -> str:
        """Add a node that starts now; give its id."""
        full = f"{self.nodes[boundary]['name']}.{name}" if boundary else name
        if parent and name.startswith("("):
            full = self.nodes[parent]["name"] + name
        if parent and self.nodes[parent]["type"] == "StepGroup":
            full = f"{self.nodes[parent]['name']}.{name}"
        if kind == "StepGroup":
            full = self.nodes[boundary]["name"] + name
        node_id = self.workflow if not self.nodes else f"{self.workflow}-{len(self.nodes) * 2654435761 % 2**32}"
        shown = self.nodes[parent]["displayName"] + name if name.startswith("(") else name
        self.nodes[node_id] = {
            "id": node_id, "name": full, "displayName": shown, "type": kind, "phase": "Running", "boundaryID": boundary,
            "templateName": shown.partition("(")[0], "startedAt": _stamp(self.at), "finishedAt": None, "children": [],
            **more,
        }  # fmt: skip
        if parent:
            self.nodes[parent]["children"].append(node_id)
        return node_id

    def end(self, node_id: str, phase: str = "Succeeded", message: str = "") -> str:
        """Finish a node now."""
        self.nodes[node_id] |= {"phase": phase, "finishedAt": _stamp(self.at), "message": message}
        return node_id

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    def pod(self, name: str, seconds: float, *, boundary: str, parent: str, phase: str = "Succeeded", message: str = "",
            **more: Any) -> str:  # fmt: skip
        """Run a Pod to its end."""
        node = self.add(name, "Pod", boundary=boundary, parent=parent, **more)
        self.nodes[node]["outputs"] = {"exitCode": "0" if phase == "Succeeded" else "1"}
        self.wait(seconds)
        return self.end(node, phase, message)

    def retried(self, name: str, attempts: list[tuple[float, str, str]], *, boundary: str, parent: str) -> str:
        """Run a step with a retry strategy: (seconds, phase, message) per attempt; give the last attempt's id."""
        retry = self.add(name, "Retry", boundary=boundary, parent=parent)
        attempt = retry
        for number, (seconds, phase, message) in enumerate(attempts):
            if number:
                self.wait(2 * 2 ** (number - 1))
            attempt = self.pod(f"({number})", seconds, boundary=boundary, parent=retry, phase=phase, message=message)
        last = attempts[-1][1]
        self.end(retry, last, "" if last == "Succeeded" else "No more retries left")
        return attempt


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def daily(workflow: str, start: datetime, ds: str, *, flaky: bool = False, broken: bool = False) -> Nodes:
    """Record one run of `daily`: ingest (steps), transform (a DAG) and publish (steps with a fan-out)."""
    run = Recorder(workflow=workflow, at=start)
    root = run.add(workflow, "DAG", inputs={"parameters": [{"name": "ds", "value": ds}]})
    last, ok = _ingest(run, root, flaky=flaky)
    last, ok = _transform(run, root, last, broken=broken)
    if ok:
        _publish(run, root, last, ds)
    else:
        skipped = run.add("publish", "Skipped", boundary=root, parent=last)
        run.end(skipped, "Omitted", "omitted: depends condition not met")
    run.end(root, "Succeeded" if ok else "Failed")
    leave = run.pod(f"{workflow}.onExit", 1.2, boundary="", parent="", nodeFlag={"hooked": True})
    run.nodes[leave] |= {"displayName": f"{workflow}.onExit", "templateName": "record-outcome"}
    return run.nodes


def _steps(run: Recorder, name: str, parent: str, boundary: str) -> str:
    return run.add(name, "Steps", boundary=boundary, parent=parent, templateRef={"name": name, "template": "main"})


def _ingest(run: Recorder, root: str, *, flaky: bool) -> tuple[str, bool]:
    ingest = _steps(run, "ingest", root, root)
    attempts = [(9.0, "Succeeded", "")]
    if flaky:
        attempts = [(6.0, "Failed", "failure condition 'status.applicationState.state == FAILED' evaluated true"),
                    (5.0, "Failed", "failure condition 'status.applicationState.state == FAILED' evaluated true"),
                    (9.0, "Succeeded", "")]  # fmt: skip
    last = ingest
    for number, (name, tries) in enumerate(
        [("extract", attempts), ("validate", [(3.0, "Succeeded", "")]), ("write-partition", [(7.0, "Succeeded", "")])]
    ):
        group = run.add(f"[{number}]", "StepGroup", boundary=ingest, parent=last)
        last = run.retried(name, tries, boundary=ingest, parent=group)
        run.nodes[run.nodes[group]["children"][0]]["name"] = f"{run.nodes[group]['name']}.{name}"
        for place, child in enumerate(run.nodes[run.nodes[group]["children"][0]]["children"]):
            run.nodes[child]["name"] = f"{run.nodes[group]['name']}.{name}({place})"
        run.end(group)
    run.end(ingest)
    return last, True


def _transform(run: Recorder, root: str, after: str, *, broken: bool) -> tuple[str, bool]:
    transform = run.add("transform", "DAG", boundary=root, parent=after)
    curate = run.retried("curate-flights", [(11.0, "Succeeded", "")], boundary=transform, parent=transform)
    weather = run.pod("join-weather", 4.0, boundary=transform, parent=curate)
    if broken:
        message = "main: Error (exit code 1)"
        last = run.retried("dbt-build", [(8.0, "Failed", message)] * 3, boundary=transform, parent=weather)
        audit = run.add("audit", "Skipped", boundary=transform, parent=last)
        run.end(audit, "Omitted", "omitted: depends condition not met")
        run.end(transform, "Failed")
        return audit, False
    build = run.retried("dbt-build", [(14.0, "Succeeded", "")], boundary=transform, parent=weather)
    docs = run.pod("dbt-docs", 2.0, boundary=transform, parent=build)
    audit = run.pod("audit", 3.0, boundary=transform, parent=build)
    run.end(transform)
    assert docs
    return audit, True


def _publish(run: Recorder, root: str, after: str, ds: str) -> None:
    publish = _steps(run, "publish", after, root)
    read = run.add("[0]", "StepGroup", boundary=publish, parent=publish)
    pods = [
        run.pod(f"replace({number}:{mart})", 2.5, boundary=publish, parent=read,
                inputs={"parameters": [{"name": "mart", "value": mart}, {"name": "ds", "value": ds}]})
        for number, mart in enumerate(("carrier_daily", "route_daily"))
    ]  # fmt: skip
    run.end(read)
    notify = run.add("[1]", "StepGroup", boundary=publish, parent=pods[0])
    run.nodes[pods[1]]["children"].append(notify)
    last = run.pod("notify-webhook", 0.8, boundary=publish, parent=notify)
    run.nodes[last]["outputs"]["result"] = '{"delivered": true, "effect": false}'
    run.end(notify)
    run.end(publish)
