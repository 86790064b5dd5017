"""The `workflow.*` values that tags may use anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.local.engine.arguments import ConfigMaps, config_map_value
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import marshal, marshal_parameters
from pipelines.local.engine.specs import Json

SCHEDULED_TIME = "workflows.argoproj.io/scheduled-time"
_STRFTIME = "BbmAadHIMSYypZzL"


def fixed_values(metadata: Json, spec: Json, created: datetime, config_maps: ConfigMaps) -> dict[str, str]:
    """Return the values that do not change while a workflow runs.

    Raises:
        NodeProblem: a parameter has no value, or its ConfigMap is missing.
    """
    values = {
        "workflow.name": metadata["name"],
        "workflow.namespace": metadata["namespace"],
        "workflow.mainEntrypoint": spec.get("entrypoint", ""),
        "workflow.serviceAccountName": spec.get("serviceAccountName", ""),
        "workflow.uid": metadata["uid"],
        **_creation(created),
        **_parameters(spec.get("arguments") or {}, config_maps),
        **_labels(metadata, spec.get("workflowMetadata") or {}),
    }
    annotations = metadata.get("annotations") or {}
    if SCHEDULED_TIME in annotations:
        values["workflow.scheduledTime"] = annotations[SCHEDULED_TIME]
    if "priority" in spec:
        values["workflow.priority"] = str(spec["priority"])
    return values


def _creation(created: datetime) -> dict[str, str]:
    prefix = "workflow.creationTimestamp"
    rfc3339 = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    values = {prefix: rfc3339, f"{prefix}.RFC3339": rfc3339, f"{prefix}.s": str(int(created.timestamp()))}
    for char in _STRFTIME:
        values[f"{prefix}.{char}"] = ".000" if char == "L" else created.strftime(f"%{char}")
    return values


def _parameters(arguments: Json, config_maps: ConfigMaps) -> dict[str, str]:
    parameters = arguments.get("parameters") or []
    listed = marshal_parameters(parameters)
    values = {"workflow.parameters": listed, "workflow.parameters.json": listed}
    for parameter in parameters:
        values[f"workflow.parameters.{parameter['name']}"] = parameter_value(parameter, config_maps)
    return values


def parameter_value(parameter: Mapping[str, Any], config_maps: ConfigMaps) -> str:
    """Return the value of a workflow parameter, from its ConfigMap if it says so."""
    name = parameter["name"]
    if "value" in parameter:
        return str(parameter["value"])
    source = parameter.get("valueFrom") or {}
    ref = source.get("configMapKeyRef")
    if ref is None:
        raise NodeProblem(f"either value or valueFrom must be specified in order to set global parameter {name}")
    try:
        return config_map_value(config_maps, ref.get("name", ""), ref.get("key", ""))
    except NodeProblem as error:
        if "default" in source:
            return str(source["default"])
        raise NodeProblem(
            f"failed to set global parameter {name} from configmap with name {ref.get('name', '')}"
            f" and key {ref.get('key', '')}: {error}"
        ) from error


def _labels(metadata: Json, extra: Json) -> dict[str, str]:
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    values: dict[str, str] = {}
    for kind, found in (("annotations", annotations), ("labels", labels)):
        listed = marshal(found) if found else "null"
        values[f"workflow.{kind}"] = values[f"workflow.{kind}.json"] = listed
        values |= {f"workflow.{kind}.{key}": str(value) for key, value in found.items()}
        values |= {f"workflow.{kind}.{key}": str(value) for key, value in (extra.get(kind) or {}).items()}
    return values
