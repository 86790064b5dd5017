"""What keeps a tree from installing an operator before the workloads that need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.flux.helm import Release, pin
from grader.flux.objects import BY_HAND, FLUX, SOURCE, Layer, Rendered, Tree
from grader.flux.order import Order
from grader.flux.schemas import namespaced
from grader.flux.tree import source_of
from grader.flux.workloads import repository_of

ALWAYS = frozenset({"default", "flux-system", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that a cluster with Flux has."""


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """Something that is wrong with a tree: one sentence, where it is, what should be and what is."""

    what: str
    where: str
    expected: str = ""
    found: str = ""


def name_flaws(tree: Tree) -> Iterator[Flaw]:
    """Find objects without a namespace, or in one that nothing creates: Flux cannot apply them."""
    there = {each.name for each in tree.of("", "Namespace")} | ALWAYS
    for each in tree.objects:
        if namespaced(each) and not each.namespace:
            yield Flaw(
                what=f"{each.title} has no namespace", where=each.at("metadata"), expected="metadata.namespace, or "
                "namespace in its kustomization.yaml, or targetNamespace of its Flux Kustomization",
                found="none: Flux refuses it (namespace not specified)",
            )  # fmt: skip
        elif namespaced(each) and each.namespace not in there:
            yield Flaw(
                what=f"nothing creates namespace {each.namespace} of {each.title}", where=each.at("metadata.namespace"),
                expected=f"a Namespace {each.namespace} in the tree", found=", ".join(sorted(there - ALWAYS)) or "none",
            )  # fmt: skip


def source_flaws(tree: Tree) -> Iterator[Flaw]:
    """Find Flux Kustomizations whose source is not in the tree."""
    for each in tree.of(FLUX, "Kustomization"):
        kind, namespace, name = source_of(each)
        if name != "flux-system" and tree.find(SOURCE, kind, namespace, name) is None:
            yield Flaw(
                what=f"{each.title} takes its files from {kind} {namespace}/{name}, which is not in the tree",
                where=each.at("spec.sourceRef"), expected=f"{kind} {namespace}/{name}",
                found=", ".join(one.title for one in tree.objects if one.group == SOURCE) or "no source",
            )  # fmt: skip


def release_flaws(tree: Tree, release: Release, workloads: Sequence[Rendered]) -> list[Flaw]:
    """Find what keeps a HelmRelease from being installed before the workloads are applied."""
    return [
        *_suspended(tree, release.object),
        *_pinned(release),
        *_source(tree, release),
        *_namespaces(tree, release),
        *order_flaws(tree, release.object, workloads),
    ]


def _suspended(tree: Tree, each: Rendered) -> Iterator[Flaw]:
    layer = tree.layer(each.layer)
    for one in (each, layer.kustomization if layer else None):
        if one is not None and one.spec.get("suspend"):
            yield Flaw(
                what=f"{one.title} is suspended: Flux leaves it alone", where=one.at("spec.suspend"),
                expected="no suspend", found="suspend: true",
            )  # fmt: skip


def _pinned(release: Release) -> Iterator[Flaw]:
    if not release.pinned:
        found = release.version or "no version"
        yield Flaw(
            what=f"{release.object.title} takes chart {release.chart} in version {found}, which may change",
            where=release.object.at("spec.chart.spec.version"), expected="one exact version, or a digest", found=found,
        )  # fmt: skip


def _source(tree: Tree, release: Release) -> Iterator[Flaw]:
    kind, namespace, name = release.source
    found = tree.find(SOURCE, kind, namespace, name)
    where = release.object.at("spec.chart.spec.sourceRef")
    if found is None:
        there = ", ".join(each.title for each in tree.objects if each.group == SOURCE)
        yield Flaw(
            what=f"{release.object.title} takes its chart from {kind} {namespace}/{name}, which is not in the tree",
            where=where, expected=f"{kind} {namespace}/{name}", found=there or "no source",
        )  # fmt: skip
        return
    yield from _suspended(tree, found)
    if not _in_time(tree, found, release.object):
        yield Flaw(
            what=f"{found.title} comes after {release.object.title}, which needs it", where=found.at(),
            expected=f"in {_layer(tree, release.object)}, or one that it depends on", found=_layer(tree, found),
        )  # fmt: skip


