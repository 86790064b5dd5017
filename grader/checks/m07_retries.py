"""M07: a failed step is retried, later each time, and not for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Attempt, Probe
from grader.checks.registry import Registry

M07 = Registry("M07")
TOLERANCE = 1.0
"""Seconds by which a wait may differ from the policy: phases are recorded in whole seconds."""
_LEAVES = ("container", "script", "resource", "containerSet", "http")
_TRIES = 20
_HINTS = (
    "retryStrategy belongs to the template of the step; without limit, Argo ignores backoff.",
    "backoff: duration is the first wait, factor multiplies it each time, maxDuration ends it all.",
    'retryStrategy: {limit: "3", backoff: {duration: "10s", factor: "2", cap: "2m"}}',
)


def strategies(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Find the retry strategy of each step of a WorkflowTemplate: its own, the defaults', or the workflow's."""
    spec = document.get("spec") or {}
    default = (spec.get("templateDefaults") or {}).get("retryStrategy") or spec.get("retryStrategy") or {}
    for template in spec.get("templates") or []:
        if any(kind in template for kind in _LEAVES):
            yield template["name"], template.get("retryStrategy") or default


@M07.check("attempts", points=2, needs=())
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
            hints=_HINTS,
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
        raise Failure(f"{where}: a step that fails is not tried again", evidence=evidence, hints=_HINTS)
    if len(tries) > _TRIES:
        raise Failure(f"{where}: a step that fails is tried again without end", evidence=evidence, hints=_HINTS)
    grows = all(later >= earlier - TOLERANCE for earlier, later in pairwise(waited))
    if waited[0] < TOLERANCE or not grows or (len(waited) > 1 and waited[1] < 1.5 * waited[0]):
        text = ", ".join(f"{wait:g} s" for wait in waited)
        raise Failure(
            f"{where}: the waits between attempts do not grow exponentially: {text}", evidence=evidence, hints=_HINTS
        )
    if len(waited) == 1:
        raise Failure(
            f"{where}: a single retry cannot show that waits grow: allow at least two", evidence=evidence, hints=_HINTS
        )
