"""M09: dbt runs as a step, its tests gate, and a run builds its day only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from grader.checks.contents import diff_query, digest, files
from grader.checks.m02_content import EMPTY_HINTS
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import DAILY, Probe, Run, State
from grader.checks.registry import Registry
from grader.fingerprint.diff import untouched
from grader.oracle.tables import PARTITION, TABLES

M09 = Registry("M09")
ONLY = ("transform",)
_MARTS = tuple(table.name for table in TABLES if table.name.startswith("lake.marts."))


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
        results = _results(probe, run)
        models = [one["unique_id"] for one in results if one["unique_id"].startswith("model.")]
        models = models or _run_before(probe, run)
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
        )
    covered = {name for row in rows for name in row[2].split(", ")}
    bare = [name for name in _MARTS if name.rpartition(".")[2] not in covered]
    if bare:
        raise Failure(
            f"{bare[0]} has no test", evidence=Evidence(columns=columns, rows=rows, expected="a test of each mart")
        )
    return Passed(f"{len(rows)} tests gate {len(_MARTS)} marts", Evidence(columns=columns, rows=rows))


@M09.check("incremental", pipelines=ONLY, hints=(
    "Which rows of the mart does a run for one day have to compute?",
    "A model that is a table is built whole each time; an incremental one replaces what its query gives rows of.",
    "materialized: incremental, incremental_strategy: insert_overwrite, partition_by: [flight_date], a filter on ds.",
))  # fmt: skip
def incremental(probe: Probe) -> Passed:
    """A run rewrites the marts' partition of its day, and leaves the files of all others alone."""
    rows = []
    for run in _builds(probe):
        for name in _MARTS:
            before, now = run.before.get(name), run.after.get(name)
            if before is None or now is None or before.snapshot is None or now.snapshot is None:
                continue
            same = untouched(files(probe.lake, name, before), files(probe.lake, name, now))
            own = {f"{PARTITION}={day}" for day in run.days}
            rewritten = [one for one in before.partitions if one not in same and one not in own]
            rows.append((run.name, str(run.ds), name, len(before.partitions), len(rewritten)))
            if rewritten:
                raise Failure(
                    f"the run of {run.ds} rewrote {name} {rewritten[0]}, not its day: a rebuild, not an increment",
                    evidence=Evidence(
                        columns=("run", "day", "table", "partitions before", "others rewritten"), rows=rows[-1:],
                        partitions=[f"{name} {one}" for one in rewritten],
                        query=f"batchlab diff {name} --from {before.snapshot} --to {now.snapshot}",
                    ),
                )  # fmt: skip
    if not any(count > 1 for _, _, _, count, _ in rows):
        raise Failure(
            "no run met a mart with another day's partition, so nothing shows whether it would be left alone",
            hints=EMPTY_HINTS,
        )
    return Passed(
        f"{len(rows)} builds left the files of every other day as they were",
        Evidence(columns=("run", "day", "table", "partitions before", "others rewritten"), rows=rows[-10:]),
    )


@M09.check("blocks", points=2, needs=("second", "gate"), pipelines=ONLY, hints=(
    "What happens to the marts, and to the workflow, when a dbt test fails?",
    "The step's exit code must be dbt's, and nothing may become visible before the tests have passed.",
    "dbt build ends with 1 where a test fails; publish a staged branch after it; store_failures keeps rows.",
))  # fmt: skip
def blocks(probe: Probe) -> Passed:
    """When dbt's tests find wrong rows, the run fails, the marts stay as they were, and the failing rows are kept."""
    rows: list[tuple[str, str, int, str]] = []
    for run in probe.faults("gate"):
        spoiled = int(run.facts.get("spoiled", 0))
        rows.append((run.name, str(run.ds), spoiled, run.phase))
        if not spoiled:
            raise Failure(
                "curated rows and marts become visible in one step, so that nothing can be tested between them",
                evidence=Evidence(columns=_GATE, rows=rows, expected="a step of its own for dbt", found="none"),
            )
        if run.phase == "Succeeded":
            raise Failure(
                f"{spoiled} wrong rows in {_CURATED} did not stop the run of {run.ds}: it succeeded",
                evidence=Evidence(columns=_GATE, rows=rows, expected="Failed", found=run.phase,
                                  query=f"batchlab runs {run.name}"),
            )  # fmt: skip
        _marts_as_they_were(run)
        _failing_rows_kept(probe, run)
    return Passed("the run failed, the marts stayed as they were, the failing rows are kept", Evidence(
        columns=_GATE, rows=rows))  # fmt: skip


