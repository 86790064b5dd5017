"""From a template and arguments to the template that runs: inputs filled in, tags substituted."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import compact, marshal_parameters
from pipelines.local.engine.specs import Json, by_name
from pipelines.local.engine.templating import Templating

_LABEL = "workflows.argoproj.io/configmap-type"
_LOCATIONS = ("artifactory", "azure", "gcs", "git", "hdfs", "http", "oss", "raw", "s3")


class MissingKey(NodeProblem):
    """A ConfigMap, or a key in it, does not exist; a default may stand in."""


class ConfigMaps(Protocol):
    """Where ConfigMaps come from."""

    def config_map(self, name: str) -> Json | None:
        """Return the ConfigMap of this name."""
        ...


def config_map_value(source: ConfigMaps, name: str, key: str) -> str:
    """Return a value of a ConfigMap that is labelled as holding parameters.

    Raises:
        MissingKey: no such ConfigMap or key.
        NodeProblem: the label is missing.
    """
    found = source.config_map(name)
    if found is None:
        raise MissingKey(
            f"ConfigMap '{name}' does not exist. Please make sure it has the label {_LABEL}: Parameter"
            " to be detectable by the controller"
        )
    if (found["metadata"].get("labels") or {}).get(_LABEL) != "Parameter":
        raise NodeProblem(f"ConfigMap '{name}' needs to have the label {_LABEL}: Parameter to load parameters")
    data = found.get("data") or {}
    if key not in data:
        raise MissingKey(f"ConfigMap '{name}' does not have the key '{key}'")
    return str(data[key])


def has_location(artifact: Mapping[str, Any]) -> bool:
    """Whether an artifact says where it is."""
    return any(artifact.get(kind) for kind in _LOCATIONS)


def process(
    template: Json,
    arguments: Json,
    global_values: Mapping[str, str],
    local_values: Mapping[str, str],
    *,
    templating: Templating,
    config_maps: ConfigMaps,
) -> Json:
    """Fill in a template's inputs and substitute its tags (Argo's ProcessArgs).

    Raises:
        NodeProblem: an input was not supplied, or a ConfigMap is missing.
        LangError: a tag broke the template.
    """
    inputs = template.get("inputs") or {}
    filled = dict(template)
    if inputs:
        filled["inputs"] = {
            key: value
            for key, value in {
                "parameters": [
                    _parameter(parameter, arguments, global_values, templating, config_maps)
                    for parameter in inputs.get("parameters") or []
                ],
                "artifacts": [_artifact(artifact, arguments) for artifact in inputs.get("artifacts") or []],
            }.items()
            if value
        }
    return substitute(filled, global_values, local_values, templating)


def _parameter(
    parameter: Json,
    arguments: Json,
    global_values: Mapping[str, str],
    templating: Templating,
    config_maps: ConfigMaps,
) -> Json:
    filled = copy.deepcopy(parameter)
    if "value" not in filled and "default" in filled:
        filled["value"] = filled["default"]
    given = by_name(arguments.get("parameters"), parameter["name"])
    if given is not None:
        filled.pop("valueFrom", None)
        filled.pop("value", None)
        if "value" in given:
            filled["value"] = given["value"]
        elif "valueFrom" in given:
            filled["valueFrom"] = copy.deepcopy(given["valueFrom"])
    source = filled.get("valueFrom") or {}
    if "configMapKeyRef" in source:
        filled["value"] = _from_config_map(filled, source, global_values, templating, config_maps)
    elif "value" not in filled:
        raise NodeProblem(f"inputs.parameters.{parameter['name']} was not supplied")
    return filled


def _from_config_map(
    parameter: Json, source: Json, global_values: Mapping[str, str], templating: Templating, config_maps: ConfigMaps
) -> str:
    ref = source["configMapKeyRef"]
    name = templating.plain(ref.get("name", ""), global_values)
    key = templating.plain(ref.get("key", ""), global_values)
    try:
        return config_map_value(config_maps, name, key)
    except NodeProblem as error:
        if "default" in source and isinstance(error, MissingKey):
            return str(source["default"])
        raise NodeProblem(
            f"unable to retrieve inputs.parameters.{parameter['name']} from ConfigMap: {error}"
        ) from error


def _artifact(artifact: Json, arguments: Json) -> Json:
    given = by_name(arguments.get("artifacts"), artifact["name"])
    if not artifact.get("optional") and not has_location(artifact):
        if given is None:
            raise NodeProblem(f"inputs.artifacts.{artifact['name']} was not supplied")
        if not has_location(given):
            raise NodeProblem(f"inputs.artifacts.{artifact['name']} missing location information")
    if given is None:
        return artifact
    own = {key: artifact[key] for key in ("path", "mode", "recurseMode") if key in artifact}
    return {**{key: value for key, value in given.items() if key not in {"path", "mode", "recurseMode"}}, **own}


def substitute(
    template: Json, global_values: Mapping[str, str], local_values: Mapping[str, str], templating: Templating
) -> Json:
    """Substitute globals and locals, then inputs and paths (Argo's SubstituteParams).

    Raises:
        NodeProblem: an input has no value.
        LangError: a tag broke the template.
    """
    text = compact(template)
    if "{{" not in text:
        _check_inputs(template)
        return template
    values = {**global_values, **local_values}
    text = templating.text(text, values)
    replaced: Json = json.loads(text)
    _check_inputs(replaced)
    if "{{" not in text:
        return replaced
    values.update(_input_values(replaced))
    values.update(_path_values(replaced))
    done: Json = json.loads(templating.text(text, values))
    return done


def _check_inputs(template: Json) -> None:
    for parameter in (template.get("inputs") or {}).get("parameters") or []:
        if "value" not in parameter and "valueFrom" not in parameter:
            raise NodeProblem(f"inputs.parameters.{parameter['name']} had no value")


def _input_values(template: Json) -> dict[str, str]:
    parameters = (template.get("inputs") or {}).get("parameters") or []
    values = {f"inputs.parameters.{p['name']}": p["value"] for p in parameters if "value" in p}
    values["inputs.parameters"] = marshal_parameters(parameters)
    return values


def _path_values(template: Json) -> dict[str, str]:
    inputs, outputs = template.get("inputs") or {}, template.get("outputs") or {}
    values = {f"inputs.artifacts.{a['name']}.path": a["path"] for a in inputs.get("artifacts") or [] if a.get("path")}
    values |= {
        f"outputs.artifacts.{a['name']}.path": a["path"] for a in outputs.get("artifacts") or [] if a.get("path")
    }
    for parameter in outputs.get("parameters") or []:
        path = (parameter.get("valueFrom") or {}).get("path")
        if path:
            values[f"outputs.parameters.{parameter['name']}.path"] = path
    return values
