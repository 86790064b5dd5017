"""How Go's JSON decoder says that a value has the wrong type."""

from __future__ import annotations

from typing import Any

from pipelines.local.manifest.schema import types

SCALARS = {
    "string": "string",
    "boolean": "bool",
    "integer": "int64",
    "int32": "int32",
    "int64": "int64",
    "number": "float64",
    "IntOrString": "int32",
}
_OPENAPI = {"string": "string", "boolean": "boolean", "number": "number", "IntOrString": "integer"} | dict.fromkeys(
    ("integer", "int32", "int64"), "integer"
)
_NAMED = {
    "[]Artifact": "v1alpha1.Artifacts",
    "[]Mutex": "[]*v1alpha1.Mutex",
    "[]SemaphoreRef": "[]*v1alpha1.SemaphoreRef",
    "{}Quantity": "v1.ResourceList",
    "{}LifecycleHook": "v1alpha1.LifecycleHooks",
    "[][]WorkflowStep": "[]v1alpha1.ParallelSteps",
    "[]WorkflowStep": "[]map[string]interface {}",
    "WorkflowStep": "map[string]interface {}",
}
_REFERENCES = ("ConfigMapKeySelector", "SecretKeySelector", "ConfigMapEnvSource", "SecretEnvSource")
_CONTAINERS = {"ScriptTemplate": "source", "UserContainer": "mirrorVolumeMounts", "ContainerNode": "dependencies"}


def embedded(type_name: str, field: str) -> str:
    """Give the name of the struct inside another through which Go reaches a field, with a dot; mostly nothing."""
    if type_name in _REFERENCES and field == "name":
        return "LocalObjectReference."
    if type_name in _CONTAINERS and field != _CONTAINERS[type_name]:
        return "Container."
    return ""


def mismatch(value: Any, type_name: str, owner: str, path: str) -> str:
    """Say that a value has the wrong type; `path` is Go's, without indices, `owner` the struct with the field."""
    if type_name == "Quantity":
        return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    got = json_name(value)
    if got == "number" and SCALARS.get(type_name, "").startswith("int"):
        got = f"number {value}"
    if ".steps" in path:
        owner = "Template"  # steps have a decoder of their own, which loses the name
    return f"json: cannot unmarshal {got} into Go struct field {owner}.{path} of type {_go_name(type_name)}"


def openapi_mismatch(value: Any, type_name: str, path: str) -> str:
    """Say that a field of a custom resource has the wrong type, as the API server does."""
    wanted = {"[]": "array", "{}": "object"}.get(type_name[:2]) or _OPENAPI.get(type_name, "object")
    got = {list: "array", dict: "object", bool: "boolean", int: "integer", float: "number"}.get(type(value), "string")
    return f'Invalid value: "{got}": {path} in body must be of type {wanted}: "{got}"'


def json_name(value: Any) -> str:
    """Name the kind of a JSON value."""
    names = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _go_name(type_name: str) -> str:
    if type_name in _NAMED:
        return _NAMED[type_name]
    if type_name.startswith("[]"):
        return "[]" + _go_name(type_name[2:])
    if type_name.startswith("{}"):
        return "map[string]" + _go_name(type_name[2:])
    if type_name in SCALARS:
        return SCALARS[type_name]
    if type_name == "any":
        return "interface {}"
    known = types().get(type_name)
    return f"v1.{type_name}" if known and known.kubernetes else f"v1alpha1.{type_name}"
