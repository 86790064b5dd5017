"""A verdict as the page shows it: the items, and the runs, lineage and partitions that they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.demo.report import heat, side_effects, versions
from grader.grading.grade import Graded

TITLE = "What the grader found"


def report_of(graded: Graded) -> dict[str, Any]:
    """Build what `grader.report.render` takes."""
    probe, document = graded.probe, graded.document
    runs = list(probe.runs())
    return {
        "version": 1,
        "title": TITLE,
        "generatedAt": document["gradedAt"],
        "days": [str(day) for day in probe.days],
        "summary": {"outcome": "pass" if graded.passed else "fail", "lines": _lines(document)},
        "items": document["items"],
        "runs": [_run(run.name, run.play, str(run.ds), run.document) for run in runs],
        "lineage": probe.lineage().graph.as_json() if runs else {"datasets": [], "edges": []},
        "partitions": heat(probe.lake, runs) if runs else [],
        "timings": [],
        "versions": versions(),
        "sideEffects": side_effects(probe.deliveries()) if runs else [],
    }


def _lines(document: Mapping[str, Any]) -> list[str]:
    checks = [check for item in document["items"].values() for check in item["checks"]]
    bad = [f"{check['id']}: {check['rationale']}" for check in checks if check["outcome"] in {"fail", "error"}]
    passed = sum(check["outcome"] == "pass" for check in checks)
    points = f"{document['score']:g} of {document['max_score']} points, {passed} of {len(checks)} checks passed"
    return [*bad, points, document["mode"]]


def _run(name: str, play: str, ds: str, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "play": play, "ds": ds,
        **{key: document.get(key) for key in ("phase", "message", "startedAt", "finishedAt", "nodes")},
    }  # fmt: skip
