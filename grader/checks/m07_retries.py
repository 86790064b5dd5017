"""M07: a failed step is retried, later each time, and not for ever."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from grader.checks.blame import blame
from grader.checks.contents import diff_query, digest
from grader.checks.duplicates import FAILED
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Attempt, Probe
from grader.checks.registry import Registry

M07 = Registry("M07")
TOLERANCE = 1.0
"""Seconds by which a wait may differ from the policy: phases are recorded in whole seconds."""
_LEAVES = ("container", "script", "resource", "containerSet", "http")
_TRIES = 20
_ATTEMPT = re.compile(r"\(\d+\)$")
"""What Argo adds to a step's name for each attempt; `(0:2013-03-09)`, which it adds for an item, is another step."""
_HINTS = (
    "When does a step that failed get its next try, and when its last?",
    "retryStrategy belongs to the step's template. backoff multiplies the first wait by factor, if there is a limit.",
    'retryStrategy: {limit: "3", backoff: {duration: "10s", factor: "2", cap: "2m"}}',
)


def strategies(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Find the retry strategy of each step of a WorkflowTemplate: its own, the defaults', or the workflow's."""
    spec = document.get("spec") or {}
    default = (spec.get("templateDefaults") or {}).get("retryStrategy") or spec.get("retryStrategy") or {}
    for template in spec.get("templates") or []:
        if any(kind in template for kind in _LEAVES):
            yield template["name"], template.get("retryStrategy") or default


@M07.check("attempts", points=2, needs=(), hints=_HINTS)
def attempts(probe: Probe) -> Passed:
    """A step that keeps failing is tried again a limited number of times, with waits that grow exponentially."""
    seen: dict[str, tuple[str, Sequence[Attempt]]] = {}
    retried: dict[str, int] = {}
    for document in probe.templates():
        name = document["metadata"]["name"]
        for template, strategy in strategies(document):
            if not strategy:
                continue
            text = json.dumps(strategy, sort_keys=True)
            if text not in seen:
                seen[text] = (f"{name}/{template}", probe.attempts(strategy, 1))
                _judge(*seen[text])
            retried[name] = retried.get(name, 0) + 1
    lacking = [
        doc["metadata"]["name"] for doc in probe.templates() if _steps(doc) and doc["metadata"]["name"] not in retried
    ]
    if lacking or not seen:
        raise Failure(
            f"no step of {lacking[0] if lacking else 'any workflow'} is retried",
            evidence=Evidence(columns=("workflow", "steps retried"), rows=[(name, 0) for name in lacking]),
        )
    rows = [
        (where, number + 1, round(one.started, 1), round(wait, 1), one.phase)
        for where, tries in seen.values()
        for number, (one, wait) in enumerate(zip(tries, [0.0, *waits(tries)], strict=True))
    ]
    return Passed(
        f"{sum(retried.values())} steps of {len(retried)} workflows are retried, with growing waits",
        Evidence(columns=("step", "attempt", "starts at (s)", "after a wait of (s)", "phase"), rows=rows),
    )


def waits(tries: Sequence[Attempt]) -> list[float]:
    """Seconds between the end of an attempt and the start of the next."""
    return [later.started - earlier.finished for earlier, later in pairwise(tries)]


def _steps(document: Mapping[str, Any]) -> list[str]:
    return [template for template, _ in strategies(document)]


def _judge(where: str, tries: Sequence[Attempt]) -> None:
    """Judge the attempts of one policy, by what happened, not by what its text says."""
    waited = waits(tries)
    evidence = Evidence(
        columns=("attempt", "starts at (s)", "ends at (s)", "phase"),
        rows=[
            (number + 1, round(one.started, 1), round(one.finished, 1), one.phase) for number, one in enumerate(tries)
        ],
    )
    if len(tries) < 2:
        raise Failure(f"{where}: a step that fails is not tried again", evidence=evidence)
    if len(tries) > _TRIES:
        raise Failure(f"{where}: a step that fails is tried again without end", evidence=evidence)
    grows = all(later >= earlier - TOLERANCE for earlier, later in pairwise(waited))
    if waited[0] < TOLERANCE or not grows or (len(waited) > 1 and waited[1] < 1.5 * waited[0]):
        text = ", ".join(f"{wait:g} s" for wait in waited)
        raise Failure(f"{where}: the waits between attempts do not grow exponentially: {text}", evidence=evidence)
    if len(waited) == 1:
        raise Failure(f"{where}: a single retry cannot show that waits grow: allow at least two", evidence=evidence)
    if max(waited) > LONGEST:
        raise Failure(
            f"{where}: a wait of {max(waited):g} s lets nobody know for long that something is wrong; cap it",
            evidence=evidence, hints=_CAP_HINTS,
        )  # fmt: skip


LONGEST = 1800.0
"""Seconds: a wait longer than half an hour is no retry, it is another run."""
_CAP_HINTS = (
    "How long is the last wait, and how long do all of them take together?",
    "factor multiplies without end; cap is the longest wait, maxDuration ends it all.",
    'backoff: {duration: "10s", factor: "2", cap: "2m"}',
)


@M07.check("final", needs=("second", "parameter"), hints=(
    "Will the same input give another result the next time?",
    "A retry mends what is transient: a lost pod, a database that restarts. It does not mend a parameter.",
    "Give such failures an exit code of their own, and: expression: '!(lastRetry.exitCode in [`2`])'",
))  # fmt: skip
def final(probe: Probe) -> Passed:
    """A failure that no retry can mend, such as a parameter that is no date, is not retried."""
    rows = []
    for run in probe.faults("parameter"):
        tries = [node for node in run.nodes if node.get("type") == "Pod" and node.get("phase") in FAILED]
        steps = Counter(_ATTEMPT.sub("", str(node.get("name", ""))) for node in tries)
        rows.append((run.pipeline, run.facts.get("ds", ""), run.phase, max(steps.values(), default=0)))
        if run.phase == "Succeeded":
            raise Failure(
                f"{run.pipeline} succeeded for {rows[-1][1]}, which is no date",
                evidence=Evidence(columns=_FINAL, rows=rows, expected="Failed", found=run.phase),
            )
    wrong = [row for row in rows if row[3] > 1]
    if wrong:
        raise Failure(
            f"a step of {wrong[0][0]} was tried {wrong[0][3]} times for {wrong[0][1]}, which is no date",
            evidence=Evidence(columns=_FINAL, rows=wrong, expected="1 attempt", found=f"{wrong[0][3]} attempts"),
        )
    return Passed(f"{len(rows)} pipelines fail at once for a day that is no date", Evidence(columns=_FINAL, rows=rows))


_FINAL = ("pipeline", "ds", "phase", "attempts")


@M07.check("transient", needs=("second", "flaky"), pipelines=("publish",), hints=(
    "The webhook answered 503 once. What did the workflow make of it?",
    "A step that talks to another system needs a retryStrategy, and must fail when the other system does.",
    "Raise on an HTTP status of 400 or more, and let Argo retry: limit, backoff.",
))  # fmt: skip
def transient(probe: Probe) -> Passed:
    """A failure that passes, such as a webhook that answers 503 once, is mended by a retry."""
    rows = []
    for run in probe.faults("flaky"):
        calls = int(run.facts.get("calls", 0))
        rows.append((run.pipeline, str(run.ds), calls, run.phase))
        if run.phase != "Succeeded":
            raise Failure(
                f"{run.pipeline} of {run.ds} ended {run.phase}: {blame(probe, run)}",
                evidence=Evidence(columns=_FLAKY, rows=rows, expected="Succeeded at the second attempt",
                                  found=run.phase),
            )  # fmt: skip
        if calls < 2:
            raise Failure(
                f"the webhook answered 503 to {run.pipeline} of {run.ds}, which went on as if it had been told",
                evidence=Evidence(columns=_FLAKY, rows=rows, expected="at least 2 calls", found=f"{calls} call"),
            )
    return Passed("the call was repeated, and the run succeeded", Evidence(columns=_FLAKY, rows=rows))


_FLAKY = ("pipeline", "day", "calls", "phase")


@M07.check("reports", needs=("second", "bad"), pipelines=("ingest",), hints=(
    "The source held rows that no flight can have. Which step should have noticed?",
    "A failure that is caught, or a command that ends with `|| true`, is a success for everyone after it.",
    "Let the step end with another exit code than 0; publish only what the expectations let pass.",
))  # fmt: skip
def reports(probe: Probe) -> Passed:
    """A step that fails makes its run fail, and nothing of it becomes visible."""
    rows = []
    for run in probe.faults("bad"):
        changed = [
            (name, part)
            for name in sorted({*run.before, *run.after})
            for part in sorted(
                {part for state in (run.before, run.after) if name in state for part in state[name].partitions}
            )
            if digest(run.before, name, part) != digest(run.after, name, part)
        ]
        rows.append((run.pipeline, str(run.ds), run.phase, len(changed)))
        if run.phase == "Succeeded":
            raise Failure(
                f"the source of {run.ds} held flights of an unknown airline and a delay of 99999 minutes; "
                f"{run.pipeline} succeeded",
                evidence=Evidence(columns=_BAD, rows=rows, expected="Failed", found=run.phase),
            )
        if changed:
            name, part = changed[0]
            raise Failure(
                f"{run.pipeline} of {run.ds} failed, and yet {name} {part} changed",
                evidence=Evidence(columns=_BAD, rows=rows, partitions=[f"{a} {b}" for a, b in changed],
                                  query=diff_query(name, run.before, run.after)),
            )  # fmt: skip
    return Passed("the run failed, and nothing of it is visible", Evidence(columns=_BAD, rows=rows))


_BAD = ("pipeline", "day", "phase", "partitions changed")