_CURATED = "lake.curated.flights"
_GATE = ("run", "day", "wrong rows", "phase")


def _marts_as_they_were(run: Run) -> None:
    for name in _MARTS:
        for part in sorted({*_parts(run.before, name), *_parts(run.after, name)}):
            before, now = digest(run.before, name, part), digest(run.after, name, part)
            if before != now:
                raise Failure(
                    f"the tests failed, and yet {name} {part} shows other rows than before",
                    evidence=Evidence(partitions=[f"{name} {part}"], expected=before.hash, found=now.hash,
                                      query=diff_query(name, run.before, run.after)),
                )  # fmt: skip


def _parts(state: State, name: str) -> Iterable[str]:
    return state[name].partitions if name in state else ()


def _failing_rows_kept(probe: Probe, run: Run) -> None:
    """A table beside the specification's holds what failed: dbt's own of the test, or one of the solution's."""
    results = _results(probe, run)
    failed = [one for one in results if one["unique_id"].startswith("test.") and one["status"] in {"fail", "error"}]
    if not failed:
        raise Failure(
            f"the run of {run.ds} failed, but no dbt test did: something else stopped it",
            evidence=Evidence(columns=("node", "status"), rows=[(one["unique_id"], one["status"]) for one in results],
                              expected="a failed test", found="none"),
        )  # fmt: skip
    written: Mapping[str, Mapping[str, Any]] = run.facts.get("kept") or {}
    if not any(one["rows"] and (_of_test(name, failed) or not _copy_of_mart(one)) for name, one in written.items()):
        raise Failure(
            f"{failed[0]['unique_id']} failed, and its rows are nowhere to be looked at",
            evidence=Evidence(
                columns=("other table written", "rows", "columns"),
                rows=[(name, one["rows"], ", ".join(one["columns"])) for name, one in sorted(written.items())],
                expected="a table with the failing rows", found="none",
            ),
        )  # fmt: skip


def _of_test(name: str, failed: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether dbt named a table for the rows of a failed test; it does so also where nothing makes the table."""
    named = (str(one.get("relation_name") or "").replace("`", "").replace('"', "") for one in failed)
    return any(one and f".{name}".endswith(f".{one}") for one in named)


def _copy_of_mart(written: Mapping[str, Any]) -> bool:
    """Tell whether a table is a mart again: where a day is staged, all its rows are there, whether they fail or not."""
    columns = set(written["columns"])
    return any(columns >= set(table.columns) for table in TABLES if table.name in _MARTS)


def _builds(probe: Probe) -> list[Run]:
    """Give the runs that build marts."""
    return [run for run in probe.runs() if run.pipeline in {DAILY, *ONLY}]


def _results(probe: Probe, run: Run) -> list[Mapping[str, Any]]:
    return list(_artifact(probe, run, "run_results.json")["results"])


def _run_before(probe: Probe, run: Run) -> list[str]:
    """Name the models that an earlier command ran: `dbt test` writes its results over those of `dbt run`."""
    folder = probe.dbt_artifacts(run)
    nodes: Mapping[str, Mapping[str, Any]] = _artifact(probe, run, "manifest.json")["nodes"]
    models = {name: node for name, node in nodes.items() if node.get("resource_type") == "model"}
    paths = {name: node.get("original_file_path") for name, node in models.items()}
    return [name for name, path in paths.items() if folder and path and list((folder / "run").glob(f"*/{path}"))]


def _artifact(probe: Probe, run: Run, name: str) -> Mapping[str, Any]:
    folder = probe.dbt_artifacts(run)
    path = folder / name if folder else None
    if path is None or not path.is_file():
        raise Failure(
            f"run {run.name} left no {name}: dbt did not run as one of its steps",
            evidence=Evidence(expected=name, found="nothing"),
            hints=(
                "Which step runs dbt, and where does it leave what dbt writes?",
                "dbt writes manifest.json and run_results.json to target/, which is looked for below the step folder.",
                "dbt build --target-path target, run in the step's working directory, which is kept after the step.",
            ),
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
