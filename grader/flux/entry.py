"""Where a Flux tree begins: the folder whose Kustomizations somebody applies by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.flux.files import Files
from grader.flux.objects import FLUX, SOURCE
from grader.flux.references import follow, read
from pipelines.local.errors import BadInput

FAVOURITE = "local"
"""The cluster that is meant where a tree has several."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """What `spec.path` of a Kustomization means.

    A path starts at the root of an artifact, and nothing in a tree says which folder somebody pushes as one. So the
    folder that a submission names is tried first, then the folders around it up to the submission's own, then the
    only folder below it whose path ends with the one in question (one artifact for each part of the tree).
    """

    files: Files
    folder: Path

    def resolve(self, text: str) -> Path | None:
        """Find the folder; None where there is none."""
        path = text.removeprefix("./").strip("/")
        if path in ("", "."):
            return self.folder
        for base in (self.folder, *self.folder.parents):
            if not base.is_relative_to(self.files.root):
                break
            found = (base / path).resolve()
            if found.is_dir() and found.is_relative_to(self.files.root):
                return found
        below = [each for each in self.folder.rglob(path) if each.is_dir()]
        return below[0].resolve() if len(below) == 1 else None


def find(files: Files, folder: Path, paths: Paths) -> tuple[Path, list[Path]]:
    """Find the entry, and what is applied of it where it has no kustomization file.

    That is every manifest in the folder itself, and of those further below the Flux Kustomizations and sources that
    no other Kustomization applies.

    Raises:
        BadInput: there is no Flux Kustomization, or several clusters of which none is called `local`.
    """
    written = dict.fromkeys(path.parent for path, _ in _kustomizations(files, folder))
    targets: dict[Path, list[Path]] = {}
    for path, body in _kustomizations(files, folder):
        target = paths.resolve(str((body.get("spec") or {}).get("path") or ""))
        if target is not None:
            targets.setdefault(target, []).append(path.parent)
    if not written:
        raise BadInput(
            "there is no Flux Kustomization",
            where=str(folder),
            remedy="add one (kustomize.toolkit.fluxcd.io/v1) with a path, a sourceRef, an interval and prune",
        )
    roots = [each for each in written if not _applied(each, targets)] or list(written)
    entries = list(dict.fromkeys(_including(files, folder, each) for each in roots))
    entries = [each for each in entries if not any(each != other and each.is_relative_to(other) for other in entries)]
    if len(entries) > 1:
        entries = [each for each in entries if FAVOURITE in each.parts] or entries
    if len(entries) > 1:
        names = ", ".join(files.name(each) for each in entries)
        raise BadInput(f"there are several clusters: {names}", where=str(folder), remedy="name one in [flux] path")
    return entries[0], list(_taken(files, entries[0], targets))


def _taken(files: Files, entry: Path, targets: Iterable[Path]) -> Iterator[Path]:
    others = [each for each in targets if each != entry and each.is_relative_to(entry)]
    for path in files.manifests(entry):
        applied = any(path.is_relative_to(each) for each in others)
        if path.parent == entry or (not applied and _has_flux(files, path)):
            yield path


def _has_flux(files: Files, path: Path) -> bool:
    if f"{FLUX}/" not in files.text(path) and f"{SOURCE}/" not in files.text(path):
        return False
    bodies = [document.data for document in files.documents(path) if isinstance(document.data, dict)]
    return any(_is_flux(body) or str(body.get("apiVersion")).startswith(f"{SOURCE}/") for body in bodies)


def _kustomizations(files: Files, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in files.manifests(folder):
        if f"{FLUX}/" not in files.text(path):
            continue
        for document in files.documents(path):
            body = document.data
            if isinstance(body, dict) and _is_flux(body):
                yield path, body


def _is_flux(body: dict[str, Any]) -> bool:
    """Tell a Flux Kustomization from kustomize's own, and from a patch of one."""
    own = body.get("kind") == "Kustomization" and str(body.get("apiVersion")).startswith(f"{FLUX}/")
    return own and isinstance(body.get("spec"), dict) and "sourceRef" in body["spec"]


def _applied(folder: Path, targets: dict[Path, list[Path]]) -> bool:
    """Tell whether a Kustomization that is written outside of a folder applies it."""
    return any(
        folder.is_relative_to(target) and any(not writer.is_relative_to(folder) for writer in writers)
        for target, writers in targets.items()
    )


def _including(files: Files, top: Path, folder: Path) -> Path:
    """Climb to the outermost folder whose kustomization file includes a folder's."""
    found = folder
    for parent in folder.parents:
        if not parent.is_relative_to(top):
            break
        path = files.kustomization(parent)
        if path and any(each.is_relative_to(folder) for each in follow(files, path, read(files, path))):
            found = parent
    return found
