"""Checks beyond Argo's: what Argo would find out only while it runs, and what it does without saying so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest.documents import Document
from pipelines.local.manifest.lint.base import title
from pipelines.local.manifest.lint.manifests import templates
from pipelines.local.manifest.problems import Notice, Problem

_MEMOIZE_KEY = re.compile(r"^[a-zA-Z0-9][-a-zA-Z0-9]*$")


def problems(document: Document, lang: Lang) -> list[Problem]:
    """List what cannot work although Argo's validation lets it pass."""
    found = [*_timezone(document, lang)]
    for path, template in templates(document):
        found.extend(_memoize(path, template))
        found.extend(_locks(f"{path}.synchronization", template.get("synchronization")))
        found.extend(_durations(path, template, lang))
    spec = document.body.get("spec") or {}
    if document.kind == "CronWorkflow":
        found.extend(
            _locks("spec.workflowSpec.synchronization", (spec.get("workflowSpec") or {}).get("synchronization"))
        )
        if not spec.get("schedule") and not spec.get("schedules"):
            found.append(("spec.schedules", "a CronWorkflow without a schedule never runs"))
    elif document.kind != "ScheduledSparkApplication":
        found.extend(_locks("spec.synchronization", spec.get("synchronization")))
    return [
        Problem(path=path, message=message, file=document.file, line=document.line_of(path), object=title(document))
        for path, message in found
    ]


def _timezone(document: Document, lang: Lang) -> Iterator[tuple[str, str]]:
    spec = document.body.get("spec") or {}
    field = {"CronWorkflow": "timezone", "ScheduledSparkApplication": "timeZone"}.get(document.kind)
    zone = spec.get(field) if field else None
    if zone:
        try:
            lang.timezone_check(zone)
        except LangError as error:
            yield f"spec.{field}", f"{error.message}: the schedule would never run"
    if document.kind == "ScheduledSparkApplication" and isinstance(spec.get("schedule"), str):
        try:
            lang.cron_check(spec["schedule"])
        except LangError as error:
            yield "spec.schedule", f"cron schedule {spec['schedule']} is malformed: {error.message}"
        policy = spec.get("concurrencyPolicy") or "Allow"
        if policy not in ("Allow", "Forbid", "Replace"):
            yield "spec.concurrencyPolicy", f"'{policy}' is not a valid concurrencyPolicy"


def _memoize(path: str, template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    memoize = template.get("memoize") or {}
    key = memoize.get("key") or ""
    if memoize and "{{" not in key and not _MEMOIZE_KEY.match(key):
        yield f"{path}.memoize.key", f"invalid cache key '{key}': only letters, digits and '-' are allowed"


def _locks(path: str, synchronization: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    held = synchronization or {}
    names = [("mutex", held.get("mutex")), *[("mutex", each) for each in held.get("mutexes") or []]]
    named = Counter(each.get("name") for _, each in names if each)
    for name, count in named.items():
        if count > 1:
            yield path, f"mutex '{name}' is asked for twice: the workflow would wait for itself"


def _durations(path: str, template: dict[str, Any], lang: Lang) -> Iterator[tuple[str, str]]:
    backoff = (template.get("retryStrategy") or {}).get("backoff") or {}
    fields = [(f"{path}.retryStrategy.backoff.{key}", backoff.get(key)) for key in ("duration", "maxDuration", "cap")]
    fields.append((f"{path}.suspend.duration", (template.get("suspend") or {}).get("duration")))
    fields.append((f"{path}.timeout", template.get("timeout")))
    for where, text in fields:
        if not isinstance(text, str) or not text or "{{" in text:
            continue
        try:
            lang.duration(text)
        except LangError as error:
            yield where, error.message


def warnings(document: Document, lang: Lang) -> list[Notice]:  # noqa: ARG001 - the shape of all checks
    """List what Argo accepts and rarely does what was meant."""
    found: list[tuple[str, str]] = []
    for path, template in templates(document):
        found.extend(_retry_pitfalls(path, template))
        found.extend(_resource_pitfalls(path, template))
    if document.kind == "CronWorkflow":
        found.extend(_cron_pitfalls(document.body.get("spec") or {}))
    return [
        Notice(path=path, message=message, file=document.file, line=document.line_of(path)) for path, message in found
    ]


def _retry_pitfalls(path: str, template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    retry = template.get("retryStrategy")
    if retry and retry.get("backoff") and retry.get("limit") is None:
        yield (
            f"{path}.retryStrategy",
            "backoff is ignored without a limit: attempts follow one another at once, for ever",
        )


def _resource_pitfalls(path: str, template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    resource = template.get("resource")
    if not resource or resource.get("action") not in ("create", "apply", "replace"):
        return
    where = f"{path}.resource"
    manifest = str(resource.get("manifest") or "")
    if not resource.get("successCondition") and "SparkApplication" in manifest:
        yield where, "without a successCondition the step succeeds as soon as the object is created"
    fixed = re.search(r"(?m)^\s+name:\s*(\S.*)$", manifest)
    if resource.get("action") == "create" and "generateName" not in manifest and fixed and "{{" not in fixed[1]:
        yield f"{where}.manifest", "create with a fixed name: a second run, or a retry, fails with AlreadyExists"
    elif resource.get("action") == "create" and template.get("retryStrategy") and fixed and "retries" not in fixed[1]:
        yield f"{where}.manifest", "a retry creates the same name again: add {{retries}} to it, or use generateName"


def _cron_pitfalls(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if spec.get("schedule"):
        yield "spec.schedule", "is deprecated: use schedules"
    if spec.get("startingDeadlineSeconds") is None:
        yield "spec.schedules", "without startingDeadlineSeconds a time that was missed is never made up for"
    if not spec.get("timezone"):
        yield "spec.timezone", "without a time zone the schedule is in the controller's own, usually UTC"
