"""What a template gives."""

from __future__ import annotations

from pipelines.local.manifest.lint.base import Json, Scope, Site, artifacts, is_leaf, parameters, type_of
from pipelines.local.manifest.lint.names import is_tag, name_problems, parameter_name_problem
from pipelines.local.manifest.lint.scopes import resolve

_SOURCES = ("path", "jqFilter", "jsonPath", "parameter", "expression")


def validate(site: Site, scope: Scope, template: Json) -> None:
    """Check a template's outputs."""
    name, outputs = template.get("name") or "", template.get("outputs") or {}
    here = site.at(".outputs")
    for kind, listed in (("parameters", parameters(outputs)), ("artifacts", artifacts(outputs))):
        for index, problem in name_problems(listed, of_parameters=True):
            here.report(f"templates.{name}.outputs.{kind} {problem}", f".{kind}[{index}]")
    resolve(here.after(f"templates.{name}.outputs "), scope, outputs)
    for index, each in enumerate(artifacts(outputs)):
        _artifact(here.at(f".artifacts[{index}]"), template, each)
    for index, each in enumerate(parameters(outputs)):
        at = here.at(f".parameters[{index}]")
        reference = f"templates.{name}.outputs.parameters.{each.get('name')}"
        for problem in _value_problems(each, reference) or _source_problems(each, reference, type_of(template)):
            at.report(problem)
        _global_name(at, each, reference)


def _artifact(site: Site, template: Json, artifact: Json) -> None:
    name, reference = template.get("name") or "", f"outputs.artifacts.{artifact.get('name')}"
    if is_leaf(template):
        if not artifact.get("path"):
            what = f"Artifact '{artifact.get('name')}' did not specify a path"
            site.report(f"error in templates.{name}.{reference}: {what}")
    elif artifact.get("path"):
        site.report(f"templates.{name}.{reference}.path only valid in container/script templates")
    _global_name(site, artifact, f"templates.{name}.{reference}")


def _global_name(site: Site, output: Json, reference: str) -> None:
    name = output.get("globalName") or ""
    if name and not is_tag(name) and (problem := parameter_name_problem(name)):
        site.report(f"{reference}.globalName: {problem}", ".globalName")


def _value_problems(parameter: Json, reference: str) -> list[str]:
    value, source = parameter.get("value"), parameter.get("valueFrom")
    if value is not None:
        return [f"{reference} has both valueFrom and value specified. Choose one."] if source is not None else []
    if source is None:
        return [f"{reference} does not have valueFrom or value specified"]
    count = sum(bool(source.get(key)) for key in _SOURCES) + (source.get("supplied") is not None)
    if count == 0:
        return ["valueFrom type unspecified. choose one of: path, jqFilter, jsonPath, parameter, raw, expression"]
    if count > 1:
        return ["multiple valueFrom types specified. choose one of: path, jqFilter, jsonPath, parameter, raw"]
    return []


def _source_problems(parameter: Json, reference: str, kind: str) -> list[str]:
    source = parameter.get("valueFrom")
    if source is None:
        return []
    if kind in ("Container", "ContainerSet", "Script") and not source.get("path"):
        return [f"{reference}.path must be specified for {kind} templates"]
    if kind == "Resource" and not source.get("jqFilter") and not source.get("jsonPath"):
        return [f"{reference} .jqFilter or jsonPath must be specified for {kind} templates"]
    if kind in ("DAG", "Steps") and not source.get("parameter") and not source.get("expression"):
        return [f"{reference}.parameter or expression must be specified for {kind} templates"]
    return []
