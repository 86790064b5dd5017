"""A report of extremes: long names, other scripts, a year of days, a thousand steps, hostile texts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

LONG = "a-name-that-goes-on-and-on-without-any-end-in-sight-" * 6
EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
SCRIPTS = "Größe 東京フライト рейсы 🛫✈️ \u202ereversed"


def stress_sample() -> dict[str, Any]:
    """Give the report; nothing in it is what one would expect, and nothing of it may break the page."""
    days = [(date(2013, 1, 1) + timedelta(days=number)).isoformat() for number in range(365)]
    runs = [_run(number, days[number * 30]) for number in range(5)]
    return {
        "title": f"{SCRIPTS} {LONG}", "generatedAt": "yesterday", "days": days,
        "summary": {"outcome": "fail", "lines": [LONG, SCRIPTS, EVIL, ""]},
        "items": {
            "M03": {"title": LONG, "outcome": "fail", "points": 0, "max_points": 10, "checks": [
                {"id": LONG, "title": SCRIPTS, "outcome": "fail", "rationale": LONG * 3, "hint": [LONG, EVIL],
                 "evidence": {"columns": [f"{LONG}{number}" for number in range(12)],
                              "rows": [[LONG, SCRIPTS, EVIL, None, *range(8)] for _ in range(70)],
                              "query": f"select {LONG * 3}\nfrom {EVIL}", "expected": LONG, "found": SCRIPTS,
                              "partitions": [f"flight_date={day}" for day in days], LONG: {"deep": [LONG]}}},
                {"title": "without anything"},
            ]},
            EVIL: {"title": EVIL, "outcome": "of another kind", "checks": []},
        },
        "runs": runs,
        "lineage": {
            "datasets": [{"id": f"{LONG}{number}", "kind": EVIL, "label": f"{SCRIPTS}{number}"} for number in range(3)],
            "edges": [{"from": f"s{number % 7}", "to": f"{LONG}{number % 3}", "job": f"{LONG}.{number}",
                       "columns": [{"from": f"c{column}", "to": LONG} for column in range(70)]}
                      for number in range(40)],
        },
        "partitions": [
            {"table": table, "partition": f"flight_date={day}", "cells": [
                {"run": run["name"], "rows": 10**number, "hash": LONG, "snapshot": 2**63,
                 "change": ("untouched", "changed", "rewritten-same", "created")[(number + place) % 4]}
                for number, run in enumerate(runs)]}
            for table in (LONG, "lake.t") for place, day in enumerate(days)
        ],
        "timings": [{"label": LONG, "seconds": 1e6}, {"label": SCRIPTS, "seconds": 0}],
        "versions": {LONG: LONG, SCRIPTS: SCRIPTS},
        "sideEffects": [{"key": LONG, "deliveries": 3, "effects": 2}, {"key": EVIL, "deliveries": [1], "effects": "?"}],
    }  # fmt: skip


def _run(number: int, ds: str) -> dict[str, Any]:
    root = {"id": "w", "name": "w", "displayName": LONG, "type": "DAG", "phase": "Failed", "message": LONG * 4,
            "startedAt": "2026-11-22T09:00:00Z", "finishedAt": "2026-11-22T10:00:00Z", "children": ["g"]}  # fmt: skip
    group = {"id": "g", "name": "w.t", "displayName": SCRIPTS, "type": "TaskGroup", "phase": "Failed",
             "boundaryID": "w", "children": [f"i{item}" for item in range(1000)]}  # fmt: skip
    nodes: dict[str, Any] = {"w": root, "g": group}
    for item in range(1000 if number == 0 else 9):
        nodes[f"i{item}"] = {
            "id": f"i{item}", "name": f"w.t({item}:{LONG})", "displayName": (LONG, SCRIPTS, EVIL)[item % 3],
            "type": "Pod", "phase": "Error" if item == 7 else "Succeeded", "boundaryID": "w", "message": EVIL,
            "inputs": {"parameters": [{"name": LONG, "value": {"a": [LONG]}}]}, "outputs": {"result": "x" * 9000},
        }  # fmt: skip
    return {"name": f"{LONG}{number}", "play": ("first", "second", LONG)[number % 3], "ds": ds, "phase": "Failed",
            "startedAt": "2026-11-22T09:00:00Z", "finishedAt": "2026-11-22T10:00:00Z", "nodes": nodes}  # fmt: skip
