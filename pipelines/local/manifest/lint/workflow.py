"""Whole manifests: Workflow, WorkflowTemplate, CronWorkflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.local.lang import Lang, LangError
from pipelines.local.manifest.documents import Document, Documents
from pipelines.local.manifest.lint.arguments import validate_arguments
from pipelines.local.manifest.lint.base import Base, Json, Place, Site, Validation, artifacts, parameters
from pipelines.local.manifest.lint.names import is_tag, name_problems
from pipelines.local.manifest.lint.scopes import ANY_ARTIFACT
from pipelines.local.manifest.lint.steps import validate_hooks
from pipelines.local.manifest.lint.template import find_base, missing, validate_holder
from pipelines.local.manifest.problems import Problem

_MAX_NAME = 63
_MAX_CRON_NAME = 52
_PODGC = ("", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")
_POLICIES = ("", "Allow", "Forbid", "Replace")


def validate(documents: Documents, document: Document, lang: Lang) -> list[Problem]:
    """Check one manifest of Argo's, with the others at hand for its references."""
    v = Validation(documents=documents, document=document, lang=lang)
    match document.kind:
        case "Workflow":
            _named(v, "workflow", _MAX_NAME)
            _workflow(_root(v, "spec"), document.body.get("spec") or {}, document.body.get("metadata") or {})
        case "WorkflowTemplate" | "ClusterWorkflowTemplate":
            v.of_template = True
            cluster = "cluster " if document.kind.startswith("Cluster") else ""
            _named(v, f"{cluster}workflow template", _MAX_NAME)
            _workflow(_root(v, "spec"), document.body.get("spec") or {}, document.body.get("metadata") or {})
        case "CronWorkflow":
            _cron(v, document.body.get("spec") or {})
    return v.problems


def _root(v: Validation, path: str) -> Site:
    place = Place(document=v.document, path=path)
    return Site(v=v, place=place, base=Base(scope="local", name="", spec={}, place=place))


def _named(v: Validation, what: str, limit: int) -> None:
    name = (v.document.body.get("metadata") or {}).get("name") or ""
    if len(name) > limit:
        message = f'{what} name "{name}" must not be more than {limit} characters long (currently {len(name)})'
        _root(v, "metadata").report(message, ".name")


def _cron(v: Validation, spec: Json) -> None:
    here = _root(v, "spec")
    if spec.get("schedules") and spec.get("schedule"):
        here.report("cron workflow cant be configured with both Spec.Schedule and Spec.Schedules", ".schedule")
    _named(v, "cron workflow", _MAX_CRON_NAME)
    one = spec.get("schedule")
    listed = (
        [(".schedule", one)] if one else [(f".schedules[{i}]", s) for i, s in enumerate(spec.get("schedules") or [])]
    )
    for path, schedule in listed:
        try:
            v.lang.cron_check(schedule)
        except LangError as error:
            here.report(f"cron schedule {schedule} is malformed: {error.message}", path)
    policy = spec.get("concurrencyPolicy") or ""
    if policy not in _POLICIES:
        here.report(f"'{policy}' is not a valid concurrencyPolicy", ".concurrencyPolicy")
    if (spec.get("startingDeadlineSeconds") or 0) < 0:
        here.report("startingDeadlineSeconds must be positive", ".startingDeadlineSeconds")
    v.lint = False
    given: Mapping[str, Any] = spec.get("workflowMetadata") or {}
    metadata = {
        "labels": given.get("labels") or {},
        "annotations": {"workflows.argoproj.io/scheduled-time": "", **(given.get("annotations") or {})},
    }
    site = _root(v, "spec.workflowSpec").after("cannot validate Workflow: ")
    _workflow(site, spec.get("workflowSpec") or {}, metadata)


