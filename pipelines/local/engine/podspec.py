"""From a processed template to what the sandbox needs: command, environment, files in, files out."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from pipelines.local.engine.context import Objects
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import compact
from pipelines.local.engine.images import Image
from pipelines.local.engine.podenv import PodPlace, environment, expand
from pipelines.local.engine.specs import Json

SCRIPT = "/argo/staging/script"
_MAX_VARIABLE = 131072
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def build(template: Json, image: Image, place: PodPlace, objects: Objects, *, include_result: bool) -> dict[str, Any]:
    """Describe a container or script to the sandbox.

    Returns:
        `id`, `dir`, `argv`, `env`, `cwd`, `files`, `outputs`, `mounts`, `keep`, `show`, `private`, `stdout`, `stderr`,
        `roots`, `grace`; all JSON.

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
        "roots": [str(place.artifacts)],
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


def in_the_open(spec: dict[str, Any]) -> dict[str, Any]:
    """Change a description for a machine that cannot give a step its own file system.

    Script, working directory, home and temporary files are then in the step's folder; paths that the manifest names
    are the machine's own.
    """
    folder = Path(spec["dir"])
    for name in ("work", "tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    source = str(folder / "script")
    return {
        **spec,
        "argv": [source if word == SCRIPT else word for word in spec["argv"]],
        "files": [{**file, "path": source if file["path"] == SCRIPT else file["path"]} for file in spec["files"]],
        "cwd": str(folder / "work") if spec["cwd"] == "/" else spec["cwd"],
        "env": {**spec["env"], "HOME": str(folder / "work"), "TMPDIR": str(folder / "tmp")},
    }


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
    """Return where an artifact that another step put out is kept.

    Raises:
        NodeProblem: a link that a step put there leads to somewhere else.
    """
    key = Path(*[part for part in Path(artifact["s3"]["key"]).parts if part not in {"/", ".."}])
    if not (root / key).resolve().is_relative_to(root.resolve()):
        raise NodeProblem(f"artifact {artifact.get('name', '')!r}: its key leads out of the artifacts")
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
