"""Checks beyond Argo's: what Argo finds out only while it runs, or never tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest.depends import Depends, topological_order
from pipelines.local.manifest.documents import Document
from pipelines.local.manifest.lint.base import title
from pipelines.local.manifest.lint.manifests import spec_of, templates
from pipelines.local.manifest.problems import Problem

_MEMOIZE_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")

Found = Iterator[tuple[str, str]]


def problems(document: Document, lang: Lang) -> list[Problem]:
    """List what cannot work although Argo's validation lets it pass."""
    return [
        Problem(
            path=path,
            message=message,
            file=document.file,
            line=document.line_of(path),
            object=title(document),
            late=True,
        )
        for path, message in _problems(document, lang)
    ]


def _problems(document: Document, lang: Lang) -> Found:
    spec = document.body.get("spec") or {}
    if document.kind == "CronWorkflow":
        yield from _timezone(spec, "timezone", lang)
        if not spec.get("schedule") and not spec.get("schedules"):
            yield "spec.schedules", "a CronWorkflow without a schedule never runs"
    elif document.kind == "ScheduledSparkApplication":
        yield from _timezone(spec, "timeZone", lang)
        yield from _scheduled_spark(spec, lang)
    root, workflow = spec_of(document)
    names = {each.get("name") for each in workflow.get("templates") or []}
    if workflow.get("workflowTemplateRef") is None:
        yield from _hooks(f"{root}.hooks", workflow.get("hooks"), names)
    for path, template in templates(document):
        yield from _memoize(path, template)
        yield from _durations(path, template, lang)
        yield from _depends(path, template, lang)
        for where, holder in _holders(path, template):
            yield from _hooks(f"{where}.hooks", holder.get("hooks"), names)
            yield from _undefined(f"{where}.onExit", holder.get("onExit"), names)


def _timezone(spec: dict[str, Any], field: str, lang: Lang) -> Found:
    if zone := spec.get(field):
        try:
            lang.timezone_check(zone)
        except LangError as error:
            yield f"spec.{field}", f"{error.message}: the schedule would never run"


def _scheduled_spark(spec: dict[str, Any], lang: Lang) -> Found:
    schedule = spec.get("schedule") or ""
    try:
        lang.cron_check(schedule)
    except LangError as error:
        yield "spec.schedule", f"cron schedule {schedule} is malformed: {error.message}"
    policy = spec.get("concurrencyPolicy") or "Allow"
    if policy not in ("Allow", "Forbid", "Replace"):
        yield "spec.concurrencyPolicy", f"'{policy}' is not a valid concurrencyPolicy"


def _memoize(path: str, template: dict[str, Any]) -> Found:
    memoize = template.get("memoize")
    key = (memoize or {}).get("key") or ""
    if memoize is not None and "{{" not in key and not _MEMOIZE_KEY.fullmatch(key):
        yield f"{path}.memoize.key", f"invalid cache key '{key}': only letters, digits and '-' are allowed"


def _durations(path: str, template: dict[str, Any], lang: Lang) -> Found:
    backoff = (template.get("retryStrategy") or {}).get("backoff") or {}
    fields = [(f"{path}.retryStrategy.backoff.{key}", backoff.get(key)) for key in ("duration", "maxDuration", "cap")]
    fields.append((f"{path}.suspend.duration", (template.get("suspend") or {}).get("duration")))
    fields.append((f"{path}.timeout", template.get("timeout")))
    for where, text in fields:
        if isinstance(text, str) and text and "{{" not in text:
            try:
                lang.duration(text)
            except LangError as error:
                yield where, error.message


def _depends(path: str, template: dict[str, Any], lang: Lang) -> Found:
    """Evaluate each `depends` once: its syntax does not depend on how tasks end."""
    tasks = (template.get("dag") or {}).get("tasks") or []
    _, unordered = topological_order(tasks, Depends(tasks))
    if unordered:
        return
    results = {task.get("name") or "": dict.fromkeys(_RESULTS, True) for task in tasks}
    for index, task in enumerate(tasks):
        logic = task.get("depends") or ""
        if logic and "{{" not in logic:
            try:
                lang.depends(_with_results(logic), results)
            except LangError as error:
                yield f"{path}.dag.tasks[{index}].depends", error.message.splitlines()[0]


def _with_results(logic: str) -> str:
    """Ask every bare task name for a result, as Argo does."""
    return re.sub(r"(?<![-.\w])[a-zA-Z0-9][-a-zA-Z0-9]*(?![-.\w])", lambda word: f"{word[0]}.Succeeded", logic)


def _holders(path: str, template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for group, listed in enumerate(template.get("steps") or []):
        for index, step in enumerate(listed or []):
            yield f"{path}.steps[{group}][{index}]", step
    for index, task in enumerate((template.get("dag") or {}).get("tasks") or []):
        yield f"{path}.dag.tasks[{index}]", task


def _hooks(path: str, hooks: dict[str, Any] | None, names: set[Any]) -> Found:
    for name, hook in (hooks or {}).items():
        if (hook or {}).get("templateRef") is None:
            yield from _undefined(f"{path}.{name}.template", (hook or {}).get("template"), names)


def _undefined(path: str, name: str | None, names: set[Any]) -> Found:
    """Argo looks the templates of hooks up when they are due: too late for whoever relies on them."""
    if name and "{{" not in name and name not in names:
        yield path, f"template name '{name}' undefined"