def _namespaces(tree: Tree, release: Release) -> Iterator[Flaw]:
    if release.creates_namespace or release.namespace in ALWAYS:
        return
    if not namespace_in_time(tree, release.namespace, release.object):
        yield Flaw(
            what=f"nothing creates namespace {release.namespace} before {release.object.title} is installed into it",
            where=release.object.at("spec.targetNamespace"),
            expected=f"a Namespace {release.namespace} beside the release, or install.createNamespace: true",
            found=_places(tree, release.namespace),
        )  # fmt: skip


def namespace_in_time(tree: Tree, name: str, each: Rendered) -> bool:
    """Tell whether a namespace is there when an object is applied."""
    found = tree.find("", "Namespace", "", name)
    return name in ALWAYS or (found is not None and _in_time(tree, found, each))


def _in_time(tree: Tree, first: Rendered, then: Rendered) -> bool:
    return first.layer == then.layer or first.layer in Order(tree).applied(then.layer)


def _places(tree: Tree, namespace: str) -> str:
    found = tree.find("", "Namespace", "", namespace)
    return f"it is created by {_layer(tree, found)}" if found else "it is not in the tree"


def _layer(tree: Tree, each: Rendered) -> str:
    layer = tree.layer(each.layer)
    return layer.title if layer else each.layer


def order_flaws(tree: Tree, operator: Rendered, workloads: Sequence[Rendered]) -> Iterator[Flaw]:
    """Find workloads that Flux applies before an operator's resource types are there."""
    order = Order(tree)
    yield from (Flaw(what=text, where="", expected="an order that ends") for text in order.problems())
    for name in dict.fromkeys(each.layer for each in workloads):
        example = next(each for each in workloads if each.layer == name)
        if text := _disorder(order, tree, operator, example):
            where = (tree.layer(name) or tree.layers[0]).kustomization
            yield Flaw(
                what=text, where=where.at("spec") if where else example.at(),
                expected=f"{operator.title} is Ready before {example.title} is applied",
                found=f"{_layer(tree, operator)} and {_layer(tree, example)}",
            )  # fmt: skip


def _disorder(order: Order, tree: Tree, operator: Rendered, workload: Rendered) -> str:
    layer: Layer | None = tree.layer(workload.layer)
    if workload.layer == operator.layer:
        return f"{workload.title} and {operator.title} are in one Kustomization: its resource type is not there yet"
    if workload.layer == BY_HAND or layer is None:
        return f"{workload.title} is applied by hand, whether {operator.title} is installed or not"
    if operator.layer not in order.before(workload.layer):
        return f"{layer.title} does not depend on {_layer(tree, operator)}, which brings {operator.title}"
    if operator.title not in order.ready(workload.layer):
        return (
            f"{_layer(tree, operator)} does not wait until {operator.title} is installed: it has no wait: true, nor a "
            "health check of it"
        )
    return ""


def manifests(tree: Tree, repository: str) -> Rendered | None:
    """Find the Deployment that runs an image of a repository."""
    for each in tree.of("apps", "Deployment"):
        containers = ((each.spec.get("template") or {}).get("spec") or {}).get("containers") or []
        if any(repository_of(str(one.get("image") or "")) == repository for one in containers):
            return each
    return None


def external(tree: Tree, url: str) -> tuple[Layer, str, bool] | None:
    """Find the layer that comes from a Git repository outside of the tree: it, what pins it, whether for good."""
    for layer in tree.layers:
        if layer.folder is None and layer.kustomization is not None:
            source = tree.find(SOURCE, *source_of(layer.kustomization))
            if source and str(source.spec.get("url") or "").removesuffix(".git").endswith(url):
                return layer, *pin(source)
    return None
