"""A container's environment, as the kubelet makes it from the manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.engine.context import Objects
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.specs import Json


@dataclass(frozen=True, kw_only=True)
class PodPlace:
    """Who and where a pod is: names for `fieldRef` and the environment, folders for its files."""

    workflow: str
    namespace: str
    uid: str
    node_id: str
    pod_name: str
    folder: Path
    artifacts: Path
    state_root: Path
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    service_account: str = "default"


def environment(container: Json, place: PodPlace, objects: Objects, *, include_result: bool) -> dict[str, str]:
    """Return what the manifest and Argo add to an image's environment; `$(NAME)` knows only these."""
    env: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        env |= _env_from(source, objects)
    for entry in container.get("env") or []:
        value = _env_value(entry, place, objects)
        if value is not None:
            env[entry["name"]] = expand(value, env)
    env["ARGO_CONTAINER_NAME"] = "main"
    env["ARGO_NODE_ID"] = place.node_id
    env["ARGO_INCLUDE_SCRIPT_OUTPUT"] = "true" if include_result else "false"
    env["ARGO_PROGRESS_FILE"] = "/var/run/argo/progress"
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """Expand `$(NAME)` as Kubernetes does: unknown names stay, `$$` is one dollar."""
    out, position = [], 0
    while (dollar := text.find("$", position)) >= 0:
        out.append(text[position:dollar])
        rest = text[dollar + 1 :]
        if rest.startswith("$"):
            out.append("$")
            position = dollar + 2
        elif rest.startswith("(") and ")" in rest:
            name = rest[1 : rest.index(")")]
            out.append(env.get(name, f"$({name})"))
            position = dollar + 2 + len(name) + 1
        else:
            out.append("$")
            position = dollar + 1
    return "".join([*out, text[position:]])


def _env_from(source: Json, objects: Objects) -> dict[str, str]:
    prefix = source.get("prefix", "")
    if "configMapRef" in source:
        ref = source["configMapRef"]
        found = objects.config_map(ref.get("name", ""))
        data: Mapping[str, str] | None = (found or {}).get("data") or {} if found else None
        kind = "configmap"
    else:
        ref = source.get("secretRef") or {}
        data = objects.secret(ref.get("name", ""))
        kind = "secret"
    if data is None:
        if ref.get("optional"):
            return {}
        raise NodeProblem(f'CreateContainerConfigError: {kind} "{ref.get("name", "")}" not found')
    return {f"{prefix}{key}": str(value) for key, value in data.items()}


def _env_value(entry: Json, place: PodPlace, objects: Objects) -> str | None:
    if "valueFrom" not in entry:
        return str(entry.get("value", ""))
    source = entry["valueFrom"]
    if "configMapKeyRef" in source:
        ref = source["configMapKeyRef"]
        found = objects.config_map(ref.get("name", ""))
        return _from_data(ref, (found.get("data") or {}) if found else None, "configmap", place)
    if "secretKeyRef" in source:
        ref = source["secretKeyRef"]
        return _from_data(ref, objects.secret(ref.get("name", "")), "secret", place)
    if "fieldRef" in source:
        return _field(source["fieldRef"].get("fieldPath", ""), place)
    return ""


def _from_data(ref: Json, data: Mapping[str, str] | None, kind: str, place: PodPlace) -> str | None:
    name, key = ref.get("name", ""), ref.get("key", "")
    if data is not None and key in data:
        return str(data[key])
    if ref.get("optional"):
        return None
    if data is None:
        raise NodeProblem(f'CreateContainerConfigError: {kind} "{name}" not found')
    kind = {"configmap": "ConfigMap", "secret": "Secret"}[kind]
    raise NodeProblem(f"CreateContainerConfigError: couldn't find key {key} in {kind} {place.namespace}/{name}")


def _field(path: str, place: PodPlace) -> str:
    known = {
        "metadata.name": place.pod_name,
        "metadata.namespace": place.namespace,
        "metadata.uid": place.uid,
        "spec.nodeName": os.uname().nodename,
        "spec.serviceAccountName": place.service_account,
        "status.podIP": "127.0.0.1",
        "status.hostIP": "127.0.0.1",
    }
    for kind, values in (("labels", place.labels), ("annotations", place.annotations)):
        prefix = f"metadata.{kind}["
        if path.startswith(prefix):
            return str(values.get(path[len(prefix) :].strip("]'\""), ""))
    return known.get(path, "")
