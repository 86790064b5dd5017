"""HelmReleases as helm-controller reads them: chart, version, source, values, namespaces."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from grader.flux.errors import Unsupported
from grader.flux.objects import HELM, SOURCE, Rendered, Tree
from grader.flux.substitute import data
from pipelines.local.errors import BadInput

_EXACT = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, kw_only=True)
class Release:
    """One HelmRelease.

    Args:
        object: it.
        chart: last part of the chart's name or path.
        version: what pins the chart: a version, tag, digest or commit; empty for none.
        pinned: whether that can only ever be one chart.
        source: kind, namespace and name of the object that the chart comes from.
        values: all values, merged.
    """

    object: Rendered
    chart: str
    version: str
    pinned: bool
    source: tuple[str, str, str]
    values: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        """Namespace that the chart is installed into."""
        return str(self.object.spec.get("targetNamespace") or self.object.namespace)

    @property
    def creates_namespace(self) -> bool:
        """Whether Helm makes that namespace itself."""
        return bool((self.object.spec.get("install") or {}).get("createNamespace"))

    def value(self, path: str, default: Any = None) -> Any:
        """Give a value by its dotted path."""
        node: Any = self.values
        for part in path.split("."):
            if not isinstance(node, Mapping) or part not in node:
                return default
            node = node[part]
        return node


def releases(tree: Tree, *charts: str) -> list[Release]:
    """Give the releases of some charts.

    Raises:
        BadInput: values are no YAML mapping.
        Unsupported: values come from an object that is not in the tree.
    """
    found = [(each, _chart(tree, each)) for each in tree.of(HELM, "HelmRelease")]
    return [
        Release(
            object=each, chart=chart, version=version, pinned=pinned, source=source, values=_values(tree, each)
        )
        for each, (chart, version, pinned, source) in found
        if chart in charts
    ]  # fmt: skip


_Chart = tuple[str, str, bool, tuple[str, str, str]]


def _chart(tree: Tree, each: Rendered) -> _Chart:
    reference = each.spec.get("chartRef") or {}
    if reference:
        source = _reference(reference, each)
        found = tree.find(SOURCE, source[0], source[1], source[2])
        if source[0] == "HelmChart":
            return _of_chart(tree, found.spec if found else {}, found or each, source)
        name = str((found.spec if found else {}).get("url") or source[2]).rstrip("/").rpartition("/")[2]
        return (name, *pin(found), source)
    spec = (each.spec.get("chart") or {}).get("spec") or {}
    return _of_chart(tree, spec, each, _reference(spec.get("sourceRef") or {}, each))


def _of_chart(tree: Tree, spec: Mapping[str, Any], owner: Rendered, source: tuple[str, str, str]) -> _Chart:
    """Read a chart's specification; a chart in Git or in a bucket is as pinned as that is."""
    name = str(spec.get("chart") or "").rstrip("/").rpartition("/")[2]
    inner = _reference(spec.get("sourceRef") or {}, owner)
    if inner[0] in ("GitRepository", "Bucket"):
        return (name, *pin(tree.find(SOURCE, *inner)), source)
    version = str(spec.get("version") or "")
    return name, version, bool(_EXACT.fullmatch(version)), source


def pin(source: Rendered | None) -> tuple[str, bool]:
    """Tell what pins a source, and whether that is one artifact: a tag, commit or digest, or an exact version."""
    reference = (source.spec.get("ref") if source else None) or {}
    for key in ("digest", "commit"):
        if reference.get(key):
            return str(reference[key]), True
    if version := str(reference.get("semver") or ""):
        return version, bool(_EXACT.fullmatch(version))
    tag = str(reference.get("tag") or "")
    return tag or str(reference.get("branch") or ""), bool(tag) and tag != "latest"


def _reference(reference: Mapping[str, Any], owner: Rendered) -> tuple[str, str, str]:
    return (
        str(reference.get("kind") or ""),
        str(reference.get("namespace") or owner.namespace),
        str(reference.get("name") or ""),
    )


def _values(tree: Tree, each: Rendered) -> Mapping[str, Any]:
    """Merge values as Helm does: those of `valuesFrom` in their order, then the release's own."""
    made: dict[str, Any] = {}
    for index, reference in enumerate(each.spec.get("valuesFrom") or []):
        kind, name = str(reference.get("kind") or "ConfigMap"), str(reference.get("name") or "")
        where = f"{each.at(f'spec.valuesFrom[{index}]')} {each.title}"
        source = tree.find("", kind, each.namespace, name)
        key = str(reference.get("valuesKey") or "values.yaml")
        text = data(source.body).get(key) if source else None
        if text is None:
            if reference.get("optional"):
                continue
            if source is None:
                raise Unsupported(f"{kind} {each.namespace}/{name} is not in the tree", where=where)
            raise BadInput(f"{kind} {each.namespace}/{name} has no {key}", where=where)
        made = _merged(made, _given(text, str(reference.get("targetPath") or ""), where))
    return _merged(made, each.spec.get("values") or {})


def _given(text: str, target: str, where: str) -> Mapping[str, Any]:
    if target:
        if any(sign in target + text for sign in "[]{},=\\"):
            raise Unsupported(f"targetPath {target}: lists and escapes of `helm --set` are not read here", where=where)
        node: Any = _scalar(text)
        for part in reversed(target.split(".")):
            node = {part: node}
        return dict(node)
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise BadInput(f"its values are no YAML: {' '.join(str(error).split())}", where=where) from error
    if not isinstance(found, dict):
        raise BadInput("its values are no mapping", where=where)
    return found


def _scalar(text: str) -> Any:
    """Read a value as `helm --set` does: quoted ones are texts, true, false, null and whole numbers are not."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    return int(text) if re.fullmatch(r"0|-?[1-9]\d*", text) else words.get(text, text)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings. A null stays: it takes the chart's default away."""
    made = copy.deepcopy(dict(below))
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(made.get(key), Mapping)
        made[key] = _merged(made[key], value) if both else copy.deepcopy(value)
    return made
