"""Templates: found by whoever refers to them, then checked by type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipelines.local.lang import LangError
from pipelines.local.manifest.lint import dag, leaf, outputs, steps
from pipelines.local.manifest.lint.arguments import process
from pipelines.local.manifest.lint.base import (
    PODS,
    TYPES,
    Base,
    Json,
    Place,
    Scope,
    Site,
    Validation,
    artifacts,
    dumps,
    is_leaf,
    parameters,
    type_of,
)
from pipelines.local.manifest.lint.names import name_problems

_POLICIES = ("", "Always", "OnError", "OnFailure", "OnTransientError")
_RETRY = ("retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message")
_CHOOSE = "choose one of: container, containerSet, steps, script, resource, dag, suspend, template, template ref"


def validate_holder(site: Site, holder: Json, arguments: Json | None) -> Json | None:
    """Check the template that a step, task or hook at a site refers to; give it, or None where it is not known.

    `arguments` are what the holder passes; None stands for a placeholder for every input.
    """
    found = _find(site, holder)
    if found is None:
        return None
    template, inside = found
    if not type_of(template):
        inside.report(f"template '{template.get('name') or ''}' type is unknown")
        return template
    policy = (template.get("retryStrategy") or {}).get("retryPolicy") or ""
    if policy not in _POLICIES:
        inside.report(f"{policy} is not a valid RetryPolicy", ".retryStrategy.retryPolicy")
    _validate(inside, template, arguments, site)
    return template


def _find(site: Site, holder: Json) -> tuple[Json, Site] | None:
    """Give the template, and the site where it stands."""
    ref, name, inline = holder.get("templateRef"), holder.get("template") or "", holder.get("inline")
    if ref is not None:
        return _find_ref(site, ref, name)
    found = site.base.template(name) if name else None
    if name and found is None:
        site.report(f"template name '{name}' undefined", ".template")
        return None
    if inline is not None:
        return inline, site.at(".inline")
    if found is None:
        site.report("failed to get a template")
        return None
    return found[0], replace(site, place=found[1])


def _find_ref(site: Site, ref: Json, name: str) -> tuple[Json, Site] | None:
    owner, template = ref.get("name") or "", ref.get("template") or ""
    problems = {
        "template name cannot be specified with templateRef.": bool(name),
        "resource name is required": not owner,
        "template name is required": not template,
    }
    if problem := next((text for text, is_so in problems.items() if is_so), ""):
        site.report(problem, ".templateRef")
        return None
    if _has_tags(site.v, ref):
        return None  # only a run knows which template it is
    cluster = bool(ref.get("clusterScope"))
    target = find_base(site.v, owner, cluster=cluster)
    if target is None:
        site.report(missing(site.v, owner, cluster=cluster), ".templateRef")
        return None
    found = target.template(template)
    if found is None:
        if "placeholder" not in template:
            site.report(f"template reference {owner}.{template} not found", ".templateRef")
        return None
    return found[0], replace(site, base=target, place=found[1])


def _has_tags(v: Validation, value: Any) -> bool:
    try:
        return any(not tag.expression for tag in v.lang.tags(dumps(value)))
    except LangError:
        return True


def find_base(v: Validation, name: str, *, cluster: bool) -> Base | None:
    """Find a WorkflowTemplate (or ClusterWorkflowTemplate) among the documents."""
    kind = "ClusterWorkflowTemplate" if cluster else "WorkflowTemplate"
    own = (v.document.body.get("metadata") or {}).get("namespace") or ""
    for document in v.documents.of(kind):
        other = (document.body.get("metadata") or {}).get("namespace") or ""
        if document.name == name and (cluster or own == other):
            spec = document.body.get("spec") or {}
            scope = "cluster" if cluster else "namespaced"
            return Base(scope=scope, name=name, spec=spec, place=Place(document=document, path="spec"))
    return None


def missing(v: Validation, name: str, *, cluster: bool) -> str:
    """Say that a WorkflowTemplate is not among the documents."""
    if cluster:
        return f'couldn\'t find cluster workflow template "{name}"'
    namespace = (v.document.body.get("metadata") or {}).get("namespace") or ""
    return f'couldn\'t find workflow template "{name}" in namespace "{namespace}"'


def _validate(site: Site, template: Json, arguments: Json | None, caller: Site) -> None:
    v, base = site.v, site.base
    name = template.get("name") or ""
    if sum(template.get(key) is not None for key in TYPES) > 1:
        site.report(f"templates.{name} multiple template types specified. {_CHOOSE}")
        return
    scope = _inputs(site, template)
    local = _local_variables(v, template, scope)
    made, problems = process(v, template, arguments, local)
    for problem in problems:
        (caller if "was not supplied" in problem else site).report(f"templates.{name} {problem}")
    _timeout(site, made)
    key = f"{base.scope}/{base.name}{name}"
    if key in v.seen:
        return
    v.seen.add(key)
    scope.update(v.globals)
    kind = type_of(made)
    if kind == "Steps":
        steps.validate(site, scope, made)
    elif kind == "DAG":
        dag.validate(site, scope, made)
    else:
        leaf.validate(site, scope, made)
    outputs.validate(site, scope, made)


def _inputs(site: Site, template: Json) -> Scope:
    name, inputs = template.get("name") or "", template.get("inputs")
    scope: Scope = {}
    for kind, listed in (("parameters", parameters(inputs)), ("artifacts", artifacts(inputs))):
        for index, problem in name_problems(listed, of_parameters=True):
            site.report(f"templates.{name}.inputs.{kind}{problem}", f".inputs.{kind}[{index}]")
    for each in parameters(inputs):
        scope[f"inputs.parameters.{each.get('name')}"] = ""
        scope["inputs.parameters"] = ""
    for index, each in enumerate(artifacts(inputs)):
        scope[f"inputs.artifacts.{each.get('name')}"] = ""
        if is_leaf(template):
            scope[f"inputs.artifacts.{each.get('name')}.path"] = ""
        _input_artifact(site.at(f".inputs.artifacts[{index}]"), template, each)
    return scope


def _input_artifact(site: Site, template: Json, artifact: Json) -> None:
    reference = f"templates.{template.get('name') or ''}.inputs.artifacts.{artifact.get('name')}"
    if is_leaf(template) and not artifact.get("path"):
        site.report(f"error in {reference}: Artifact '{artifact.get('name')}' did not specify a path")
    if not is_leaf(template) and artifact.get("path"):
        site.report(f"{reference}.path only valid in container/script templates")
    if artifact.get("from"):
        site.report(f"{reference}.from not valid in inputs")


def _local_variables(v: Validation, template: Json, scope: Scope) -> Scope:
    names: list[str] = []
    if type_of(template) in PODS:
        names.append("pod.name")
    if template.get("retryStrategy") is not None:
        names.extend(_RETRY)
    local = {name: v.placeholder() for name in names}
    scope.update(local)
    if is_leaf(template):
        made = template.get("outputs")
        for each in artifacts(made):
            if each.get("path"):
                scope[f"outputs.artifacts.{each.get('name')}.path"] = ""
        for each in parameters(made):
            if (each.get("valueFrom") or {}).get("path"):
                scope[f"outputs.parameters.{each.get('name')}.path"] = ""
    return local


def _timeout(site: Site, template: Json) -> None:
    timeout = template.get("timeout") or ""
    if timeout and not is_leaf(template):
        site.report(f"{type_of(template)} template doesn't support timeout field.", ".timeout")
    elif timeout.lstrip("+-").isdecimal():
        site.report(f"{template.get('name') or ''} has invalid duration format in timeout.", ".timeout")
