"""Which variables a template, step or task can refer to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipelines.local.lang import LangError
from pipelines.local.manifest.lint.base import Json, Scope, Site, Validation, artifacts, dumps, parameters, type_of
from pipelines.local.manifest.lint.names import is_tag

ANY_ITEM = "item.*"
ANY_PARAMETER = "workflow.outputs.parameters.*"
ANY_ARTIFACT = "workflow.outputs.artifacts.*"
_ROOTS = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")
_LATER = (
    "outputs.",  # of the template itself, in metrics
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
    "node.name",
)
_RESULTS = frozenset({"Container", "Script", "Data", "HTTP", "Plugin"})


def resolve(site: Site, scope: Scope, value: Any) -> None:
    """Report every tag in a value that nothing in scope resolves."""
    text = value if isinstance(value, str) else dumps(value)
    try:
        tags = site.v.lang.tags(text)
    except LangError:
        return  # Argo's own JSON always ends with enough braces to close the tag
    told = set()
    for tag in tags:
        name = tag.text.strip()
        if tag.expression or name in told or known(site.v, scope, name):
            continue
        told.add(name)
        site.report(f"failed to resolve {{{{{tag.text}}}}}", _where(value, tag.text))


def known(v: Validation, scope: Scope, name: str) -> bool:
    """Tell whether a simple tag has a value, may get one later, or belongs to another language."""
    if not name.startswith(_ROOTS) or name in scope or name in v.globals:
        return True
    if (name == "item" or name.startswith("item.")) and ANY_ITEM in scope:
        return True
    if name.startswith("workflow.outputs.parameters.") and ANY_PARAMETER in scope:
        return True
    if name.startswith("workflow.outputs.artifacts.") and ANY_ARTIFACT in scope:
        return True
    if name.startswith("workflow.parameters") and v.of_template:
        return True
    return name.startswith(_LATER)


def _where(value: Any, tag: str) -> str:
    """Give the path of the first text that contains a tag."""
    for path, text in texts(value):
        if f"{{{{{tag}}}}}" in json.dumps(text, ensure_ascii=False):
            return path
    return ""


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """List the texts inside a value, with their paths."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from texts(each, f"{path}[{index}]")


def items_in_scope(step: Json, scope: Scope) -> list[str]:
    """Add what a loop defines to the scope; give what is wrong with the loop."""
    loops = [step.get("withItems") or None, step.get("withParam") or None, step.get("withSequence")]
    if sum(each is not None for each in loops) > 1:
        return ["only one of withItems, withParam, withSequence can be specified"]
    listed, param, sequence = loops
    if listed:
        for item in listed:
            if isinstance(item, dict):
                scope.update({f"item.{key}": "" for key in item})
            elif isinstance(item, list):
                scope.update({f"item.[{index}]": "" for index in range(len(item))})
            else:
                scope["item"] = ""
    elif param:
        scope.update({"item": "", ANY_ITEM: ""})
    elif sequence is not None:
        if sequence.get("count") is not None and sequence.get("end") is not None:
            return ["only one of count or end can be defined in withSequence"]
        scope["item"] = ""
    return []


def outputs_in_scope(
    v: Validation, template: Json | None, prefix: str, scope: Scope, *, aggregate: bool = False, ancestor: bool = False
) -> None:
    """Add what a step or task gives to those that come after it."""
    scope.update({f"{prefix}.{name}": "" for name in ("id", "startedAt", "finishedAt", "hostNodeName")})
    if template is None:
        return
    kind = type_of(template)
    if template.get("daemon"):
        scope[f"{prefix}.ip"] = ""
    if kind in _RESULTS or _has_main(template):
        scope.update({f"{prefix}.outputs.result": "", f"{prefix}.exitCode": ""})
    outputs = template.get("outputs")
    for kind_of, each_any, listed in (
        ("parameters", ANY_PARAMETER, parameters(outputs)),
        ("artifacts", ANY_ARTIFACT, artifacts(outputs)),
    ):
        for each in listed:
            scope[f"{prefix}.outputs.{kind_of}.{each.get('name')}"] = ""
            _global_name(v, each.get("globalName") or "", f"workflow.outputs.{kind_of}.", each_any, scope)
    if aggregate:
        scope[f"{prefix}.outputs.parameters"] = ""
        if kind in ("Script", "ContainerSet"):
            scope.update({f"{prefix}.outputs.result": "", f"{prefix}.exitCode": ""})
    if ancestor:
        scope[f"{prefix}.status"] = ""


def _has_main(template: Json) -> bool:
    containers = (template.get("containerSet") or {}).get("containers") or []
    return any(each.get("name") == "main" for each in containers)


def _global_name(v: Validation, name: str, prefix: str, each_any: str, scope: Scope) -> None:
    if not name:
        return
    if is_tag(name):
        scope[each_any] = ""
        return
    scope[prefix + name] = ""
    v.globals[prefix + name] = v.placeholder()
