"""M09, when rows are wrong: dbt's tests stop the run, the marts stay, what failed is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grader.checks.contents import diff_query, digest
from grader.checks.dbt_artifacts import results_of
from grader.checks.m09_dbt import MARTS, ONLY
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run, State
from grader.checks.registry import Registry
from grader.oracle.tables import TABLES

M09 = Registry("M09")


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
    for name in MARTS:
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
    results = results_of(probe, run)
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
    return any(columns >= set(table.columns) for table in TABLES if table.name in MARTS)
