"""The files that building a folder reads: followed from its kustomization, so that nothing is fetched or missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.flux.errors import Unsupported
from grader.flux.files import Files
from pipelines.local.errors import BadInput

# prefixes by which kustomize knows what it has to fetch
_REMOTE = ("git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/")
_FOLDERS = ("resources", "bases", "components")
_PLUGINS = ("transformers", "generators", "validators")
_FILES = ("crds", "configurations")


def follow(files: Files, path: Path, body: Mapping[str, Any]) -> dict[Path, str]:
    """Give the texts of everything that a kustomization reads.

    Args:
        files: the tree.
        path: where the kustomization stands; there need not be such a file.
        body: the kustomization.

    Raises:
        BadInput: it, or one below it, names something that is not there or no YAML.
        Unsupported: something would have to be fetched.
    """
    found: dict[Path, str] = {path: ""}
    _body(files, path, body, found)
    return found


def _body(files: Files, path: Path, body: Mapping[str, Any], found: dict[Path, str]) -> None:
    documents = files.documents(path) if path.is_file() else []
    lines = documents[0].lines if documents else {}
    for name, entry, manifest in _entries(body):
        spot = f"{files.name(path)}:{lines.get(name, 1)} {name}"
        if not isinstance(entry, str) or not entry:
            raise BadInput("must be a path", where=spot)
        target = files.inside(path.parent, _local(entry, spot), spot)
        if target.is_dir():
            _folder(files, target, spot, found)
        elif target not in found:
            found[target] = files.text(target)
            if manifest:
                files.documents(target)


def _folder(files: Files, folder: Path, spot: str, found: dict[Path, str]) -> None:
    path = files.kustomization(folder)
    if path is None:
        raise BadInput(
            f"{files.name(folder)} has no kustomization.yaml", where=spot,
            remedy="add one that lists its files under resources",
        )  # fmt: skip
    if path not in found:
        found[path] = files.text(path)
        _body(files, path, read(files, path), found)


def read(files: Files, path: Path) -> Mapping[str, Any]:
    """Read a kustomization file.

    Raises:
        BadInput: it is no YAML mapping, or of another kind.
    """
    documents = files.documents(path)
    if len(documents) > 1:
        raise BadInput("a kustomization file has one document", where=f"{files.name(path)}:{documents[1].line}")
    body = documents[0].data if documents else {}
    if not isinstance(body, dict):
        raise BadInput("must be a mapping", where=f"{files.name(path)}:{documents[0].line}")
    kind = str(body.get("kind") or "Kustomization")
    group = str(body.get("apiVersion") or "kustomize.config.k8s.io").partition("/")[0]
    if kind not in ("Kustomization", "Component") or group != "kustomize.config.k8s.io":
        raise BadInput(
            f"is a {kind} of {group}, and the file's name is kustomize's own",
            where=f"{files.name(path)}:1",
            remedy="give a Flux Kustomization another file",
        )
    return body


def _entries(body: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """List what a kustomization names: where, the path, and whether it is a manifest (which must be YAML)."""
    for name in (*_FOLDERS, *_PLUGINS, *_FILES):
        for index, entry in enumerate(_list(body, name)):
            if not (name in _PLUGINS and isinstance(entry, str) and "\n" in entry):  # written out in place
                yield f"{name}[{index}]", entry, True
    for index, entry in enumerate(_list(body, "patchesStrategicMerge")):
        if "\n" not in str(entry):
            yield f"patchesStrategicMerge[{index}]", entry, True
    for name in ("patches", "patchesJson6902", "replacements"):
        for index, entry in enumerate(_list(body, name)):
            if isinstance(entry, dict) and entry.get("path"):
                yield f"{name}[{index}].path", entry["path"], True
    for name in ("configMapGenerator", "secretGenerator"):
        for index, entry in enumerate(_list(body, name)):
            yield from _generated(f"{name}[{index}]", entry if isinstance(entry, dict) else {})
    path = body["openapi"].get("path") if isinstance(body.get("openapi"), dict) else None
    if path:
        yield "openapi.path", path, True


def _generated(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    for index, file in enumerate(_list(entry, "files")):
        yield f"{name}.files[{index}]", str(file).rpartition("=")[2], False
    for index, file in enumerate(_list(entry, "envs")):
        yield f"{name}.envs[{index}]", file, False
    if entry.get("env"):
        yield f"{name}.env", entry["env"], False


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def _local(entry: str, spot: str) -> str:
    if entry.lower().startswith(_REMOTE):
        raise Unsupported(
            f"{entry} would be fetched, and nothing is fetched here",
            where=spot,
            remedy="copy it into the tree, or let a Flux source and Kustomization of its own bring it",
        )
    return entry
