"""Objects as Flux would apply them, in layers: one for each Flux Kustomization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLUX = "kustomize.toolkit.fluxcd.io"
HELM = "helm.toolkit.fluxcd.io"
SOURCE = "source.toolkit.fluxcd.io"
ARGO = "argoproj.io"
SPARK = "sparkoperator.k8s.io"
BY_HAND = ""
"""Name of the layer that a person, or `flux bootstrap`, applies."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One object.

    Args:
        body: the object.
        layer: full name of the Flux Kustomization that applies it; `BY_HAND` for none.
        file: where it is written, from the tree's root; empty for what a generator made.
        line: line of its document, from 1.
        lines: line of each of its fields' paths, as far as they are written there.
    """

    body: Mapping[str, Any]
    layer: str
    file: str
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """HelmRelease, say."""
        return str(self.body.get("kind") or "")

    @property
    def group(self) -> str:
        """API group; empty for core objects."""
        version = str(self.body.get("apiVersion") or "")
        return version.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Name of the object."""
        return str((self.body.get("metadata") or {}).get("name") or "")

    @property
    def namespace(self) -> str:
        """Namespace; empty where it has none."""
        return str((self.body.get("metadata") or {}).get("namespace") or "")

    @property
    def full(self) -> str:
        """Give `namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def title(self) -> str:
        """Give `HelmRelease spark-operator/spark-operator`."""
        return f"{self.kind} {self.full}"

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec; empty where it has none."""
        found = self.body.get("spec")
        return found if isinstance(found, dict) else {}

    def at(self, path: str = "") -> str:
        """Give file and line of a field, or of the nearest around it that is written there."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return f"{self.file}:{self.lines.get(path, self.line) if path else self.line}" if self.file else self.title


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What one Flux Kustomization applies.

    Args:
        name: `namespace/name` of it; `BY_HAND` for what no Kustomization applies.
        kustomization: the object itself; None for `BY_HAND`.
        folder: what it builds; None where that comes from a source outside of the tree.
        objects: the result, in kustomize's order.
    """

    name: str
    kustomization: Rendered | None
    folder: Path | None
    objects: Sequence[Rendered]

    @property
    def suspended(self) -> bool:
        """Whether Flux leaves it alone."""
        return bool(self.kustomization and self.kustomization.spec.get("suspend"))

    @property
    def title(self) -> str:
        """Give its name for people."""
        return f"Kustomization {self.name}" if self.name else "what is applied by hand"


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A rendered Flux tree.

    Args:
        root: files' names start here.
        layers: in the order in which Flux can apply them.
    """

    root: Path
    layers: Sequence[Layer]

    @property
    def objects(self) -> list[Rendered]:
        """All objects, in order."""
        return [each for layer in self.layers for each in layer.objects]

    def of(self, group: str, *kinds: str) -> list[Rendered]:
        """Give the objects of some kinds of an API group."""
        return [each for each in self.objects if each.group == group and each.kind in kinds]

    def find(self, group: str, kind: str, namespace: str, name: str) -> Rendered | None:
        """Find one object."""
        full = f"{namespace}/{name}" if namespace else name
        return next((each for each in self.of(group, kind) if each.full == full), None)

    def layer(self, name: str) -> Layer | None:
        """Find a layer by its full name."""
        return next((each for each in self.layers if each.name == name), None)


def resource_templates(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the resource templates of a workflow's spec by name."""
    for template in spec.get("templates") or []:
        if isinstance(template, dict) and isinstance(template.get("resource"), dict):
            yield str(template.get("name") or ""), template["resource"]
