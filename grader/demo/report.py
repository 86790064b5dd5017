"""Everything that a demo found, as report.json has it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from grader.checks.contents import files
from grader.checks.course import Item, verdicts
from grader.checks.model import Result
from grader.checks.probe import Delivery, Probe, Run, TableState
from grader.fingerprint.diff import untouched
from grader.fingerprint.lake import Lake
from grader.oracle.tables import PARTITION, TABLES, TableSpec

PACKAGES = ("pyspark", "pyiceberg", "dbt-core", "dbt-spark", "duckdb", "openlineage-python", "batchlab")
TITLE = "Three pipelines over real flights, run twice"


def document(
    probe: Probe, results: Sequence[Result], course: Sequence[Item], timings: Mapping[str, float], seconds: float
) -> dict[str, Any]:
    """Build report.json.

    Args:
        probe: the evidence.
        results: the verdicts.
        course: the mastery items.
        timings: seconds by stage.
        seconds: from the start of the demo to now.
    """
    found: dict[str, Any] = {
        "version": 1,
        "title": TITLE,
        "generatedAt": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "days": [str(day) for day in probe.days],
        "summary": {**summary(results, course), "seconds": round(seconds, 1)},
        "items": verdicts(results, course),
        "runs": [_run(run) for run in probe.runs()],
        "lineage": probe.lineage().graph.as_json(),
        "partitions": heat(probe.lake, probe.runs()),
        "timings": [{"label": label, "seconds": spent} for label, spent in timings.items()],
        "versions": versions(),
        "sideEffects": side_effects([one for one in probe.deliveries() if one.recent]),
    }
    if found["summary"]["outcome"] == "pass":
        found["summary"]["lines"][:0] = story(found)
    return found


def story(report: Mapping[str, Any]) -> list[str]:
    """Say in plain words what a demo that passed has shown."""
    days, runs = report["days"], report["runs"]
    partitions = [one for one in report["partitions"] if one["partition"].partition("=")[2] in days]
    return [
        f"Three pipelines ran over {len(days)} days of real flights ({days[0]} to {days[-1]}), in {len(runs)} runs.",
        (
            f"Run again in another order, they left all {len(partitions)} partitions as they were, "
            "equal to an independent answer, row by row."
        ),
        "Late data changed the day that it was for, and nothing else.",
    ]


def summary(results: Sequence[Result], course: Sequence[Item]) -> dict[str, Any]:
    """Say the outcome in a few lines: failures first, each with its reason."""
    ran = [result for result in results if result.outcome != "waiting"]
    bad = [result for result in ran if result.outcome in {"fail", "error"}]
    blocked = sum(result.outcome == "blocked" for result in ran)
    lines = [f"{result.check.id}: {result.rationale}" for result in sorted(bad, key=urgency)]
    passed = sum(result.outcome == "pass" for result in ran)
    count = f"{passed} of {len(ran)} checks passed" + (f", {blocked} were blocked" if blocked else "")
    waiting = [
        item.id for item in course if item.needs_cluster and not any(one.check.item == item.id for one in results)
    ]
    if waiting:
        count += f"; {' and '.join(waiting)} wait for a cluster"
    return {"outcome": "fail" if bad or blocked else "pass", "lines": [*lines, count]}


def urgency(result: Result) -> tuple[bool, str]:
    """Order failures: duplicated keys say most about what is wrong."""
    return result.check.id != "M03-keys", result.check.id


def _run(run: Run) -> dict[str, Any]:
    found = {key: run.document.get(key) for key in ("phase", "message", "startedAt", "finishedAt", "nodes")}
    return {"name": run.name, "play": run.play, "ds": str(run.ds), **found}


def heat(lake: Lake, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Say what each run did to each partition of each table."""
    found = []
    for table in TABLES:
        names = sorted({part for run in runs for part in _partitions(run.after.get(table.name))})
        kept = [_same_files(lake, table, run) for run in runs]
        for name in names:
            cells = [_cell(run, table, name, same) for run, same in zip(runs, kept, strict=True)]
            found.append({"table": table.name, "partition": name, "cells": cells})
    return found


def _partitions(state: TableState | None) -> Mapping[str, Any]:
    return state.partitions if state else {}


def _cell(run: Run, table: TableSpec, name: str, same: frozenset[str] | None) -> dict[str, Any]:
    before, after = (_partitions(state.get(table.name)).get(name) for state in (run.before, run.after))
    if after is None:
        change = "absent" if before is None else "changed"
    elif before is None:
        change = "created"
    elif before != after:
        change = "changed"
    else:
        rewritten = name not in same if same is not None else _replaced(run, name)
        change = "rewritten-same" if rewritten else "untouched"
    now = run.after.get(table.name)
    return {
        "run": run.name,
        "change": change,
        "rows": after.rows if after else 0,
        "hash": after.hash if after else "",
        "snapshot": str(now.snapshot) if now and now.snapshot is not None else "",
    }


def _replaced(run: Run, name: str) -> bool:
    """Whether a run replaced a partition of PostgreSQL: it does so for its own day, if it gets that far."""
    return run.phase == "Succeeded" and name == f"{PARTITION}={run.ds}"


def _same_files(lake: Lake, table: TableSpec, run: Run) -> frozenset[str] | None:
    """Name the partitions whose very files a run left alone; None where there are no files."""
    before, after = run.before.get(table.name), run.after.get(table.name)
    if not table.in_lake:
        return None
    if before is None or after is None or before.snapshot is None or after.snapshot is None:
        return frozenset()
    if before.snapshot == after.snapshot:
        return frozenset(before.partitions)
    return untouched(files(lake, table.name, before), files(lake, table.name, after))


def side_effects(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Count calls and effects by idempotency key."""
    keys = dict.fromkeys(one.key for one in deliveries)
    return [
        {
            "key": key or "(none)",
            "deliveries": sum(one.key == key for one in deliveries),
            "effects": sum(one.key == key and one.effect for one in deliveries),
        }
        for key in keys
    ]


def versions() -> dict[str, str]:
    """Name what took part, with versions."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
