"""A realistic report: three days of `daily`, two plays and a replay after a late batch; and one that fails."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from grader.report.tests.argo import daily
from grader.report.tests.verdicts import failing_items, passing_items

DAYS = ("2013-03-09", "2013-03-10", "2013-03-11")
LATE = "2013-03-10"
TABLES = {
    "lake.raw.flights": 899, "lake.raw.weather": 72, "lake.curated.flights": 899, "lake.marts.carrier_daily": 15,
    "lake.marts.route_daily": 188, "reporting.carrier_daily": 15, "reporting.route_daily": 188,
}  # fmt: skip


def sample() -> dict[str, Any]:
    """Give the report of a demo that went well."""
    return _report(failing=False)


def failing_sample() -> dict[str, Any]:
    """Give the report of a demo whose second play appends instead of replacing, and whose last run fails."""
    return _report(failing=True)


def _report(*, failing: bool) -> dict[str, Any]:
    runs = _runs(failing=failing)
    lines = [
        "Three pipelines (ingest, transform, publish) ran 3 days of real flights: Spark, Iceberg, dbt, PostgreSQL.",
        "A second play of the same days left every partition with the same content: running twice is safe.",
        "A late batch for 2013-03-10 changed that day and no other.",
        "Every table agrees with an answer computed independently from the source.",
    ]
    if failing:
        lines = ["The second play wrote the flights of 2013-03-10 a second time: 1,798 rows where 899 belong.",
                 "The replay failed in transform: dbt's tests found the duplicates and stopped it."]  # fmt: skip
    return {
        "version": 1,
        "title": "Three pipelines over real flights, run twice",
        "generatedAt": "2026-11-22T09:12:44Z",
        "days": list(DAYS),
        "summary": {"outcome": "fail" if failing else "pass", "lines": lines},
        "items": failing_items() if failing else passing_items(),
        "runs": runs,
        "lineage": lineage(),
        "partitions": _partitions(runs, failing=failing),
        "timings": [
            {"label": label, "seconds": seconds}
            for label, seconds in (("Platform start", 4.1), ("Load 336,776 flights", 11.8), ("First play", 188.4),
                                   ("Second play", 171.0), ("Late batch and replay", 61.7), ("Checks", 38.2))
        ],
        "versions": {"Python": "3.11.7", "Java": "17.0.9", "Spark": "4.1.4", "Iceberg": "1.12.0", "dbt": "1.11.2",
                     "PostgreSQL": "18.1", "OpenLineage": "1.53.0", "batchlab": "0.1.0"},
        "sideEffects": [
            {"key": f"publish/{ds}/{digest}", "deliveries": deliveries, "effects": 1}
            for ds, digest, deliveries in ((DAYS[0], "5f1c9ab2", 2), (DAYS[1], "b07d44e9", 2), (DAYS[2], "c3aa1057", 2),
                                           (DAYS[1], "91ee02d4", 1))
        ],
    }  # fmt: skip


def _runs(*, failing: bool) -> list[dict[str, Any]]:
    at = datetime(2026, 11, 22, 9, 0, 20, tzinfo=timezone.utc)
    plan = [("first", ds) for ds in DAYS] + [("second", ds) for ds in DAYS] + [("replay", LATE)]
    runs = []
    for number, (play, ds) in enumerate(plan):
        name = f"daily-{1362900600 + 86400 * number}"
        broken = failing and play == "replay"
        nodes = daily(name, at, ds, flaky=number == 1, broken=broken)
        end = max(node["finishedAt"] for node in nodes.values())
        runs.append({"name": name, "play": play, "ds": ds, "phase": nodes[name]["phase"],
                     "startedAt": nodes[name]["startedAt"], "finishedAt": end, "nodes": nodes})  # fmt: skip
        at = datetime.fromisoformat(end) + timedelta(seconds=4)
    return runs


def _partitions(runs: list[dict[str, Any]], *, failing: bool) -> list[dict[str, Any]]:
    found = []
    for spot, (table, rows) in enumerate(TABLES.items()):
        for place, ds in enumerate(DAYS):
            cells = []
            for number, run in enumerate(runs):
                change, amount = _change(run, ds, number, late=table != "lake.raw.weather"), rows + 7 * place
                if run["play"] == "replay" and change == "changed":
                    amount += 12 if "flights" in table else 1
                if failing and number >= 4 and ds == LATE and table == "lake.raw.flights":
                    change, amount = ("changed", 2 * amount) if number == 4 else ("untouched", 2 * amount)
                cell = {"run": run["name"], "change": change, "rows": amount if change != "absent" else None}
                if change not in {"absent", "untouched"}:
                    cell |= {"hash": f"{spot}{place}{change[0]}9e3779b97f4a7c15", "snapshot": 4511 + 31 * number + spot}
                cells.append(cell)
            found.append({"table": table, "partition": f"flight_date={ds}", "cells": cells})
    return found


def _change(run: dict[str, Any], ds: str, number: int, *, late: bool) -> str:
    if number < 3:
        return "created" if run["ds"] == ds else "untouched" if ds < run["ds"] else "absent"
    if run["ds"] != ds:
        return "untouched"
    return "changed" if run["play"] == "replay" and late else "rewritten-same"


def lineage() -> dict[str, Any]:
    """Give the lineage of the reference pipelines."""
    kinds = {"ops": "source", "lake.raw": "table", "lake.curated": "table", "lake.marts": "mart",
             "reporting": "published"}  # fmt: skip
    mart_names = ("carrier_daily", "route_daily")
    names = ["ops.flights", "ops.weather", "ops.airlines", "ops.airports", "ops.planes", *TABLES]
    jobs = [
        ("ops.flights", "lake.raw.flights", "ingest.extract", "ingest", "extract", ["year", "dep_time", "tailnum"]),
        ("ops.weather", "lake.raw.weather", "ingest.extract", "ingest", "extract", ["temp", "wind_speed"]),
        *((source, "lake.curated.flights", "transform.curate-flights", "transform", "curate-flights", columns)
          for source, columns in (("lake.raw.flights", ["tailnum", "dep_delay"]), ("lake.raw.weather", ["wind_speed"]),
                                  ("ops.airlines", ["name"]), ("ops.airports", ["tz"]), ("ops.planes", ["model"]))),
        *(("lake.curated.flights", f"lake.marts.{mart}", "transform.dbt-build", "transform", "dbt-build", ["dep_delay"])
          for mart in mart_names),
        *((f"lake.marts.{mart}", f"reporting.{mart}", "publish.replace", "publish", "replace", ["flights", "delay"])
          for mart in mart_names),
    ]  # fmt: skip
    return {
        "datasets": [
            {"id": name, "kind": kinds[name.rpartition(".")[0]], "label": name} for name in names
        ],
        "edges": [
            {"from": start, "to": end, "job": job, "workflow": workflow, "node": node,
             "columns": [{"from": column, "to": column} for column in columns]}
            for start, end, job, workflow, node, columns in jobs
        ],
    }  # fmt: skip
