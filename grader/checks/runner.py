"""Run checks in the order of their dependencies; whatever happens, every check gets a verdict."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence

from grader.checks.model import Check, Evidence, Failure, Outcome, Result
from grader.checks.probe import Probe

WAITING = {"cluster": "it needs a cluster, and this is the local target"}


def run(checks: Sequence[Check], probe: Probe, progress: Callable[[Result], None] = lambda _: None) -> list[Result]:
    """Run checks and give their verdicts in the order of declaration.

    A check whose dependency did not pass is blocked, not run. One that breaks in itself is an error, never a fail.

    Args:
        checks: with unique ids; dependencies on checks that are not among them count as passed.
        probe: gives the evidence.
        progress: called with each verdict.
    """
    results: dict[str, Result] = {}
    for check in ordered(checks):
        results[check.id] = _one(check, probe, results)
        progress(results[check.id])
    return [results[check.id] for check in checks]


def ordered(checks: Sequence[Check]) -> list[Check]:
    """Sort so that dependencies come first, and otherwise keep the order.

    Raises:
        ValueError: checks depend on each other in a circle.
    """
    by_id = {check.id: check for check in checks}
    done: dict[str, Check] = {}

    def visit(check: Check, path: tuple[str, ...]) -> None:
        if check.id in path:
            raise ValueError(f"checks depend on each other: {' → '.join((*path, check.id))}")
        if check.id not in done:
            for name in check.depends:
                if name in by_id:
                    visit(by_id[name], (*path, check.id))
            done[check.id] = check

    for check in checks:
        visit(check, ())
    return list(done.values())


def _one(check: Check, probe: Probe, results: dict[str, Result]) -> Result:
    lacking = [need for need in check.needs if not probe.has(need)]
    if lacking:
        why = "; ".join(WAITING.get(need, f"it needs {need}") for need in lacking)
        return Result(check=check, outcome="waiting", rationale=why)
    blockers = [name for name in check.depends if name in results and results[name].outcome != "pass"]
    if blockers:
        return Result(check=check, outcome="blocked", rationale=f"{', '.join(blockers)} did not pass")
    begun = time.monotonic()
    outcome: Outcome
    hints: tuple[str, ...] = ()
    try:
        passed = check.function(probe)
        outcome, rationale, evidence = "pass", passed.rationale, passed.evidence
    except Failure as failure:
        outcome, rationale, evidence = "fail", failure.rationale, failure.evidence
        hints = failure.hints or check.hints
    except Exception as error:  # noqa: BLE001 - a broken check must not take the others with it
        outcome, rationale = "error", f"the check could not run: {type(error).__name__}: {error}"
        evidence = Evidence(found="" if check.hidden else "".join(traceback.format_exception(error)[-3:]))
    return Result(
        check=check, outcome=outcome, rationale=rationale, evidence=evidence, hints=hints,
        seconds=time.monotonic() - begun,
    )  # fmt: skip
