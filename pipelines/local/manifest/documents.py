"""The manifests of a run: documents by kind, and where each of their fields stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.local.errors import BadInput
from pipelines.local.manifest import goyaml

ARGO = "argoproj.io/v1alpha1"
SPARK = "sparkoperator.k8s.io/v1beta2"
KINDS: Mapping[str, str] = {
    "Workflow": ARGO,
    "WorkflowTemplate": ARGO,
    "ClusterWorkflowTemplate": ARGO,
    "CronWorkflow": ARGO,
    "ConfigMap": "v1",
    "Secret": "v1",
    "SparkApplication": SPARK,
    "ScheduledSparkApplication": SPARK,
}
# Kinds that stand beside workflows in a cluster's folder and mean nothing on this machine.
NO_EFFECT = frozenset(
    {
        "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Deployment", "GitRepository", "HelmRelease",
        "HelmRepository", "Ingress", "Job", "Kustomization", "LimitRange", "Namespace", "NetworkPolicy",
        "OCIRepository", "PersistentVolumeClaim", "ResourceQuota", "Role", "RoleBinding", "Service", "ServiceAccount",
        "StatefulSet", "StorageClass", "WorkflowEventBinding",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Document:
    """One manifest: its plain data, and where it came from. `lines` maps field paths to lines (from 1)."""

    kind: str
    name: str
    body: dict[str, Any]
    file: str
    line: int
    lines: Mapping[str, int] = field(repr=False)

    def line_of(self, path: str) -> int:
        """Give the line of a field, or of the nearest field around it that exists."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.line


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Everything that was loaded, in order; the lists and mappings below are of plain data."""

    all: tuple[Document, ...]

    def of(self, *kinds: str) -> list[Document]:
        """Give the documents of some kinds, in order."""
        return [each for each in self.all if each.kind in kinds]

    def _bodies(self, kind: str) -> list[dict[str, Any]]:
        return [each.body for each in self.of(kind)]

    def _by_name(self, kind: str) -> dict[str, dict[str, Any]]:
        return {each.name: each.body for each in self.of(kind)}

    @property
    def workflows(self) -> list[dict[str, Any]]:
        """Workflows."""
        return self._bodies("Workflow")

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        """WorkflowTemplates by name."""
        return self._by_name("WorkflowTemplate")

    @property
    def cluster_templates(self) -> dict[str, dict[str, Any]]:
        """ClusterWorkflowTemplates by name."""
        return self._by_name("ClusterWorkflowTemplate")

    @property
    def crons(self) -> list[dict[str, Any]]:
        """CronWorkflows."""
        return self._bodies("CronWorkflow")

    @property
    def configmaps(self) -> list[dict[str, Any]]:
        """ConfigMaps."""
        return self._bodies("ConfigMap")

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """Secrets."""
        return self._bodies("Secret")

    @property
    def spark_apps(self) -> list[dict[str, Any]]:
        """SparkApplications."""
        return self._bodies("SparkApplication")

    @property
    def scheduled_spark_apps(self) -> list[dict[str, Any]]:
        """ScheduledSparkApplications."""
        return self._bodies("ScheduledSparkApplication")

    @property
    def without_effect(self) -> list[Document]:
        """Documents of kinds that mean nothing on this machine."""
        return [each for each in self.all if each.kind in NO_EFFECT]


def load(paths: Iterable[str | Path]) -> Documents:
    """Load manifests from files, from every YAML or JSON file below folders, or from standard input (`-`).

    Raises:
        BadInput: a file cannot be read, is not YAML, holds something that is no manifest of a known kind, or two
            objects of the same kind and name.
    """
    found: list[Document] = []
    for path in paths:
        for file in _files(str(path)):
            found.extend(_read(file))
    _check_unique(found)
    return Documents(all=tuple(found))


def from_text(text: str, file: str = "manifest.yaml") -> Documents:
    """Load manifests from a text."""
    found = _documents(text, file)
    _check_unique(found)
    return Documents(all=tuple(found))


def _files(path: str) -> list[str]:
    if path == "-":
        return ["/dev/stdin"]
    if not Path(path).is_dir():
        return [path]
    found = sorted(str(each) for each in Path(path).rglob("*") if each.suffix in (".yaml", ".yml", ".json"))
    if not found:
        raise BadInput("there is no YAML file in this folder", where=path)
    return found


def _read(file: str) -> list[Document]:
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=file) from error
    except UnicodeDecodeError as error:
        raise BadInput("not YAML: the file is not UTF-8 text", where=file) from error
    return _documents(text, file)


def _documents(text: str, file: str) -> list[Document]:
    parsed = list(_json(text) if file.endswith(".json") else goyaml.parse(text, file))
    found = [document for each in parsed for document in _document(each, file)]
    if not found:
        raise BadInput("there is no manifest in this file", where=file)
    return found


def _json(text: str) -> list[goyaml.Parsed]:
    try:
        return [goyaml.Parsed(data=json.loads(text), line=1, lines={})]
    except ValueError:
        return list(goyaml.parse(text, "JSON"))


def _document(parsed: goyaml.Parsed, file: str) -> list[Document]:
    where = f"{file}:{parsed.line}"
    body = parsed.data
    if not isinstance(body, dict):
        raise BadInput(f"a manifest is a mapping, this is {_a(body)}", where=where)
    kind = body.get("kind")
    if not isinstance(kind, str) or not kind:
        raise BadInput("a manifest names its kind, this one does not", where=where, remedy="add `kind: Workflow`, say")
    if kind == "List" and isinstance(body.get("items"), list):
        return [each for i, item in enumerate(body["items"]) for each in _item(parsed, item, i, file)]
    if kind not in KINDS and kind not in NO_EFFECT:
        known = ", ".join(sorted(KINDS))
        raise BadInput(f"unknown kind {kind}", where=where, remedy=f"known are {known}")
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise BadInput(f"metadata is a mapping, this is {_a(metadata)}", where=where)
    name = (metadata or {}).get("name") or ""
    return [Document(kind=kind, name=str(name), body=body, file=file, line=parsed.line, lines=parsed.lines)]


def _item(parsed: goyaml.Parsed, item: Any, index: int, file: str) -> list[Document]:
    prefix = f"items[{index}]"
    lines = {path[len(prefix) + 1 :]: line for path, line in parsed.lines.items() if path.startswith(prefix + ".")}
    line = parsed.lines.get(prefix, parsed.line)
    return _document(goyaml.Parsed(data=item, line=line, lines=lines), file)


def _a(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")


def _check_unique(documents: Iterable[Document]) -> None:
    seen: dict[tuple[str, str, str], Document] = {}
    for each in documents:
        namespace = (each.body.get("metadata") or {}).get("namespace") or ""
        key = (each.kind, str(namespace), each.name)
        if each.name and key in seen and each.kind in KINDS:
            first = seen[key]
            raise BadInput(
                f'duplicate {each.kind} found: "{each.name}", first at {first.file}:{first.line}',
                where=f"{each.file}:{each.line}",
            )
        seen[key] = each
