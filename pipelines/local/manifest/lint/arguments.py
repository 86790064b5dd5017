"""Arguments: their names and values, and how they reach a template's inputs."""

from __future__ import annotations

import copy
import json

from pipelines.local.lang import LangError
from pipelines.local.manifest.lint.base import Json, Scope, Site, Validation, artifacts, dumps, parameters
from pipelines.local.manifest.lint.names import name_problems

_LOCATIONS = {
    "artifactory": "url",
    "azure": "blob",
    "gcs": "key",
    "git": "repo",
    "hdfs": "path",
    "http": "url",
    "oss": "key",
    "s3": "key",
}
_NOT_HERE = ("path", "jsonPath", "parameter", "expression")


def validate_arguments(site: Site, arguments: Json | None, label: str, *, empty: bool = False) -> None:
    """Check names and values of arguments at a site; every message names them by `label`; `empty`: without values."""
    for kind, listed in (("parameters", parameters(arguments)), ("artifacts", artifacts(arguments))):
        for index, problem in name_problems(listed, of_parameters=True):
            site.report(f"{label}{kind}{problem}", f".{kind}[{index}]")
    for index, each in enumerate(parameters(arguments)):
        for problem in _value_problems(each, f"{label}{each.get('name')}", empty):
            site.report(problem, f".parameters[{index}]")
    for index, each in enumerate(artifacts(arguments)):
        name = f"{label}{each.get('name')}"
        if not each.get("from") and not has_location(each):
            site.report(f"{name}.from, artifact location, or key is required", f".artifacts[{index}]")
        if each.get("from") and each.get("fromExpression"):
            site.report(f"{name} shouldn't have both `from` and `fromExpression` in Artifact", f".artifacts[{index}]")


def has_location(artifact: Json) -> bool:
    """Tell whether an artifact says where it is."""
    return artifact.get("raw") is not None or any((artifact.get(k) or {}).get(key) for k, key in _LOCATIONS.items())


def _value_problems(parameter: Json, name: str, empty: bool) -> list[str]:
    value, source, choice = parameter.get("value"), parameter.get("valueFrom"), parameter.get("enum")
    if source is None and value is None and not empty:
        return [f"{name}.value or {name}.valueFrom is required"]
    if source is not None:
        allowed = any(source.get(key) is not None for key in ("configMapKeyRef", "event", "supplied"))
        if not allowed or any(source.get(key) for key in _NOT_HERE):
            return [f"{name}.valueFrom only allows: default, configMapKeyRef and supplied"]
    if choice is None:
        return []
    if not choice:
        return [f"{name}.enum should contain at least one value"]
    if value is None:
        return [] if empty else [f"{name}.value is required"]
    return [] if value in choice else [f"{name}.value should be present in {name}.enum list"]


def process(v: Validation, template: Json, arguments: Json | None, local: Scope) -> tuple[Json, list[str]]:
    """Put arguments (None: a placeholder for each input) and variables into a template, as a run would.

    Gives the template with everything substituted that has a value, and what is wrong.
    """
    made = copy.deepcopy(template)
    if made.get("steps") == []:
        del made["steps"]  # Go's JSON leaves an empty list out
    problems = []
    for each in parameters(made.get("inputs")):
        _supply(v, each, arguments)
        source = each.get("valueFrom") or {}
        if source.get("configMapKeyRef") is None and each.get("value") is None:
            problems.append(f"inputs.parameters.{each.get('name')} was not supplied")
            each["value"] = v.placeholder()
    _supply_artifacts(made, arguments, problems)
    try:
        return _substitute(v, made, {**v.globals, **local}), problems
    except LangError as error:
        return made, [*problems, error.message]


def _supply(v: Validation, parameter: Json, arguments: Json | None) -> None:
    if parameter.get("value") is None and parameter.get("default") is not None:
        parameter["value"] = parameter["default"]
    if arguments is None:
        given: Json | None = {"value": v.placeholder()}
    else:
        given = next((a for a in parameters(arguments) if a.get("name") == parameter.get("name")), None)
    if given is None:
        return
    for key in ("value", "valueFrom"):
        parameter.pop(key, None)
    if given.get("value") is not None:
        parameter["value"] = given["value"]
    elif given.get("valueFrom") is not None:
        parameter["valueFrom"] = given["valueFrom"]


def _supply_artifacts(template: Json, arguments: Json | None, problems: list[str]) -> None:
    listed = artifacts(template.get("inputs"))
    for index, each in enumerate(listed):
        name = each.get("name")
        given = {"name": name} if arguments is None else None
        given = given or next((a for a in artifacts(arguments) if a.get("name") == name), None)
        if given is None:
            if not each.get("optional") and not has_location(each):
                problems.append(f"inputs.artifacts.{name} was not supplied")
            continue
        listed[index] = {**given, **{key: each[key] for key in ("path", "mode", "recurseMode") if key in each}}


def _substitute(v: Validation, template: Json, values: Scope) -> Json:
    first: Json = json.loads(v.lang.replace(dumps(template), values, allow_unresolved=True))
    values = dict(values)
    for each in parameters(first.get("inputs")):
        if each.get("value") is not None:
            values[f"inputs.parameters.{each.get('name')}"] = str(each["value"])
    values["inputs.parameters"] = dumps(parameters(first.get("inputs")) or None)
    for way in ("inputs", "outputs"):
        for each in artifacts(first.get(way)):
            if each.get("path"):
                values[f"{way}.artifacts.{each.get('name')}.path"] = str(each["path"])
    for each in parameters(first.get("outputs")):
        if path := (each.get("valueFrom") or {}).get("path"):
            values[f"outputs.parameters.{each.get('name')}.path"] = str(path)
    second: Json = json.loads(v.lang.replace(dumps(first), values, allow_unresolved=True))
    return second
