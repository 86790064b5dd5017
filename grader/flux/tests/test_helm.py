"""Releases are read as helm-controller does: charts from every kind of source, values from every place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.flux import Tree, Unsupported
from grader.flux.helm import Release, releases
from grader.flux.objects import Layer, Rendered
from pipelines.local.errors import BadInput

KINDS = {
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
    "ConfigMap": "v1",
    "Secret": "v1",
}


def one(kind: str, name: str, body: dict[str, Any]) -> Rendered:
    """Make an object."""
    version = KINDS.get(kind, "source.toolkit.fluxcd.io/v1")
    head = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "n"}}
    return Rendered(body={**head, **body}, layer="", file="x.yaml")


def read(spec: dict[str, Any], *others: Rendered) -> Release:
    """Read the release of chart `c` in a tree."""
    objects = (one("HelmRelease", "r", {"spec": spec}), *others)
    tree = Tree(root=Path("/"), layers=(Layer(name="", kustomization=None, folder=None, objects=objects),))
    (found,) = releases(tree, "c")
    return found


def chart(**spec: Any) -> dict[str, Any]:
    """Write a chart by its specification."""
    return {"chart": {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "s"}, **spec}}}


@pytest.mark.parametrize(
    ("version", "pinned"),
    [("2.4.0", True), ("v2.4.0", True), ("2.4.0-rc.1+x", True), ("2.x", False), (">=2.4.0", False), ("~2.4.0", False),
     ("2.4", False), ("*", False), ("", False)],
)  # fmt: skip
def test_a_version_is_exact_or_not(version: str, pinned: bool) -> None:
    """Only a whole version is one chart for good; ranges and none are not."""
    assert read(chart(version=version)).pinned is pinned


@pytest.mark.parametrize(
    ("kind", "reference", "version", "pinned"),
    [
        ("OCIRepository", {"tag": "2.4.0"}, "2.4.0", True),
        ("OCIRepository", {"digest": "sha256:1"}, "sha256:1", True),
        ("OCIRepository", {"semver": "2.x"}, "2.x", False),
        ("OCIRepository", {"semver": "2.4.0"}, "2.4.0", True),
        ("OCIRepository", {"tag": "latest"}, "latest", False),
        ("OCIRepository", None, "", False),
    ],
)
def test_a_chart_by_reference(kind: str, reference: Any, version: str, pinned: bool) -> None:
    """The repository's last part names the chart, its ref pins it."""
    source = one(kind, "s", {"spec": {"url": "oci://r/charts/c", "ref": reference}})
    found = read({"chartRef": {"kind": kind, "name": "s"}}, source)
    assert (found.chart, found.version, found.pinned) == ("c", version, pinned)
    assert found.source == (kind, "n", "s")


def test_a_chart_object() -> None:
    """A HelmChart says what it is itself."""
    inner = {"chart": "c", "version": "1.2.3", "sourceRef": {"kind": "HelmRepository", "name": "s"}}
    found = read({"chartRef": {"kind": "HelmChart", "name": "h"}}, one("HelmChart", "h", {"spec": inner}))
    assert (found.version, found.pinned) == ("1.2.3", True)


def test_a_chart_in_git() -> None:
    """A folder of a repository is as pinned as the repository is."""
    for reference, pinned in (({"tag": "v1"}, True), ({"branch": "main"}, False), ({"commit": "abc"}, True)):
        source = one("GitRepository", "s", {"spec": {"url": "https://x", "ref": reference}})
        spec = chart(chart="./charts/c", sourceRef={"kind": "GitRepository", "name": "s"})
        assert read(spec, source).pinned is pinned


def test_namespaces() -> None:
    """A chart goes into the target namespace, else the release's own."""
    assert read(chart()).namespace == "n"
    found = read({**chart(), "targetNamespace": "t", "install": {"createNamespace": True}})
    assert (found.namespace, found.creates_namespace) == ("t", True)


def test_values_are_merged_in_their_order() -> None:
    """Later values win over earlier ones, the release's own over all; lists are replaced, null takes away."""
    first = one("ConfigMap", "a", {"data": {"values.yaml": "x: {a: 1, b: 1, l: [1]}\n"}})
    second = one("Secret", "b", {"stringData": {"v": "x: {b: 2, c: 2, l: [2]}\n"}})
    text = one("ConfigMap", "t", {"data": {"values.yaml": "true"}})
    found = read(
        {
            **chart(),
            "valuesFrom": [
                {"kind": "ConfigMap", "name": "a"},
                {"kind": "Secret", "name": "b", "valuesKey": "v"},
                {"kind": "ConfigMap", "name": "t", "targetPath": "x.flag"},
                {"kind": "ConfigMap", "name": "none", "optional": True},
            ],
            "values": {"x": {"c": 3, "gone": None}},
        },
        first, second, text,
    )  # fmt: skip
    assert found.values == {"x": {"a": 1, "b": 2, "c": 3, "l": [2], "flag": True, "gone": None}}
    assert found.value("x.b") == 2
    assert found.value("x.gone", "default") is None
    assert found.value("x.other", "default") == "default"


def test_values_that_cannot_be_had() -> None:
    """A ConfigMap outside of the tree is refused by name; one without the key, or that is no mapping, is wrong."""
    spec = {**chart(), "valuesFrom": [{"kind": "ConfigMap", "name": "a"}]}
    with pytest.raises(Unsupported, match="ConfigMap n/a is not in the tree"):
        read(spec)
    with pytest.raises(BadInput, match=r"ConfigMap n/a has no values\.yaml"):
        read(spec, one("ConfigMap", "a", {"data": {}}))
    with pytest.raises(BadInput, match="its values are no mapping"):
        read(spec, one("ConfigMap", "a", {"data": {"values.yaml": "[1]"}}))
    with pytest.raises(BadInput, match="its values are no YAML"):
        read(spec, one("ConfigMap", "a", {"data": {"values.yaml": "a: ["}}))
    listed = {**chart(), "valuesFrom": [{"kind": "ConfigMap", "name": "a", "targetPath": "a[0]"}]}
    with pytest.raises(Unsupported, match="lists and escapes"):
        read(listed, one("ConfigMap", "a", {"data": {"values.yaml": "x"}}))


def test_set_values_have_types() -> None:
    """A value at a path is read as `helm --set` reads it."""
    for text, value in (("5", 5), ("'5'", "5"), ("05", "05"), ("false", False), ("null", None), ("a b", "a b")):
        source = one("ConfigMap", "a", {"data": {"values.yaml": text}})
        spec = {**chart(), "valuesFrom": [{"kind": "ConfigMap", "name": "a", "targetPath": "v"}]}
        assert read(spec, source).values == {"v": value}
    assert yaml.safe_load("05") == 5  # which YAML would not
