"""In which order Flux applies the layers of a tree, and what it waits for before it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from grader.flux.objects import BY_HAND, FLUX, HELM, Layer, Rendered, Tree
from grader.flux.tree import dependencies


@dataclass(frozen=True)
class Order:
    """The order of a tree's layers.

    Args:
        tree: a rendered tree.
    """

    tree: Tree

    @cached_property
    def _layers(self) -> Mapping[str, Layer]:
        return {layer.name: layer for layer in self.tree.layers}

    def problems(self) -> list[str]:
        """Say what would keep Flux waiting for ever: what is depended on and not there, and circles."""
        found = []
        for kind, graph in (("Kustomization", self._kustomizations()), ("HelmRelease", self._releases())):
            found += [
                f"{kind} {name} depends on {other}, which is not in the tree"
                for name, others in graph.items()
                for other in others
                if other not in graph
            ]
            if circle := _circle(graph):
                found.append(f"{kind}s depend on each other in a circle: {' → '.join(circle)}")
        return found

    def _kustomizations(self) -> dict[str, list[str]]:
        return {
            layer.name: dependencies(layer.kustomization)
            for layer in self.tree.layers
            if layer.kustomization is not None
        }

    def _releases(self) -> dict[str, list[str]]:
        return {each.full: dependencies(each) for each in self.tree.of(HELM, "HelmRelease")}

    def before(self, name: str) -> set[str]:
        """Give the layers that are Ready before one is applied.

        They are those that it depends on, directly or not, and those of the layer that brings its Kustomization.
        """
        found: set[str] = set()
        waiting = [name]
        while waiting:
            layer = self._layers.get(waiting.pop())
            if layer is None or layer.kustomization is None:
                continue
            new = {*dependencies(layer.kustomization)} & set(self._layers) - found
            found |= new
            waiting += [*new, layer.kustomization.layer]
        return found - {name}

    def applied(self, name: str) -> set[str]:
        """Give the layers whose objects have been applied before one is: those before it, and those around it."""
        found = self.before(name) | {BY_HAND}
        for each in (name, *found):
            layer = self._layers.get(each)
            while layer is not None and layer.kustomization is not None:
                found.add(layer.kustomization.layer)
                layer = self._layers.get(layer.kustomization.layer)
        return found

    def ready(self, name: str) -> set[str]:
        """Give the titles of the objects that are Ready before a layer is applied, because Flux waited for them."""
        return {title for one in self.before(name) for title in self._awaited(one, frozenset())}

    def _awaited(self, name: str, seen: frozenset[str]) -> Iterator[str]:
        layer = self._layers.get(name)
        if layer is None or layer.kustomization is None or name in seen or layer.suspended:
            return
        for each in self._objects(layer):
            if self.waits(layer, each):
                yield each.title
                if each.group == FLUX:
                    yield from self._awaited(each.full, seen | {name})

    def _objects(self, layer: Layer) -> list[Rendered]:
        """Give a layer's objects; one that builds the entry once more has the entry's."""
        if layer.objects or layer.folder is None:
            return list(layer.objects)
        return [each for each in self._layers[BY_HAND].objects if each.full != layer.name]

    @staticmethod
    def waits(layer: Layer, each: Rendered) -> bool:
        """Tell whether a layer is Ready only when one of its objects is."""
        spec = layer.kustomization.spec if layer.kustomization else {}
        if spec.get("wait"):
            return True
        return any(
            check.get("kind") == each.kind
            and check.get("name") == each.name
            and (check.get("namespace") or each.namespace) == each.namespace
            for check in spec.get("healthChecks") or []
        )


def _circle(graph: Mapping[str, list[str]]) -> list[str]:
    """Find names that depend on each other, the first one once more at the end."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done or name not in graph:
            return []
        for other in graph[name]:
            if found := visit(other, (*path, name)):
                return found
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name, ()))), [])
