"""What a validation knows: where templates are found, which variables exist, and what was found wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.local.lang import Lang
from pipelines.local.manifest.documents import Document, Documents
from pipelines.local.manifest.problems import Problem

Json = dict[str, Any]
Scope = dict[str, str]

TYPES = {
    "container": "Container",
    "containerSet": "ContainerSet",
    "steps": "Steps",
    "dag": "DAG",
    "script": "Script",
    "resource": "Resource",
    "data": "Data",
    "suspend": "Suspend",
    "http": "HTTP",
    "plugin": "Plugin",
}
LEAVES = frozenset({"Container", "ContainerSet", "Script", "Resource", "Data", "HTTP", "Plugin"})
PODS = frozenset({"Container", "ContainerSet", "Script", "Resource", "Data"})


def type_of(template: Json) -> str:
    """Name a template's type as Argo does; empty where it has none."""
    return next((name for key, name in TYPES.items() if template.get(key) is not None), "")


def is_leaf(template: Json) -> bool:
    """Tell whether a template runs something itself."""
    return type_of(template) in LEAVES


def parameters(holder: Mapping[str, Any] | None) -> list[Json]:
    """Give the parameters of arguments, inputs or outputs."""
    return (holder or {}).get("parameters") or []


def artifacts(holder: Mapping[str, Any] | None) -> list[Json]:
    """Give the artifacts of arguments, inputs or outputs."""
    return (holder or {}).get("artifacts") or []


@dataclass(frozen=True, kw_only=True)
class Place:
    """A field of a document."""

    document: Document
    path: str

    def at(self, below: str) -> Place:
        """Give the place of something below: `.name` or `[0]`."""
        return Place(document=self.document, path=self.path + below)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A manifest in which templates are looked up by name; `spec` is its workflow spec, at `place`."""

    scope: str
    name: str
    spec: Json
    place: Place

    def template(self, name: str) -> tuple[Json, Place] | None:
        """Find a template by name."""
        for index, each in enumerate(self.spec.get("templates") or []):
            if each.get("name") == name:
                return self._with_pod_metadata(each), self.place.at(f".templates[{index}]")
        return None

    def _with_pod_metadata(self, template: Json) -> Json:
        shared = self.spec.get("podMetadata")
        if shared is None:
            return template
        own = template.get("metadata") or {}
        kinds = ("labels", "annotations")
        return {**template, "metadata": {kind: {**(own.get(kind) or {}), **(shared.get(kind) or {})} for kind in kinds}}


@dataclass(kw_only=True)
class Validation:
    """The validation of one manifest. `globals` grows while templates with global outputs are met."""

    documents: Documents
    document: Document
    lang: Lang
    lint: bool = True
    of_template: bool = False
    globals: Scope = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _told: set[tuple[str, str, str]] = field(default_factory=set)
    _placeholders: int = 0

    def placeholder(self) -> str:
        """Make a text that stands for a value which only a run knows."""
        self._placeholders += 1
        return f"placeholder-{self._placeholders - 1}"

    def report(self, place: Place, message: str, *, prefix: str = "") -> None:
        """Keep a problem; one that was met before on another way is the same problem."""
        key = (place.document.file, place.path, message)
        if key in self._told:
            return
        self._told.add(key)
        self.problems.append(
            Problem(
                path=place.path,
                message=prefix + message,
                file=place.document.file,
                line=place.document.line_of(place.path),
                object=title(self.document),
            )
        )


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a validation is: a field, the manifest in which names are looked up, and how it came here.

    `prefix` is the start of every message from here, as Argo wraps one error in another.
    """

    v: Validation
    place: Place
    base: Base
    prefix: str = ""

    def at(self, below: str) -> Site:
        """Go to something below: `.name` or `[0]`."""
        return replace(self, place=self.place.at(below))

    def after(self, text: str) -> Site:
        """Add to what every message begins with."""
        return replace(self, prefix=self.prefix + text)

    def report(self, message: str, below: str = "") -> None:
        """Keep a problem of this field, or of one below it that exists."""
        place = self.place.at(below) if below and self.has(below) else self.place
        self.v.report(place, message, prefix=self.prefix)

    def has(self, below: str) -> bool:
        """Tell whether a field stands in the manifest."""
        return self.place.path + below in self.place.document.lines


def title(document: Document) -> str:
    """Name a manifest as `argo lint` does: `"hello-" (Workflow)`."""
    metadata = document.body.get("metadata") or {}
    name = metadata.get("name") or metadata.get("generateName") or "object #1"
    return f'"{name}" ({document.kind})'


def dumps(value: Any) -> str:
    """Write JSON for template replacement."""
    return json.dumps(value, ensure_ascii=False)
