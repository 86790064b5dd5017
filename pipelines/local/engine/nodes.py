"""Workflow nodes: Argo's `status.nodes` map, with what changed since it was last stored."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.local.engine.clock import parse_time, show_time
from pipelines.local.engine.ids import node_id

PENDING, RUNNING, SUCCEEDED = "Pending", "Running", "Succeeded"
FAILED, ERROR, SKIPPED, OMITTED = "Failed", "Error", "Skipped", "Omitted"
_BAD = frozenset({FAILED, ERROR})
_COMPLETED = frozenset({FAILED, ERROR, SUCCEEDED})
_FULFILLED = frozenset({FAILED, ERROR, SUCCEEDED, SKIPPED, OMITTED})
_PLAIN = {
    "displayName": "display_name",
    "templateName": "template_name",
    "templateRef": "template_ref",
    "templateScope": "template_scope",
    "phase": "phase",
    "boundaryID": "boundary_id",
    "message": "message",
    "progress": "progress",
    "nodeFlag": "flag",
    "inputs": "inputs",
    "outputs": "outputs",
    "children": "children",
    "outboundNodes": "outbound",
    "hostNodeName": "host",
    "memoizationStatus": "memoization",
    "synchronizationStatus": "synchronization",
}


@dataclass(kw_only=True, slots=True, eq=False)
class Node:
    """One node of a run; the fields are those of Argo's NodeStatus."""

    id: str
    name: str
    type: str
    phase: str = ""
    display_name: str = ""
    template_name: str = ""
    template_ref: dict[str, Any] | None = None
    template_scope: str = ""
    boundary_id: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: str = ""
    flag: dict[str, bool] | None = None
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    children: list[str] = field(default_factory=list)
    outbound: list[str] = field(default_factory=list)
    host: str = ""
    memoization: dict[str, Any] | None = None
    synchronization: dict[str, Any] | None = None

    @property
    def fulfilled(self) -> bool:
        """Whether nothing more happens to this node: it ended, was skipped or omitted."""
        return self.phase in _FULFILLED

    @property
    def completed(self) -> bool:
        """Whether it ran to an end, good or bad (skipped is not completed)."""
        return self.phase in _COMPLETED

    @property
    def bad(self) -> bool:
        """Whether it is Failed or Error."""
        return self.phase in _BAD

    @property
    def hooked(self) -> bool:
        """Whether it is a lifecycle hook or an exit handler."""
        return bool(self.flag and self.flag.get("hooked"))

    @property
    def retried(self) -> bool:
        """Whether it is one attempt of a Retry node."""
        return bool(self.flag and self.flag.get("retried"))

    @property
    def active_suspend(self) -> bool:
        """Whether it waits to be resumed."""
        return self.type == "Suspend" and self.phase == RUNNING

    def duration(self) -> float:
        """Return seconds from start to finish; 0 while it runs."""
        if self.started_at is None or self.finished_at is None:
            return 0.0
        return (self.finished_at - self.started_at).total_seconds()

    def to_dict(self) -> dict[str, Any]:
        """Return the node as Argo's JSON, without what is empty."""
        document: dict[str, Any] = {"id": self.id, "name": self.name, "type": self.type}
        for key, attribute in _PLAIN.items():
            if value := getattr(self, attribute):
                document[key] = copy.deepcopy(value) if isinstance(value, dict | list) else value
        document["startedAt"] = show_time(self.started_at)
        document["finishedAt"] = show_time(self.finished_at)
        return document

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Node:
        """Rebuild a node from Argo's JSON."""
        values = {attribute: document[key] for key, attribute in _PLAIN.items() if key in document}
        return cls(
            id=document["id"],
            name=document["name"],
            type=document["type"],
            started_at=parse_time(document.get("startedAt")),
            finished_at=parse_time(document.get("finishedAt")),
            **values,
        )


class Nodes:
    """The nodes of one run by id, in order of creation; remembers which were touched."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow
        self.dirty: dict[str, Node] = {}
        self._by_id: dict[str, Node] = {}
        self._ids: dict[str, str] = {}
        self._bounded: dict[str, list[Node]] = {}
        self._links: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def id_of(self, name: str) -> str:
        """Return the id that a node of this name has."""
        found = self._ids.get(name)
        if found is None:
            found = self._ids[name] = node_id(self.workflow, name)
        return found

    def get(self, key: str) -> Node | None:
        """Return the node with this id."""
        return self._by_id.get(key)

    def named(self, name: str) -> Node | None:
        """Return the node with this name."""
        return self._by_id.get(self.id_of(name))

    def need(self, name: str) -> Node:
        """Return the node with this name, which exists."""
        return self._by_id[self.id_of(name)]

    def inside(self, boundary_id: str) -> list[Node]:
        """Return the nodes whose boundary is this node, in order of creation."""
        return self._bounded.get(boundary_id, [])

    def add(self, node: Node) -> Node:
        """Add a new node."""
        assert node.id not in self._by_id, f"node {node.name} already initialized"
        self._by_id[node.id] = node
        self._bounded.setdefault(node.boundary_id, []).append(node)
        return self.touch(node)

    def touch(self, node: Node) -> Node:
        """Note that a node changed."""
        self.dirty[node.id] = node
        return node

    def add_child(self, parent: str, child: str) -> None:
        """Make one node (by name) a child of another, once."""
        node = self.need(parent)
        key = self.id_of(child)
        links = self._links.get(node.id)
        if links is None:
            links = self._links[node.id] = set(node.children)
        if key not in links:
            links.add(key)
            node.children.append(key)
            self.touch(node)

    def children_fulfilled(self, node: Node, seen: dict[str, bool] | None = None) -> bool:
        """Whether every leaf below a node is fulfilled."""
        seen = {} if seen is None else seen
        if node.id in seen:
            return seen[node.id]
        if not node.children:
            seen[node.id] = node.fulfilled
            return node.fulfilled
        below = (self._by_id.get(child) for child in node.children)
        seen[node.id] = all(self.children_fulfilled(child, seen) for child in below if child)
        return seen[node.id]

    def attempts(self, node: Node) -> list[Node]:
        """Return the attempts of a Retry node, without its hooks."""
        return [child for key in node.children if (child := self._by_id.get(key)) and child.retried]
