"""M09: dbt runs as a step, its tests gate, and a run builds its day only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.checks.contents import files
from grader.checks.dbt_artifacts import artifact, models_run_before, results_of
from grader.checks.m02_content import EMPTY_HINTS
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import DAILY, Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.diff import untouched
from grader.oracle.tables import PARTITION, TABLES

M09 = Registry("M09")
ONLY = ("transform",)
MARTS = tuple(table.name for table in TABLES if table.name.startswith("lake.marts."))


@M09.check("runs", points=2, pipelines=ONLY, hints=(
    "Which dbt command does the step run, and what does the step make of its outcome?",
    "dbt run builds models, dbt test tests them, dbt build does both and stops where a test fails.",
    "dbt build --project-dir … --vars '{ds: …}' as the step's last command, so that its exit code is the step's.",
))  # fmt: skip
def runs(probe: Probe) -> Passed:
    """Dbt ran as a step of every run, and its models and tests really ran."""
    rows = []
    for run in _builds(probe):
        if run.phase != "Succeeded":
            continue
        results = results_of(probe, run)
        models = [one["unique_id"] for one in results if one["unique_id"].startswith("model.")]
        models = models or models_run_before(probe, run)
        tests = [one for one in results if one["unique_id"].startswith("test.")]
        bad = [one for one in results if one["status"] not in {"success", "pass"}]
        rows.append((run.name, str(run.ds), len(models), len(tests), len(bad)))
        if not models or not tests:
            raise Failure(
                f"dbt in run {run.name} built {len(models)} models and ran {len(tests)} tests",
                evidence=Evidence(
                    columns=_COLUMNS, rows=rows, expected="models and tests", found=f"{len(tests)} tests"
                ),
            )
        if bad:
            raise Failure(
                f"{bad[0]['unique_id']} ended {bad[0]['status']} in run {run.name}, which nevertheless succeeded",
                evidence=Evidence(
                    columns=("node", "status", "message"),
                    rows=[(one["unique_id"], one["status"], one.get("message")) for one in bad],
                ),
            )
    if not rows:
        raise Failure(
            "no run succeeded, so no dbt result is there",
            hints=(
                "Which step did the runs fail of?",
                "dbt's results are read from runs that succeeded; M03-succeeds says why the others did not.",
                "batchlab runs lists the runs with their phases; the log of the first step that failed says why.",
            ),
        )
    return Passed(
        f"dbt ran in {len(rows)} runs: {rows[0][2]} models, {rows[0][3]} tests each",
        Evidence(columns=_COLUMNS, rows=rows),
    )


_COLUMNS = ("run", "day", "models", "tests", "not passed")


@M09.check("gates", depends=("M09-runs",), pipelines=ONLY, hints=(
    "What would a row that breaks a mart's key set off?",
    "A test of severity warn reports and lets pass; only one of severity error, dbt's default, ends the build.",
    "Under each mart in its .yml file: data_tests for the key's uniqueness and not_null, with severity: error.",
))  # fmt: skip
def gates(probe: Probe) -> Passed:
    """The tests gate: each fails the build, none only warns, and every mart's key is tested."""
    run = next(run for run in reversed(_builds(probe)) if run.phase == "Succeeded")
    manifest = artifact(probe, run, "manifest.json")
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
        )
    covered = {name for row in rows for name in row[2].split(", ")}
    bare = [name for name in MARTS if name.rpartition(".")[2] not in covered]
    if bare:
        raise Failure(
            f"{bare[0]} has no test", evidence=Evidence(columns=columns, rows=rows, expected="a test of each mart")
        )
    return Passed(f"{len(rows)} tests gate {len(MARTS)} marts", Evidence(columns=columns, rows=rows))


@M09.check("incremental", pipelines=ONLY, hints=(
    "Which rows of the mart does a run for one day have to compute?",
    "A model that is a table is built whole each time; an incremental one replaces what its query gives rows of.",
    "materialized: incremental, incremental_strategy: insert_overwrite, partition_by: [flight_date], a filter on ds.",
))  # fmt: skip
def incremental(probe: Probe) -> Passed:
    """A run rewrites the marts' partition of its day, and leaves the files of all others alone."""
    rows = []
    for run in _builds(probe):
        for name in MARTS:
            before, now = run.before.get(name), run.after.get(name)
            if before is None or now is None or before.snapshot is None or now.snapshot is None:
                continue
            same = untouched(files(probe.lake, name, before), files(probe.lake, name, now))
            own = {f"{PARTITION}={day}" for day in run.days}
            others = [one for one in before.partitions if one not in own]
            rewritten = [one for one in others if one not in same]
            rows.append((run.name, str(run.ds), name, len(others), len(rewritten)))
            if rewritten:
                raise Failure(
                    f"the run of {run.ds} rewrote {name} {rewritten[0]}, not its day: a rebuild, not an increment",
                    evidence=Evidence(
                        columns=("run", "day", "table", "other partitions", "rewritten"), rows=rows[-1:],
                        partitions=[f"{name} {one}" for one in rewritten],
                        query=f"batchlab diff {name} --from {before.snapshot} --to {now.snapshot}",
                    ),
                )  # fmt: skip
    if not any(others for _, _, _, others, _ in rows):
        raise Failure(
            "no run met a mart with another day's partition, so nothing shows whether it would be left alone",
            hints=EMPTY_HINTS,
        )
    return Passed(
        f"{len(rows)} builds left the files of every other day as they were",
        Evidence(columns=("run", "day", "table", "other partitions", "rewritten"), rows=rows[-10:]),
    )


def _builds(probe: Probe) -> list[Run]:
    """Give the runs that build marts."""
    return [run for run in probe.runs() if run.pipeline in {DAILY, *ONLY}]


def _tested(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    parents = (node.get("depends_on") or {}).get("nodes") or []
    return [
        manifest["nodes"][name].get("alias") or manifest["nodes"][name]["name"]
        for name in parents
        if name in manifest["nodes"]
    ]
