"""The order of layers: what comes before, what Flux waits for, what never ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.flux import load
from grader.flux.objects import Layer, Rendered, Tree
from grader.flux.order import Order
from grader.flux.tests.trees import OVERLAID, reference, write

RELEASE = "HelmRelease f/operator"


def one(kind: str, name: str, layer: str, spec: dict[str, Any]) -> Rendered:
    """Make a Flux object."""
    group = {"Kustomization": "kustomize.toolkit.fluxcd.io/v1", "HelmRelease": "helm.toolkit.fluxcd.io/v2"}[kind]
    body = {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": "f"}, "spec": spec}
    return Rendered(body=body, layer=layer, file="x.yaml")


def tree_of(layers: dict[str, tuple[str, dict[str, Any], Sequence[Rendered]]]) -> Tree:
    """Make a tree: layer → the layer that brings its Kustomization, that one's spec, its objects."""
    objects = {f"f/{name}": one("Kustomization", name, parent, spec) for name, (parent, spec, _) in layers.items()}
    made = [
        Layer(
            name=name, kustomization=objects.get(name), folder=Path("/x"),
            objects=[*own, *(each for each in objects.values() if each.layer == name)],
        )
        for name, own in {"": (), **{f"f/{name}": own for name, (_, _, own) in layers.items()}}.items()
    ]  # fmt: skip
    return Tree(root=Path("/"), layers=made)


def operator(layer: str, **spec: Any) -> Rendered:
    """Make the release that others wait for."""
    return one("HelmRelease", "operator", layer, spec)


def test_reference_waits_for_its_operators(tmp_path: Path) -> None:
    """Both releases are Ready before the workloads are applied."""
    order = Order(load(reference(tmp_path)))
    assert order.problems() == []
    ready = order.ready("flux-system/apps")
    assert {"HelmRelease spark-operator/spark-operator", "HelmRelease argo/argo-workflows"} <= ready
    assert order.ready("flux-system/infra-controllers") == set()


def test_dependsOn_is_followed_to_its_end() -> None:  # noqa: N802 - the field
    """A dependency's dependencies come before as well; what merely stands beside does not."""
    order = Order(
        tree_of({
            "a": ("", {"wait": True}, [operator("f/a")]),
            "b": ("", {"dependsOn": [{"name": "a"}]}, ()),
            "c": ("", {"dependsOn": [{"name": "b"}]}, ()),
            "d": ("", {}, ()),
        })
    )  # fmt: skip
    assert order.before("f/c") == {"f/a", "f/b"}
    assert order.ready("f/c") == {RELEASE}
    assert order.before("f/d") == set()


def test_only_what_is_waited_for_is_ready() -> None:
    """Without `wait` or a health check of it, a release is applied and nothing more."""
    for spec, expected in (
        ({}, set()),
        ({"wait": True}, {RELEASE}),
        ({"healthChecks": [{"kind": "HelmRelease", "name": "operator", "namespace": "f"}]}, {RELEASE}),
        ({"healthChecks": [{"kind": "HelmRelease", "name": "other", "namespace": "f"}]}, set()),
        ({"healthChecks": [{"kind": "HelmRelease", "name": "operator", "namespace": "g"}]}, set()),
        ({"wait": True, "suspend": True}, set()),
    ):
        layers = {"a": ("", spec, [operator("f/a")]), "b": ("", {"dependsOn": [{"name": "a"}]}, ())}
        assert Order(tree_of(layers)).ready("f/b") == expected, spec


def test_waiting_reaches_into_nested_layers() -> None:
    """A Kustomization that waits for another one waits for what that one waits for."""
    layers: dict[str, tuple[str, dict[str, Any], Sequence[Rendered]]] = {
        "all": ("", {"wait": True}, ()),
        "operators": ("f/all", {"wait": True}, [operator("f/operators")]),
        "jobs": ("", {"dependsOn": [{"name": "all"}]}, ()),
        "more": ("f/jobs", {}, ()),
    }
    order = Order(tree_of(layers))
    assert RELEASE in order.ready("f/jobs")
    assert RELEASE in order.ready("f/more")
    layers["operators"] = ("f/all", {}, [operator("f/operators")])
    assert RELEASE not in Order(tree_of(layers)).ready("f/jobs")


def test_bootstrap_waits_too(tmp_path: Path) -> None:
    """The layout of `flux bootstrap` is an order as well."""
    order = Order(load(write(tmp_path, OVERLAID)))
    assert order.problems() == []
    assert "HelmRelease spark/operator" in order.ready("flux-system/jobs")


def test_what_never_ends_is_told() -> None:
    """Circles of Kustomizations and of releases, and dependencies that are not there."""
    itself = operator("f/b", dependsOn=[{"name": "operator"}])
    circle = tree_of({
        "a": ("", {"dependsOn": [{"name": "b"}]}, ()),
        "b": ("", {"dependsOn": [{"name": "a"}, {"name": "none"}]}, [itself]),
    })  # fmt: skip
    assert Order(circle).problems() == [
        "Kustomization f/b depends on f/none, which is not in the tree",
        "Kustomizations depend on each other in a circle: f/a → f/b → f/a",
        "HelmReleases depend on each other in a circle: f/operator → f/operator",
    ]
    assert Order(circle).before("f/a") == {"f/b"}


def test_what_has_been_applied_includes_what_is_around() -> None:
    """The layer that brings a Kustomization has been applied, though it need not be Ready."""
    order = Order(tree_of({"all": ("", {}, ()), "jobs": ("f/all", {}, ())}))
    assert order.applied("f/jobs") == {"", "f/all"}
    assert order.before("f/jobs") == set()
