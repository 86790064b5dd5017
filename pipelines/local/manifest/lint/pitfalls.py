"""What Argo accepts and rarely does what was meant: warnings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest.documents import Document
from pipelines.local.manifest.lint.extra import Found
from pipelines.local.manifest.lint.manifests import spec_of, templates
from pipelines.local.manifest.problems import Notice

_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_DAYS = 366


def warnings(document: Document, lang: Lang) -> list[Notice]:
    """List the pitfalls of a manifest."""
    return [
        Notice(path=path, message=message, file=document.file, line=document.line_of(path))
        for path, message in _warnings(document, lang)
    ]


def _warnings(document: Document, lang: Lang) -> Found:
    root, workflow = spec_of(document)
    yield from _locks(f"{root}.synchronization", workflow.get("synchronization"))
    for path, template in templates(document):
        yield from _retry(path, template)
        yield from _resource(path, template)
        yield from _when(path, template, lang)
        yield from _locks(f"{path}.synchronization", template.get("synchronization"))
    if document.kind == "CronWorkflow":
        yield from _cron(document.body.get("spec") or {}, lang)


def _retry(path: str, template: dict[str, Any]) -> Found:
    retry = template.get("retryStrategy")
    if retry and retry.get("backoff") and retry.get("limit") is None:
        yield f"{path}.retryStrategy", "backoff is ignored without a limit: attempts follow one another at once"


def _resource(path: str, template: dict[str, Any]) -> Found:
    resource = template.get("resource") or {}
    manifest, action = str(resource.get("manifest") or ""), resource.get("action")
    if action not in ("create", "apply", "replace") or "SparkApplication" not in manifest:
        return
    where = f"{path}.resource"
    if not resource.get("successCondition"):
        yield where, "without a successCondition the step succeeds as soon as the object is created"
    if action != "create" or "generateName" in manifest:
        return
    found = re.search(r"(?m)^\s+name:\s*(\S.*)$", manifest)
    name = found[1] if found else "{{"
    if "{{" not in name:
        yield f"{where}.manifest", "create with a fixed name: a second run, or a retry, fails with AlreadyExists"
    elif template.get("retryStrategy") and found and "retries" not in name:
        yield f"{where}.manifest", "a retry creates the same name again: add {{retries}} to it, or use generateName"


def _when(path: str, template: dict[str, Any], lang: Lang) -> Found:
    """Evaluate each `when` with a number and with a word for its tags: if both are errors, so is the real value."""
    for group, listed in enumerate(template.get("steps") or []):
        for index, step in enumerate(listed or []):
            yield from _one_when(f"{path}.steps[{group}][{index}].when", step.get("when") or "", lang)
    for index, task in enumerate((template.get("dag") or {}).get("tasks") or []):
        yield from _one_when(f"{path}.dag.tasks[{index}].when", task.get("when") or "", lang)


def _one_when(path: str, when: str, lang: Lang) -> Found:
    message = ""
    for value in ("1", "word", "true"):
        try:
            lang.should_execute(_TAG.sub(value, when))
        except LangError as error:
            message = error.message
        else:
            return
    yield path, f"cannot be evaluated whatever its tags stand for: {message.rsplit(': ', 1)[-1]}"


def _locks(path: str, synchronization: dict[str, Any] | None) -> Found:
    held = synchronization or {}
    named = Counter(each.get("name") for each in [held.get("mutex"), *(held.get("mutexes") or [])] if each)
    for name, count in named.items():
        if count > 1:
            yield path, f"mutex '{name}' is listed twice"


def _cron(spec: dict[str, Any], lang: Lang) -> Found:
    one = spec.get("schedule")
    if one:
        yield "spec.schedule", "is deprecated: use schedules"
    if spec.get("startingDeadlineSeconds") is None:
        yield "spec", "without startingDeadlineSeconds a time that was missed is never made up for"
    zone = spec.get("timezone")
    if not zone:
        yield "spec", "without a timezone the schedule is in the controller's own, usually UTC"
        return
    listed = (
        [(".schedule", one)] if one else [(f".schedules[{i}]", s) for i, s in enumerate(spec.get("schedules") or [])]
    )
    for path, line in listed:
        try:
            found = list(_clock_changes(line, zone, lang))
        except LangError:
            continue
        for text in found:
            yield f"spec{path}", text


def _clock_changes(line: str, zone: str, lang: Lang) -> Iterator[str]:
    """Tell on which days of a year a schedule that fires once a day fires not at all, or twice."""
    rules = ZoneInfo(zone)
    start = datetime(date.today().year, 1, 2, tzinfo=rules).astimezone(timezone.utc)  # noqa: DTZ011 - any year will do
    if len(lang.cron_times(line, zone, start, start + timedelta(days=7))) != 7:
        return
    days = Counter(
        at.astimezone(rules).date() for at in lang.cron_times(line, zone, start, start + timedelta(days=_DAYS))
    )
    for day in (min(days) + timedelta(days=n) for n in range((max(days) - min(days)).days)):
        if days[day] != 1:
            often = "does not fire" if not days[day] else f"fires {days[day]} times"
            yield f"when the clocks change, on {day} say, it {often}: choose an hour outside 1 to 3"