def _workflow(site: Site, spec: Json, metadata: Mapping[str, Any]) -> None:
    v = site.v
    name = "" if v.of_template else metadata.get("name") or ""
    site = replace(site, base=Base(scope="local", name=name, spec=spec, place=site.place))
    reference = spec.get("workflowTemplateRef")
    source: Base | None = None
    if reference is not None:
        if spec.get("templates"):
            message = "Templates is invalid field in spec if workflow referred WorkflowTemplate reference"
            site.report(message, ".templates")
        cluster = bool(reference.get("clusterScope"))
        source = find_base(v, reference.get("name") or "", cluster=cluster)
        if source is None:
            site.report(missing(v, reference.get("name") or "", cluster=cluster), ".workflowTemplateRef")
            return
    for index, problem in name_problems(spec.get("templates") or [], of_parameters=False):
        site.report(f"spec.templates{problem}", f".templates[{index}]")
    arguments = _arguments(spec, source)
    validate_arguments(site.at(".arguments"), arguments, "spec.arguments.", empty=v.lint)
    _globals(v, spec, source, metadata, arguments)
    _entrypoint(site, spec, source, arguments)
    _exit(site, spec, source)
    validate_hooks(site.at(".hooks"), spec.get("hooks"), "hooks")
    strategy = (spec.get("podGC") or {}).get("strategy") or ""
    if strategy not in _PODGC:
        site.report(f"podGC.strategy unknown strategy '{strategy}'", ".podGC.strategy")
    _every_template(site, source)


def _arguments(spec: Json, source: Base | None) -> Json:
    """Merge the workflow's arguments with those of the WorkflowTemplate that it refers to; its own come first."""
    own = spec.get("arguments") or {}
    if source is None:
        return own
    merged: Json = {}
    for kind in ("parameters", "artifacts"):
        listed: dict[str, Json] = {}
        for each in [*(own.get(kind) or []), *((source.spec.get("arguments") or {}).get(kind) or [])]:
            listed.setdefault(each.get("name") or "", each)
        merged[kind] = list(listed.values())
    return merged


def _globals(v: Validation, spec: Json, source: Base | None, metadata: Mapping[str, Any], arguments: Json) -> None:
    names = ["name", "namespace", "mainEntrypoint", "serviceAccountName", "uid", "status"]
    names += ["annotations", "annotations.json", "labels", "labels.json"]
    if parameters(arguments):
        names += ["parameters", "parameters.json"]
    sources: list[Mapping[str, Any]] = [metadata, spec.get("workflowMetadata") or {}]
    if source is not None:
        sources.append(source.spec.get("workflowMetadata") or {})
    for each in sources:
        names += [f"annotations.{key}" for key in each.get("annotations") or {}]
        names += [f"labels.{key}" for kind in ("labels", "labelsFrom") for key in each.get(kind) or {}]
    v.globals.update({f"workflow.{name}": v.placeholder() for name in names})
    for each in parameters(arguments):
        if each.get("name"):
            value = each.get("value")
            v.globals[f"workflow.parameters.{each['name']}"] = v.placeholder() if value is None else str(value)
    if spec.get("priority") is not None:
        v.globals["workflow.priority"] = str(spec["priority"])


def _holder(name: str, source: Base | None) -> Json:
    """Refer to a template by name: the workflow's own, or that of the WorkflowTemplate it refers to."""
    if source is None:
        return {"template": name}
    return {"templateRef": {"name": source.name, "template": name, "clusterScope": source.scope == "cluster"}}


def _entrypoint(site: Site, spec: Json, source: Base | None, arguments: Json) -> None:
    entrypoint = spec.get("entrypoint") or (source.spec.get("entrypoint") if source else "") or ""
    if entrypoint:
        given = None if site.v.of_template else arguments
        validate_holder(_field(site, "entrypoint"), _holder(entrypoint, source), given)
    elif not site.v.of_template:
        site.report("spec.entrypoint is required")


def _exit(site: Site, spec: Json, source: Base | None) -> None:
    name = spec.get("onExit") or (source.spec.get("onExit") if source else "") or ""
    if not name:
        return
    site.v.globals["workflow.failures"] = site.v.placeholder()
    for holder in (spec, source.spec if source else {}):
        for template in holder.get("templates") or []:
            if any(is_tag(each.get("globalName") or "") for each in artifacts(template.get("outputs"))):
                site.v.globals[ANY_ARTIFACT] = "true"
    validate_holder(_field(site, "onExit"), _holder(name, source), spec.get("arguments") or {})


def _field(site: Site, name: str) -> Site:
    """Go to a field of the spec, or stay where the manifest does not have it."""
    return site.at(f".{name}") if site.has(f".{name}") else site


def _every_template(site: Site, source: Base | None) -> None:
    """Check the templates that nothing has referred to so far."""
    base = source or site.base
    for index, template in enumerate(base.spec.get("templates") or []):
        name = template.get("name") or ""
        here = _field(site, "workflowTemplateRef") if source else site.at(f".templates[{index}]")
        if name:
            validate_holder(here.after(f"templates.{name} "), _holder(name, source), None)
