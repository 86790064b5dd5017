"""The objects that resource templates create: checked as far as their tags allow before a run fills them in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.local.errors import BadInput
from pipelines.local.manifest import goyaml
from pipelines.local.manifest.documents import KINDS, Document
from pipelines.local.manifest.strict import Finding, Strict
from pipelines.local.spark import fields

_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_MARK = "argo-tag"
_PLAYED = ("SparkApplication",)
_SAID_ELSEWHERE = ("is required", "unknown field", "cannot be played without a cluster")
_OTHER = ("SparkApplication", "ScheduledSparkApplication", "ConfigMap", "Secret")


def findings(document: Document) -> Iterator[Finding]:
    """List what is wrong in the manifests of a document's resource templates; messages begin with the path inside."""
    for path, template in templates(document):
        resource = template.get("resource") or {}
        text = resource.get("manifest")
        if not isinstance(text, str):
            continue
        here = f"{path}.resource.manifest"
        for each in _objects(text):
            for found in _object(each, resource.get("action") or ""):
                yield Finding(kind=found.kind, path=here, message=f"{found.path}: {found.message}")


def spec_of(document: Document) -> tuple[str, dict[str, Any]]:
    """Give the workflow spec of a document, and its path; it is empty where the document has none."""
    root = "spec.workflowSpec" if document.kind == "CronWorkflow" else "spec"
    spec: Any = document.body if document.kind not in _OTHER else {}
    for key in root.split("."):
        spec = (spec or {}).get(key)
    return root, spec or {}


def templates(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the templates of a document with their paths, inline ones too."""
    root, spec = spec_of(document)
    for index, template in enumerate(spec.get("templates") or []):
        yield from _with_inline(f"{root}.templates[{index}]", template)


def _with_inline(path: str, template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, template
    for group, listed in enumerate(template.get("steps") or []):
        for index, step in enumerate(listed or []):
            if step.get("inline") is not None:
                yield from _with_inline(f"{path}.steps[{group}][{index}].inline", step["inline"])
    for index, task in enumerate((template.get("dag") or {}).get("tasks") or []):
        if task.get("inline") is not None:
            yield from _with_inline(f"{path}.dag.tasks[{index}].inline", task["inline"])


def _objects(text: str) -> list[dict[str, Any]]:
    try:
        parsed = list(goyaml.parse(_TAG.sub(_MARK, text), "manifest"))
    except BadInput:
        return []  # told as "must be a valid yaml", or a tag that stands for a whole block
    return [each.data for each in parsed if isinstance(each.data, dict)]


def _object(body: dict[str, Any], action: str) -> Iterator[Finding]:
    kind = body.get("kind")
    if not isinstance(kind, str) or _MARK in kind:
        return
    if kind not in _PLAYED:
        if action != "delete":
            reason = "only SparkApplications can be played without a cluster"
            yield Finding(kind="refused", path="kind", message=f"{kind} is not supported on this machine: {reason}")
        return
    version = body.get("apiVersion")
    if version != KINDS[kind] and _MARK not in str(version):
        yield Finding(kind="type", path="apiVersion", message=f"of a {kind} is {KINDS[kind]}, not {version}")
    complete = action in ("create", "replace", "")
    yield from Strict(templated=_templated, required=complete).check(body, kind)
    if action != "patch":
        yield from operator_findings(_settled(body))


def operator_findings(application: dict[str, Any], prefix: str = "spec") -> Iterator[Finding]:
    """List what the operator of this machine has to say of a SparkApplication's values; types are checked elsewhere."""
    if any(found.kind == "type" for found in Strict().check(application, "SparkApplication")):
        return
    for text in fields.problems(application):
        path, _, message = text.partition(": ")
        if path.startswith("spec.") and not message.endswith(_SAID_ELSEWHERE):
            yield Finding(kind="refused", path=prefix + path.removeprefix("spec"), message=message)


def _settled(value: Any) -> Any:
    """Leave out what only a run knows."""
    if isinstance(value, dict):
        return {key: _settled(each) for key, each in value.items() if not _templated(each)}
    return [_settled(each) for each in value if not _templated(each)] if isinstance(value, list) else value


def _templated(value: Any) -> bool:
    return isinstance(value, str) and _MARK in value
