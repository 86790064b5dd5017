"""Grading a stranger's submission: in a box, by a function of the kit that never meets the code that it grades."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.autograde import capsule, kit, machine
from grader.autograde.box import HIDDEN, SUBMISSION, Contents, Outcome, run_in_box
from grader.autograde.inner import ARGUMENT
from grader.autograde.limits import Limits
from pipelines.local.errors import BadInput


class CouldNotRun(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Grading did not come to a verdict.

    Args:
        reason: why, in one sentence without a full stop.
        log: the end of what the grader printed.
    """

    def __init__(self, reason: str, log: str = "") -> None:
        self.reason = reason
        self.log = log
        super().__init__(reason)


def grade(
    submission: Path,
    items: Sequence[str],
    *,
    target: str,
    hidden: Path | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
    heard: Callable[[bytes], None] | None = None,
) -> dict[str, Any]:
    """Grade a submission as a stranger's, and return what the target returned.

    Args:
        submission: its folder; only a copy of it gets into the box.
        items: mastery items; none for all.
        target: `module:function` of the kit that does it inside the box. It gets one argument, `{"submission": path,
            "items": [...], "hidden": path or None, "seed": number or None}`, with paths inside the box, and returns
            what JSON can hold. It asks `grader.autograde.isolation()` how to run steps.
        hidden: folder with checks that steps never see.
        seed: draws the graded days, whatever the submission says.
        limits: what all of it may use.
        heard: gets what the target prints while it runs, in pieces.

    Raises:
        BadInput: this machine cannot keep a stranger's code apart, or the submission cannot be used.
        CouldNotRun: there is no verdict: out of time or memory, or something broke.
    """
    allowed = limits or Limits()
    for folder, name in ((submission, "submission"), (hidden, "hidden checks")):
        if folder is not None:
            _require_plain(folder, name, allowed.submission)
    machine.require()
    kit.complete()
    argument = {"submission": SUBMISSION, "items": list(items), "hidden": HIDDEN if hidden else None, "seed": seed}
    plan = {"target": target, "argument": argument, "step": asdict(allowed.step), "tables": allowed.tables}
    contents = Contents(
        show=kit.shown(), env=kit.environment(), texts={ARGUMENT: json.dumps(plan)},
        copy={SUBMISSION: submission.resolve(), **({HIDDEN: hidden.resolve()} if hidden else {})},
    )  # fmt: skip
    argv = [sys.executable, "-I", "-m", "grader.autograde.inner"]
    return _verdict(run_in_box(argv, contents=contents, limits=allowed, heard=heard))


def _require_plain(folder: Path, name: str, budget: int) -> None:
    if not folder.is_dir():
        raise BadInput("there is no such folder", where=str(folder))
    try:
        for _ in capsule.entries(str(folder), budget):
            pass
    except capsule.NotPlainError as error:
        raise BadInput(f"the {name} cannot be used: {error}", where=str(folder)) from error


def _verdict(outcome: Outcome) -> dict[str, Any]:
    if outcome.refused:
        raise CouldNotRun(f"the box was not built: {outcome.why}", outcome.log)
    if outcome.why:
        raise CouldNotRun(outcome.why, outcome.log)
    try:
        said = json.loads(outcome.result)
    except ValueError:
        raise CouldNotRun(f"the grader ended without a verdict (exit code {outcome.code})", outcome.log) from None
    if "refused" in said:
        raise BadInput(said["refused"])
    if "error" in said:
        raise CouldNotRun(f"the grader failed: {said['error']}", outcome.log)
    found: dict[str, Any] = said["value"]
    return found
