"""What this machine answers to every field: the table that `SUPPORT.md` is generated from.

Only types that are reached through RUN and SIMULATE fields have rows: what stands below a NOTICE or a REFUSED field has
that field's answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from pipelines.local.manifest.schema import types


class Answer(Enum):
    """What happens with a field."""

    RUN = "RUN"
    SIMULATE = "SIMULATE"
    NOTICE = "NOTICE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The answer to one field, and why; RUN needs no reason."""

    answer: Answer
    reason: str = ""


ROOTS = (
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "SparkApplication",
    "ScheduledSparkApplication",
)

Reasons = Mapping[str, str]


def row(run: str = "", *, simulate: Reasons = {}, notice: Reasons = {}, refused: Reasons = {}) -> dict[str, Rule]:  # noqa: B006 - never changed
    """Write one type's rules: names separated by spaces, for all but RUN with the reason they share."""
    rules = {name: Rule(answer=Answer.RUN) for name in run.split()}
    for answer, reasons in ((Answer.SIMULATE, simulate), (Answer.NOTICE, notice), (Answer.REFUSED, refused)):
        for names, reason in reasons.items():
            for name in names.split():
                assert name not in rules, name
                rules[name] = Rule(answer=answer, reason=reason)
    return rules


def rule(type_name: str, field: str) -> Rule | None:
    """Give the rule of a field of a type; None where the table has none."""
    return table().get(type_name, {}).get(field)


@cache
def table() -> Mapping[str, Mapping[str, Rule]]:
    """Give all rules: type → field → rule."""
    from pipelines.local.manifest.answers_argo import ROWS as ARGO_ROWS
    from pipelines.local.manifest.answers_spark import rows as spark_rows

    return {**ARGO_ROWS, **spark_rows()}


def reached() -> Iterator[str]:
    """Walk the types that a manifest can reach through fields that are not settled by a NOTICE or a REFUSED above."""
    seen: set[str] = set()
    waiting = list(reversed(ROOTS))
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        below = [
            base(type_name)
            for field, type_name in types()[name].fields.items()
            if (found := rule(name, field)) is None or found.answer in (Answer.RUN, Answer.SIMULATE)
        ]
        waiting.extend(each for each in reversed(below) if each in types())


def base(type_name: str) -> str:
    """Give what a list or mapping type is made of."""
    while type_name.startswith(("[]", "{}")):
        type_name = type_name[2:]
    return type_name
