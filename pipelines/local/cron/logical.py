"""The logical date (`ds`) of a run, by the manifest's own expression."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.local.cron.conversion import from_cron, rfc3339
from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest.normal import any_string

Json = Mapping[str, Any]
_PASSES = 3


@dataclass(frozen=True, kw_only=True)
class Logical:
    """Derives `ds` for the runs of a CronWorkflow.

    `templates` are WorkflowTemplates by name, `objects` the ConfigMaps that parameters may take values from.
    """

    cron: Json
    templates: Mapping[str, Json]
    objects: Sequence[Json]
    lang: Lang

    def ds(self, scheduled: datetime, *, created: datetime | None = None) -> str | None:
        """Give the logical date of the run at a time; None where there is no parameter `ds`, or it has no value yet.

        Args:
            scheduled: when the run is due.
            created: when it really starts; default: when it is due.
        """
        texts, _ = self._texts(scheduled, created or scheduled)
        found = texts.get("ds")
        return None if found is None or "{{" in found else found

    def why(self, scheduled: datetime) -> str:
        """Say why the run at a time has no logical date."""
        texts, values = self._texts(scheduled, scheduled)
        if "ds" not in texts:
            return "its workflow has no parameter ds: give it one that is derived from {{workflow.scheduledTime}}"
        try:
            self._replace(texts["ds"], values, scheduled, strict=True)
        except LangError as error:
            return f"its ds cannot be worked out: {error.message.splitlines()[0]}"
        return ""

    def _texts(self, scheduled: datetime, created: datetime) -> tuple[dict[str, str], dict[str, str]]:
        """Give the parameters of the run at a time, as far as they can be resolved, and the values they saw."""
        metadata = self.cron.get("metadata") or {}
        workflow = from_cron(self.cron, f"{metadata.get('name', '')}-{int(scheduled.timestamp())}", scheduled)
        values = self._globals(workflow, scheduled, created)
        texts = dict(self._arguments(workflow["spec"]))
        if "ds" not in texts and (inner := next(self._inner(workflow["spec"]), None)) is not None:
            texts["ds"] = inner
        for _ in range(_PASSES):
            values |= {f"workflow.parameters.{key}": text for key, text in texts.items() if "{{" not in text}
            texts = {key: self._replace(text, values, created) for key, text in texts.items()}
        return texts, values

    def _replace(self, text: str, values: Mapping[str, str], now: datetime, *, strict: bool = False) -> str:
        quoted = json.dumps(text, ensure_ascii=False)
        try:
            return str(json.loads(self.lang.replace(quoted, values, allow_unresolved=not strict, now=now)))
        except LangError:
            if strict:
                raise
            return text

    def _globals(self, workflow: Json, scheduled: datetime, created: datetime) -> dict[str, str]:
        metadata = workflow["metadata"]
        values = {
            "workflow.name": metadata["name"],
            "workflow.namespace": (self.cron.get("metadata") or {}).get("namespace") or "default",
            "workflow.scheduledTime": rfc3339(scheduled),
            "workflow.creationTimestamp": rfc3339(created),
            "workflow.creationTimestamp.RFC3339": rfc3339(created),
            "workflow.creationTimestamp.s": str(int(created.timestamp())),
        }
        for kind in ("labels", "annotations"):
            values.update({f"workflow.{kind}.{key}": str(value) for key, value in metadata[kind].items()})
        return values

    def _specs(self, spec: Json) -> Iterator[Json]:
        """Give the workflow's spec, then that of the WorkflowTemplate that it refers to."""
        yield spec
        reference = (spec.get("workflowTemplateRef") or {}).get("name")
        if reference and reference in self.templates:
            yield self.templates[reference].get("spec") or {}

    def _arguments(self, spec: Json) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for each in self._specs(spec):
            for parameter in (each.get("arguments") or {}).get("parameters") or []:
                text = self._text(parameter)
                if text is not None and parameter.get("name") not in seen:
                    seen.add(parameter["name"])
                    yield parameter["name"], text

    def _text(self, parameter: Json) -> str | None:
        if parameter.get("value") is not None:
            return any_string(parameter["value"])
        source = parameter.get("valueFrom") or {}
        reference = source.get("configMapKeyRef") or {}
        for each in self.objects:
            if each.get("kind") == "ConfigMap" and (each.get("metadata") or {}).get("name") == reference.get("name"):
                value = (each.get("data") or {}).get(reference.get("key"))
                if value is not None:
                    return str(value)
        for fallback in (source.get("default"), parameter.get("default")):
            if fallback is not None:
                return any_string(fallback)
        return None

    def _inner(self, spec: Json) -> Iterator[str]:
        """List the values of parameters `ds` inside the templates, those that look at the scheduled time first."""
        found = [text for each in self._specs(spec) for text in _named_ds(each.get("templates") or [])]
        yield from sorted(found, key=lambda text: "scheduledTime" not in text)


def _named_ds(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        given = value.get("value", value.get("default"))
        if value.get("name") == "ds" and given is not None:
            yield any_string(given)
        for each in value.values():
            yield from _named_ds(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named_ds(each)
