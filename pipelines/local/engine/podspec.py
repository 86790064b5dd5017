"""From a processed template to what the sandbox needs: command, environment, files in, files out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.engine.context import Objects
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import compact
from pipelines.local.engine.images import Image
from pipelines.local.engine.specs import Json

SCRIPT = "/argo/staging/script"
_MAX_VARIABLE = 131072
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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


def build(template: Json, image: Image, place: PodPlace, objects: Objects, *, include_result: bool) -> dict[str, Any]:
    """Describe a container or script to the sandbox.

    Returns:
        `id`, `dir`, `argv`, `env`, `cwd`, `files`, `outputs`, `mounts`, `keep`, `show`, `private`, `stdout`, `stderr`,
        `grace`; all JSON.

    Raises:
        NodeProblem: a ConfigMap or Secret that the environment needs is missing.
    """
    container = template.get("container") or template.get("script") or {}
    folder = str(place.folder)
    declared = environment(container, place, objects, include_result=include_result)
    return {
        "id": f"{place.workflow}/{place.node_id}",
        "dir": folder,
        "argv": [expand(argument, declared) for argument in command(template, image)],
        "env": {**_image_environment(image, place), **declared},
        "cwd": container.get("workingDir") or image.workdir,
        "files": _files(template, place),
        "outputs": _outputs(template, place),
        "mounts": [[inside, str(outside)] for inside, outside in image.mounts.items()],
        "keep": [str(place.state_root)],
        "show": sorted({sys.prefix, sys.base_prefix, *map(str, image.path)}),
        "private": f"{folder}/private",
        "stdout": f"{folder}/stdout.log",
        "stderr": f"{folder}/stderr.log",
        "grace": 30,
    }


def through_environment(template: Json, place: PodPlace) -> Json:
    """Return a template as it reaches Argo's executor: in an environment variable, so that the kubelet expands `$$`.

    A template too large for a variable goes by another way, and stays as it is. Command and arguments are expanded
    later, with the container's own environment.
    """
    text = compact(template)
    if "$" not in text or len(text) > _MAX_VARIABLE:
        return template
    known = {
        "ARGO_POD_NAME": place.pod_name,
        "ARGO_POD_UID": place.uid,
        "ARGO_WORKFLOW_NAME": place.workflow,
        "ARGO_CONTAINER_NAME": "init",
    }
    expanded: Json = json.loads(expand(text, known))
    for kind in ("container", "script"):
        if kind in template:
            given = {key: template[kind][key] for key in ("command", "args", "env", "envFrom") if key in template[kind]}
            expanded[kind] = {**expanded[kind], **given}
    return expanded


def command(template: Json, image: Image) -> list[str]:
    """Return a container's or script's full command line.

    Raises:
        NodeProblem: nothing says what to run.
    """
    container = template.get("container") or template.get("script") or {}
    given, arguments = list(container.get("command") or []), list(container.get("args") or [])
    if template.get("script", {}).get("source"):
        arguments.append(SCRIPT)
    if not given:
        given = list(image.entrypoint)
        if "args" not in container and not arguments:
            arguments = list(image.default_args)
    if not [*given, *arguments]:
        raise NodeProblem(f"image {image.name!r} has no command of its own, and the template gives none")
    return [*given, *arguments]


def _image_environment(image: Image, place: PodPlace) -> dict[str, str]:
    return {
        "PATH": ":".join([*map(str, image.path), _SYSTEM_PATH]),
        "HOME": "/root",
        "HOSTNAME": place.pod_name,
        **image.env,
    }


def environment(container: Json, place: PodPlace, objects: Objects, *, include_result: bool) -> dict[str, str]:
    """Return what the manifest and Argo add to an image's environment, `$(NAME)` expanded; only these are known to `$(NAME)`."""
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


def _files(template: Json, place: PodPlace) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = []
    if "script" in template:
        files.append({"path": SCRIPT, "text": template["script"].get("source", ""), "mode": 0o755})
    for artifact in (template.get("inputs") or {}).get("artifacts") or []:
        entry: dict[str, Any] = {"path": artifact.get("path", ""), "mode": artifact.get("mode")}
        if not entry["path"]:
            continue
        entry["recurse"] = artifact.get("recurseMode", False)
        if "raw" in artifact:
            files.append({**entry, "text": artifact["raw"].get("data", "")})
        elif "s3" in artifact:
            files.append({**entry, "from": str(stored_artifact(place.artifacts, artifact))})
    return files


def stored_artifact(root: Path, artifact: Json) -> Path:
    """Return where an artifact that another step put out is kept."""
    key = Path(*[part for part in Path(artifact["s3"]["key"]).parts if part not in {"/", ".."}])
    return root / key


def artifact_key(place: PodPlace, name: str) -> str:
    """Return the key under which an artifact is kept, of Argo's default form."""
    return f"{place.workflow}/{place.pod_name}/{name}.tgz"


def _outputs(template: Json, place: PodPlace) -> list[dict[str, str]]:
    """Say which files to save: output parameters by path, then artifacts, in the template's order."""
    outputs = template.get("outputs") or {}
    saved = [
        {"path": parameter["valueFrom"]["path"], "to": str(place.folder / "outputs" / str(index))}
        for index, parameter in enumerate(outputs.get("parameters") or [])
        if (parameter.get("valueFrom") or {}).get("path")
    ]
    return saved + [
        {"path": artifact["path"], "to": str(place.artifacts / artifact_key(place, artifact["name"]))}
        for artifact in outputs.get("artifacts") or []
        if artifact.get("path")
    ]
