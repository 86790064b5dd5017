"""What a retryStrategy means in time: when each attempt starts, where the cap and maxDuration cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest import goyaml
from pipelines.local.manifest.documents import Document, Documents
from pipelines.local.manifest.lint.manifests import spec_of, templates

SHOWN = 10
_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt.

    `starts` are seconds after the first, `wait` those waited before it; `capped` tells that the cap cut the wait, `cut`
    that maxDuration ends the attempt before it is through.
    """

    number: int
    wait: float
    starts: float
    capped: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A retryStrategy in time, for attempts that each take `attempt_seconds` and fail.

    `attempts` are those that are made, the first 10 of an `endless` one; `ends` is the message with which it gives up;
    `spark_runs` how often Spark runs the program at most, with the operator's own retries.
    """

    template: str
    path: str
    policy: str
    limit: int | None
    attempt_seconds: float
    attempts: tuple[Attempt, ...]
    endless: bool
    ends: str
    cap: float | None = None
    max_duration: float | None = None
    spark_retries: int | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def spark_runs(self) -> int | None:
        """How often a program runs at most: Argo's attempts times the operator's."""
        if self.spark_retries is None or self.endless:
            return None
        return len(self.attempts) * (self.spark_retries + 1)


def explain(documents: Documents, *, attempt_seconds: float, lang: Lang) -> list[Explained]:
    """Explain every retryStrategy of the manifests.

    Raises:
        BadInput: there is none, or a duration cannot be read.
    """
    found = [
        each
        for document in documents.of("Workflow", "WorkflowTemplate", "CronWorkflow")
        for each in _of_document(document, attempt_seconds, lang)
    ]
    if not found:
        where = ", ".join(dict.fromkeys(document.file for document in documents.all))
        raise BadInput("no template has a retryStrategy", where=where, remedy="add one under a template")
    return found


def _of_document(document: Document, seconds: float, lang: Lang) -> Iterator[Explained]:
    for path, template in templates(document):
        retry = template.get("retryStrategy")
        if retry is not None:
            where = f"{document.file}:{document.line_of(path + '.retryStrategy')}"
            yield _explain(template, f"{path}.retryStrategy", where, seconds, lang)
    root, spec = spec_of(document)
    if spec.get("retryStrategy") is not None:
        where = f"{document.file}:{document.line_of(root + '.retryStrategy')}"
        shown = {"name": "(every template without its own)", "retryStrategy": spec["retryStrategy"]}
        yield _explain(shown, f"{root}.retryStrategy", where, seconds, lang)


def _explain(template: Mapping[str, Any], path: str, where: str, seconds: float, lang: Lang) -> Explained:
    retry = template["retryStrategy"] or {}
    limit = _limit(retry.get("limit"), where)
    backoff = _backoff(retry.get("backoff"), where, lang)
    attempts, ends = _attempts(limit, backoff, seconds)
    spark = _spark_retries(template)
    expression = retry.get("expression") or ""
    return Explained(
        template=template.get("name") or "(inline)",
        path=path,
        policy=retry.get("retryPolicy") or ("Always" if expression else "OnFailure"),
        limit=limit,
        attempt_seconds=seconds,
        attempts=tuple(attempts),
        endless=not ends,
        ends=ends,
        cap=(backoff or {}).get("cap"),
        max_duration=(backoff or {}).get("maxDuration"),
        spark_retries=spark,
        warnings=tuple(_warnings(limit, backoff, attempts, ends, spark)),
    )


def _backoff(given: Mapping[str, Any] | None, where: str, lang: Lang) -> dict[str, Any] | None:
    """Read a backoff: durations in seconds, None where it has none."""
    if given is None:
        return None
    durations = ("duration", "maxDuration", "cap")
    read = {key: _duration(given.get(key), lang, f"{where}: backoff.{key}") for key in durations}
    return {**read, "factor": _factor(given.get("factor"), where)}


def _limit(value: Any, where: str) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise BadInput(f"limit '{value}' is known only when it runs", where=where, remedy="give a number") from None


def _factor(value: Any, where: str) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        raise BadInput(f"factor '{value}' is no whole number: Argo takes no other", where=where) from None


def _duration(text: Any, lang: Lang, where: str) -> float | None:
    if text in (None, ""):
        return None
    try:
        return lang.duration(str(text))
    except LangError as error:
        raise BadInput(error.message, where=where) from error


def _attempts(limit: int | None, backoff: Mapping[str, Any] | None, seconds: float) -> tuple[list[Attempt], str]:
    """List the attempts, each failing after `seconds`, and the message of the end; without an end at most 10."""
    made = [Attempt(number=0, wait=0.0, starts=0.0)]
    while True:
        failed, finished = len(made), made[-1].starts + seconds
        wait, capped = 0.0, False
        longest = None if backoff is None else backoff["maxDuration"]
        if longest is not None and finished > longest:
            cut = failed > 1  # the first attempt knows nothing of maxDuration
            return [*made[:-1], replace(made[-1], cut=cut)], "Max duration limit exceeded"
        if backoff is not None:
            if backoff["duration"] is None:
                return made, "no base duration specified for retryStrategy"
            wait, capped = _wait(backoff["duration"], backoff["factor"], backoff["cap"], failed)
            if longest is not None and finished + wait > longest:
                return made, "Backoff would exceed max duration limit"
        if limit is None:
            wait, capped = 0.0, False  # Argo does not wait then, though it counts the wait against maxDuration
        elif failed > limit:
            return made, "No more retries left"
        if limit is None and failed >= SHOWN:
            return made, ""
        made.append(Attempt(number=failed, wait=wait, starts=finished + wait, capped=capped))


def _wait(duration: float, factor: int | None, cap: float | None, failed: int) -> tuple[float, bool]:
    """Give the wait after so many failed attempts, and whether the cap cut it."""
    wait = duration * (factor ** (failed - 1) if factor and factor > 0 else 1)
    return (cap, True) if cap is not None and wait > cap else (wait, False)


def _spark_retries(template: Mapping[str, Any]) -> int | None:
    """Give how often Spark Operator itself runs a failed application again; None where the template creates none."""
    text = (template.get("resource") or {}).get("manifest")
    if not isinstance(text, str) or "SparkApplication" not in text:
        return None
    try:
        parsed = [each.data for each in goyaml.parse(_TAG.sub("0", text), "manifest")]
    except BadInput:
        return 0
    spec = (parsed[0] if parsed and isinstance(parsed[0], dict) else {}).get("spec") or {}
    policy = spec.get("restartPolicy") or {}
    return int(policy.get("onFailureRetries") or 0) if policy.get("type") == "OnFailure" else 0


def _warnings(
    limit: int | None, backoff: Mapping[str, Any] | None, attempts: list[Attempt], ends: str, spark: int | None
) -> Iterator[str]:
    if limit is None:
        if backoff is not None:
            yield "backoff is ignored without a limit: attempts follow one another at once"
        if not ends:
            yield "there is no limit: a step that always fails is tried for ever"
    elif len(attempts) <= limit and "uration" in ends:
        yield f"maxDuration cuts: {len(attempts)} of {limit + 1} attempts are made"
    if ends.startswith("no base duration"):
        yield "backoff has no duration: the step ends in an Error after its first failure"
    if limit == 0:
        yield "limit 0 is one attempt under a Retry node: nothing is tried again"
    if spark:
        most = len(attempts) * (spark + 1)
        often = f"up to {len(attempts)} x {spark + 1} = {most} times" if ends else "without end"
        yield f"retries multiply: Spark Operator runs a failed application again itself, so the program runs {often}"


def as_json(explained: list[Explained]) -> str:
    """Write explanations as JSON: {"strategies": [{"template", "attempts": [{"number", "wait", "starts"}], …}]}."""
    return json.dumps({"strategies": [_plain(each) for each in explained]}, indent=2)


def _plain(each: Explained) -> dict[str, Any]:
    return {
        "template": each.template,
        "path": each.path,
        "retryPolicy": each.policy,
        "limit": each.limit,
        "attemptSeconds": each.attempt_seconds,
        "endless": each.endless,
        "cap": each.cap,
        "maxDuration": each.max_duration,
        "attempts": [
            {"number": a.number, "wait": a.wait, "starts": a.starts, "capped": a.capped, "cut": a.cut}
            for a in each.attempts
        ],
        "ends": each.ends,
        "sparkRetries": each.spark_retries,
        "sparkRuns": each.spark_runs,
        "warnings": list(each.warnings),
    }
