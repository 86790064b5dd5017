"""What is executed: the workflow's own spec, or the merge of it with the WorkflowTemplate it refers to."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

# Lists that Kubernetes' strategic merge patch merges by key; all others are replaced.
_MERGE_KEYS = {
    "templates": "name",
    "parameters": "name",
    "artifacts": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "env": "name",
    "ports": "containerPort",
    "initContainers": "name",
    "sidecars": "name",
    "imagePullSecrets": "name",
    "tolerations": "key",
    "hostAliases": "ip",
    "volumeClaimTemplates": "name",
    "tasks": "name",
}
_TYPES = ("container", "containerSet", "steps", "dag", "script", "resource", "data", "suspend", "http", "plugin")
_POD_TYPES = frozenset({"container", "containerSet", "script", "resource", "data"})


def template_type(template: Mapping[str, Any]) -> str:
    """Return which of a template's types is set (`container`, `dag`, …), or an empty text."""
    return next((kind for kind in _TYPES if kind in template), "")


def is_pod(template: Mapping[str, Any]) -> bool:
    """Whether a template runs a pod of its own."""
    return template_type(template) in _POD_TYPES


def node_type(template: Mapping[str, Any]) -> str:
    """Return the type of node that a template gets; a retry strategy makes it a Retry node."""
    if "retryStrategy" in template:
        return "Retry"
    kind = template_type(template)
    if kind in _POD_TYPES:
        return "Pod"
    return {"dag": "DAG", "steps": "Steps", "suspend": "Suspend"}.get(kind, "")


def merge(base: Any, override: Any, key: str = "") -> Any:
    """Merge as Kubernetes' strategic merge patch does: `override` wins, maps merge, some lists merge by key."""
    if isinstance(base, Mapping) and isinstance(override, Mapping):
        merged = {name: copy.deepcopy(value) for name, value in base.items() if name not in override}
        return merged | {
            name: merge(base[name], value, name) if name in base else copy.deepcopy(value)
            for name, value in override.items()
        }
    if isinstance(base, list) and isinstance(override, list) and key in _MERGE_KEYS:
        return _merge_list(base, override, _MERGE_KEYS[key])
    return copy.deepcopy(override)


def _merge_list(base: list[Any], override: list[Any], key: str) -> list[Any]:
    """Merge two lists of maps by key, in the order that Kubernetes gives them."""
    if not all(isinstance(item, Mapping) and key in item for item in [*base, *override]):
        return copy.deepcopy(override)
    known = {item[key]: index for index, item in enumerate(base)}
    right = [merge(base[known[i[key]]], i) if i[key] in known else copy.deepcopy(i) for i in override]
    given = {item[key] for item in override}
    left = [copy.deepcopy(item) for item in base if item[key] not in given]
    merged = []
    while left and right:
        first = right[0][key] in known and known[left[0][key]] < known[right[0][key]]
        merged.append((left if first else right).pop(0))
    return [*merged, *left, *right]


def join(spec: Json, template_spec: Json) -> Json:
    """Join a workflow's spec with that of its WorkflowTemplate; the workflow's own wins."""
    hooks = {**template_spec.get("hooks", {}), **spec.get("hooks", {})}
    bare = {key: value for key, value in template_spec.items() if key != "hooks"}
    joined: Json = merge(bare, spec)
    if hooks:
        joined["hooks"] = copy.deepcopy(hooks)
    joined.pop("suspend", None)
    if "suspend" in spec:
        joined["suspend"] = spec["suspend"]
    _keep_one_source(joined, spec, template_spec)
    return joined


def _keep_one_source(joined: Json, *sources: Json) -> None:
    """A parameter with a value keeps only what its most important source says, not a mixture."""
    parameters = joined.get("arguments", {}).get("parameters", [])
    for index, parameter in enumerate(parameters):
        if not has_value(parameter):
            continue
        for source in sources:
            found = by_name(source.get("arguments", {}).get("parameters"), parameter["name"])
            if found and has_value(found):
                parameters[index] = copy.deepcopy(found)
                break


def has_value(parameter: Mapping[str, Any]) -> bool:
    """Whether a parameter has a value, a default, or a source of one."""
    return any(key in parameter for key in ("value", "default", "valueFrom"))


def by_name(items: list[Json] | None, name: str) -> Json | None:
    """Return the entry of this name in a list of named maps."""
    return next((item for item in items or [] if item.get("name") == name), None)


def with_defaults(template: Json, defaults: Json | None) -> Json:
    """Merge `spec.templateDefaults` under a template, without changing the template's type."""
    if not defaults:
        return template
    kind = template_type(template)
    merged: Json = merge(defaults, template)
    return {key: value for key, value in merged.items() if key not in _TYPES or key == kind}


def exit_hook(holder: Mapping[str, Any], arguments: Json) -> Json | None:
    """Return the exit handler of a step, task or spec (`onExit`, or the hook `exit`); it inherits the arguments."""
    if holder.get("onExit"):
        return {"template": holder["onExit"], "arguments": arguments}
    hook = (holder.get("hooks") or {}).get("exit")
    if hook is None:
        return None
    given = hook.get("arguments") or {}
    empty = not given.get("parameters") and not given.get("artifacts")
    return {**hook, "arguments": arguments if empty else given}
