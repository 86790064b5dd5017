"""One Flux Kustomization built as kustomize-controller builds it, by kustomize's own library."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from grader.flux.errors import Unsupported
from grader.flux.files import Files
from grader.flux.objects import Rendered
from grader.flux.references import follow, read
from pipelines.local.errors import BadInput
from pipelines.local.lang.build import KUSTOMIZE, binary

ORIGIN = "config.kubernetes.io/origin"
TIMEOUT = 60
_TRIED = re.compile(r"accumulating (?:resources|components): accumulation err='(.*)': must build at directory: .*")
_HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_REFUSED = {
    "kubeConfig": "it applies to another cluster",
    "decryption": "encrypted files cannot be read here",
}


def build(
    files: Files,
    folder: Path,
    *,
    layer: str,
    spec: Mapping[str, Any],
    variables: Mapping[str, str],
    taken: Sequence[Path] | None = None,
) -> list[Rendered]:
    """Build a folder.

    Args:
        files: the tree.
        folder: what is built.
        layer: name of the Kustomization, for the result.
        spec: its spec: namespace, patches, images, prefixes and metadata that it adds.
        variables: values of `${…}`; without any, nothing is substituted.
        taken: what is built where the folder has no kustomization file; else, as Flux does it, all that is below it.

    Raises:
        BadInput: kustomize refuses it.
        Unsupported: the renderer does.
    """
    for name, why in _REFUSED.items():
        if spec.get(name):
            raise Unsupported(f"spec.{name} is not rendered: {why}", where=f"Kustomization {layer}")
    path, body = _kustomization(files, folder, taken)
    body = _extended(files, folder, body, spec)
    texts = {**follow(files, path, body), path: json.dumps(body)}
    request = {
        "files": {f"/{files.name(name)}": text for name, text in texts.items()},
        "path": "/" if folder == files.root else f"/{files.name(folder)}",
        "vars": dict(variables),
    }
    objects = _asked(request, files.name(folder))
    return [_rendered(files, folder, _labelled(each, spec), layer) for each in objects]


def _kustomization(files: Files, folder: Path, taken: Sequence[Path] | None) -> tuple[Path, Mapping[str, Any]]:
    """Read the folder's kustomization, or make the one that Flux would make: of every manifest below it."""
    if path := files.kustomization(folder):
        return path, read(files, path)
    if (folder / ".sourceignore").exists():
        raise Unsupported("is not read here", where=files.name(folder / ".sourceignore"))
    found = _below(files, folder) if taken is None else taken
    resources = [each.relative_to(folder).as_posix() for each in found]
    return folder / "kustomization.yaml", {**_HEAD, "resources": resources}


def _below(files: Files, folder: Path) -> list[Path]:
    """List the manifests below a folder; of a folder in it that has a kustomization file, that folder."""
    found: dict[Path, None] = {}
    for each in files.manifests(folder):
        inner = [one for one in each.parents if one != folder and one.is_relative_to(folder)]
        own = next((one for one in reversed(inner) if files.kustomization(one)), each)
        found[own] = None
    return list(found)


def _extended(files: Files, folder: Path, body: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Add what the Flux Kustomization says to the folder's own kustomization."""
    made: dict[str, Any] = {**_HEAD, **copy.deepcopy(dict(body))}
    for name, key in (("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")):
        if spec.get(name):
            made[key] = spec[name]
    made["patches"] = [*(made.get("patches") or []), *(spec.get("patches") or [])]
    components = spec.get("components") or []
    if spec.get("ignoreMissingComponents"):
        components = [each for each in components if (folder / each).exists()]
    for each in components:
        files.inside(folder, each, f"{files.name(folder)} spec.components")
    made["components"] = [*(made.get("components") or []), *components]
    made["images"] = _images(made.get("images") or [], spec.get("images") or [])
    made["buildMetadata"] = sorted({*(made.get("buildMetadata") or []), "originAnnotations"})
    return {key: value for key, value in made.items() if value not in ([], None)}


def _images(own: list[dict[str, Any]], added: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [dict(each) for each in own]
    for each in added:
        same = next((one for one in found if one.get("name") == each.get("name")), None)
        if same is None:
            found.append(dict(each))
            continue
        if each.get("newName"):
            same["newName"] = each["newName"]
        if each.get("newTag") or each.get("digest"):  # tag and digest are one: the newer pair wins
            same.pop("newTag", None)
            same.pop("digest", None)
            same.update({key: each[key] for key in ("newTag", "digest") if each.get(key)})
    return found


def _asked(request: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    try:
        answer = json.loads(_answer(json.dumps(request)))
    except subprocess.TimeoutExpired:
        raise BadInput(f"kustomize did not finish within {TIMEOUT} s", where=where) from None
    except subprocess.CalledProcessError as error:
        raise BadInput(f"kustomize ended unexpectedly: {error.stderr.strip()[:500]}", where=where) from error
    if "e" in answer:
        raise BadInput(f"kustomize refuses it: {_cause(' '.join(answer['e'].split()))[:700]}", where=where)
    objects: list[dict[str, Any]] = answer["r"] or []
    return objects


@lru_cache(maxsize=64)
def _answer(request: str) -> str:
    """Ask the helper. The same files give the same objects, so a folder that did not change is not built again."""
    program = str(binary(KUSTOMIZE))
    done = subprocess.run([program], input=request, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    return done.stdout


def _cause(message: str) -> str:
    """Give the inmost cause: kustomize tries a file as a folder too, and tells both failures."""
    found = _TRIED.fullmatch(message)
    return _cause(found[1]) if found else message


def _labelled(body: dict[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Add the labels and annotations that the Flux Kustomization gives to all objects."""
    for name, values in (spec.get("commonMetadata") or {}).items():
        if values:
            metadata = body.setdefault("metadata", {})
            metadata[name] = {**(metadata.get(name) or {}), **values}
    return body


def _rendered(files: Files, folder: Path, body: dict[str, Any], layer: str) -> Rendered:
    metadata = body.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    origin = yaml.safe_load(annotations.pop(ORIGIN, "")) or {}
    if not annotations:
        metadata.pop("annotations", None)
    path = (folder / str(origin["path"])).resolve() if origin.get("path") else None
    if path is None or not path.is_file() or not path.is_relative_to(files.root):
        return Rendered(body=body, layer=layer, file=files.name(folder) if origin else "")
    kind, name = body.get("kind"), metadata.get("name")
    same = [each for each in files.documents(path) if isinstance(each.data, dict) and each.data.get("kind") == kind]
    exact = [each for each in same if (each.data.get("metadata") or {}).get("name") == name]
    document = next(iter(exact or same), None)
    if document is None:
        return Rendered(body=body, layer=layer, file=files.name(path))
    return Rendered(body=body, layer=layer, file=files.name(path), line=document.line, lines=document.lines)
