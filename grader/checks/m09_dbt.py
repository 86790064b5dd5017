"""M09: dbt runs as a step, its tests gate, and a run builds its day only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.diff import untouched
from grader.oracle.tables import PARTITION, TABLES

M09 = Registry("M09")
_MARTS = tuple(table.name for table in TABLES if table.name.startswith("lake.marts."))


@M09.check("runs", points=2)
def runs(probe: Probe) -> Passed:
    """Dbt ran as a step of every run, and its models and tests really ran."""
    rows = []
    for run in probe.runs():
        if run.phase != "Succeeded":
            continue
        results = _results(probe, run)
        models = [one for one in results if one["unique_id"].startswith("model.")]
        tests = [one for one in results if one["unique_id"].startswith("test.")]
        bad = [one for one in results if one["status"] not in {"success", "pass"}]
        rows.append((run.name, str(run.ds), len(models), len(tests), len(bad)))
        if not models or not tests:
            raise Failure(
                f"dbt in run {run.name} built {len(models)} models and ran {len(tests)} tests",
                evidence=Evidence(
                    columns=_COLUMNS, rows=rows, expected="models and tests", found=f"{len(tests)} tests"
                ),
                hints=(
                    "dbt run builds models, dbt test tests them, dbt build does both and stops where a test fails.",
                ),
            )
        if bad:
            raise Failure(
                f"{bad[0]['unique_id']} ended {bad[0]['status']} in run {run.name}, which nevertheless succeeded",
                evidence=Evidence(
                    columns=("node", "status", "message"),
                    rows=[(one["unique_id"], one["status"], one.get("message")) for one in bad],
                ),
                hints=("The step's exit code must be dbt's.",),
            )
    if not rows:
        raise Failure("no run succeeded, so no dbt result is there")
    return Passed(
        f"dbt ran in {len(rows)} runs: {rows[0][2]} models, {rows[0][3]} tests each",
        Evidence(columns=_COLUMNS, rows=rows),
    )


_COLUMNS = ("run", "day", "models", "tests", "not passed")


@M09.check("gates", depends=("M09-runs",))
def gates(probe: Probe) -> Passed:
    """The tests gate: each fails the build, none only warns, and every mart's key is tested."""
    run = next(run for run in reversed(probe.runs()) if run.phase == "Succeeded")
    manifest = _artifact(probe, run, "manifest.json")
    tests = [node for node in manifest["nodes"].values() if node.get("resource_type") == "test"]
    rows = [
        (
            node["name"],
            str((node.get("config") or {}).get("severity", "ERROR")).upper(),
            ", ".join(_tested(node, manifest)),
        )
        for node in tests
    ]
    weak = [row for row in rows if row[1] != "ERROR"]
    columns = ("test", "severity", "of")
    if weak:
        raise Failure(
            f"test {weak[0][0]} only warns: it lets wrong data through",
            evidence=Evidence(columns=columns, rows=weak, expected="ERROR", found=weak[0][1]),
            hints=("severity: error is dbt's default.",),
        )
    covered = {name for row in rows for name in row[2].split(", ")}
    bare = [name for name in _MARTS if name.rpartition(".")[2] not in covered]
    if bare:
        raise Failure(
            f"{bare[0]} has no test", evidence=Evidence(columns=columns, rows=rows, expected="a test of each mart")
        )
    return Passed(f"{len(rows)} tests gate {len(_MARTS)} marts", Evidence(columns=columns, rows=rows))


@M09.check("incremental")
def incremental(probe: Probe) -> Passed:
    """A run rewrites the marts' partition of its day, and leaves the files of all others alone."""
    rows = []
    for run in probe.runs():
        for name in _MARTS:
            before, now = run.before.get(name), run.after.get(name)
            if before is None or now is None or before.snapshot is None or now.snapshot is None:
                continue
            same = untouched(probe.lake.files(name, before.snapshot), probe.lake.files(name, now.snapshot))
            rewritten = [one for one in before.partitions if one not in same and one != f"{PARTITION}={run.ds}"]
            rows.append((run.name, str(run.ds), name, len(before.partitions), len(rewritten)))
            if rewritten:
                raise Failure(
                    f"the run of {run.ds} rewrote {name} {rewritten[0]}, not its day: a rebuild, not an increment",
                    evidence=Evidence(
                        columns=("run", "day", "table", "partitions before", "others rewritten"), rows=rows[-1:],
                        partitions=[f"{name} {one}" for one in rewritten],
                        query=f"batchlab diff {name} --from {before.snapshot} --to {now.snapshot}",
                    ),
                    hints=("materialized: incremental, incremental_strategy: insert_overwrite, a filter on the day.",),
                )  # fmt: skip
    if not any(count > 1 for _, _, _, count, _ in rows):
        raise Failure("no run met a mart with another day's partition, so nothing shows whether it would be left alone")
    return Passed(
        f"{len(rows)} builds left the files of every other day as they were",
        Evidence(columns=("run", "day", "table", "partitions before", "others rewritten"), rows=rows[-10:]),
    )


def _results(probe: Probe, run: Run) -> list[Mapping[str, Any]]:
    return list(_artifact(probe, run, "run_results.json")["results"])


def _artifact(probe: Probe, run: Run, name: str) -> Mapping[str, Any]:
    folder = probe.dbt_artifacts(run)
    path = folder / name if folder else None
    if path is None or not path.is_file():
        raise Failure(
            f"run {run.name} left no {name}: dbt did not run as one of its steps",
            evidence=Evidence(expected=name, found="nothing"),
            hints=("dbt writes its artifacts to target/; the step must keep them.",),
        )
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _tested(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    parents = (node.get("depends_on") or {}).get("nodes") or []
    return [
        manifest["nodes"][name].get("alias") or manifest["nodes"][name]["name"]
        for name in parents
        if name in manifest["nodes"]
    ]
