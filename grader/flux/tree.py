"""A Flux tree rendered here: the Kustomizations found, their paths followed, their objects built, in Flux's order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from grader.flux.build import build
from grader.flux.entry import Paths, find
from grader.flux.files import Files
from grader.flux.objects import BY_HAND, FLUX, Layer, Rendered, Tree
from grader.flux.substitute import variables
from pipelines.local.errors import BadInput

SUBMISSION = "submission.toml"
MOST_LAYERS = 100


def load(folder: Path) -> Tree:
    """Render the Flux tree of a folder.

    What somebody applies by hand comes first (see `grader.flux.entry`); then each Flux Kustomization, after those
    that it depends on. A Kustomization whose source is another one than its neighbours' and whose path is not in the
    tree has a layer without objects: what it applies is not part of the tree.

    Args:
        folder: the tree; paths may start in a folder around it, up to the one with `submission.toml`.

    Raises:
        BadInput: it cannot be built: YAML, paths, kustomize; `where` has file and line.
        Unsupported: it uses something that is not rendered here.
    """
    folder = folder.resolve()
    root = next((each for each in (folder, *folder.parents) if (each / SUBMISSION).is_file()), folder)
    return _load(folder, root, _stamp(root))


def _stamp(root: Path) -> str:
    """Tell one state of the files from another, without reading them."""
    digest = hashlib.sha256()
    for current, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            state = (Path(current) / name).lstat()
            digest.update(f"{current}/{name}\0{state.st_mtime_ns}\0{state.st_size}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _load(folder: Path, root: Path, _stamp: str) -> Tree:
    files = Files(root=root)
    paths = Paths(files=files, folder=folder)
    entry, taken = find(files, folder, paths)
    rendering = _Rendering(files=files, paths=paths, entry=entry)
    rendering.add(BY_HAND, build(files, entry, layer=BY_HAND, spec={}, variables={}, taken=taken))
    while rendering.waiting:
        rendering.next()
    return Tree(root=root, layers=tuple(rendering.layers))


@dataclass(kw_only=True)
class _Rendering:
    files: Files
    paths: Paths
    entry: Path
    layers: list[Layer] = field(default_factory=list)
    waiting: list[Rendered] = field(default_factory=list)
    known: dict[str, Path | None] = field(default_factory=dict)

    def add(
        self, name: str, objects: Sequence[Rendered], kustomization: Rendered | None = None, folder: Path | None = None
    ) -> None:
        """Add a layer, and have the Kustomizations in it wait for their turn."""
        self.layers.append(Layer(name=name, kustomization=kustomization, folder=folder, objects=tuple(objects)))
        for each in objects:
            if each.group != FLUX or each.kind != "Kustomization" or each.full in self.known:
                continue
            self.known[each.full] = self._folder(each)
            self.waiting.append(each)
        if len(self.known) > MOST_LAYERS:
            raise BadInput(f"there are more than {MOST_LAYERS} Kustomizations")

    def next(self) -> None:
        """Render the first one whose dependencies are done; the first of all where they depend on each other."""
        left = {each.full for each in self.waiting}
        chosen = next((each for each in self.waiting if left.isdisjoint(dependencies(each))), self.waiting[0])
        self.waiting.remove(chosen)
        folder = self.known[chosen.full]
        if folder is None or folder == self.entry:  # not of this tree; or the entry's own, which is rendered already
            self.add(chosen.full, (), chosen, folder)
            return
        objects = [each for layer in self.layers for each in layer.objects]
        values = variables(chosen, objects)
        built = build(self.files, folder, layer=chosen.full, spec=chosen.spec, variables=values)
        self.add(chosen.full, built, chosen, folder)

    def _folder(self, kustomization: Rendered) -> Path | None:
        path = str(kustomization.spec.get("path") or "")
        found = self.paths.resolve(path)
        if found is not None and not (self._foreign(kustomization) and path in ("", ".", "./")):
            return found
        if self._foreign(kustomization):
            return None
        raise BadInput(
            f"path {path} is no folder of the tree",
            where=f"{kustomization.at('spec.path')} {kustomization.title}",
            remedy="paths start at the root of the artifact that is pushed",
        )

    def _foreign(self, kustomization: Rendered) -> bool:
        """Tell whether it has another source than the first Kustomization, from which the tree itself comes."""
        everything = [*(each for layer in self.layers for each in layer.objects), *self.waiting]
        first = next((each for each in everything if each.group == FLUX and each.kind == "Kustomization"), None)
        return first is not None and source_of(first) != source_of(kustomization)


def dependencies(kustomization: Rendered) -> list[str]:
    """Give the full names of the Kustomizations that one depends on."""
    found: list[dict[str, Any]] = kustomization.spec.get("dependsOn") or []
    return [f"{each.get('namespace') or kustomization.namespace}/{each.get('name')}" for each in found]


def source_of(kustomization: Rendered) -> tuple[str, str, str]:
    """Give kind, namespace and name of where a Kustomization's files come from."""
    reference = kustomization.spec.get("sourceRef") or {}
    return (
        str(reference.get("kind") or ""),
        str(reference.get("namespace") or kustomization.namespace),
        str(reference.get("name") or ""),
    )
