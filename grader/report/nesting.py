"""Nest Argo's flat `status.nodes` map: templates hold their steps, Retry nodes their attempts, groups their items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.read import mapping, sequence, text

_NUMBERED = re.compile(r"\(\d+\)$")
_GROUPS = frozenset({"Retry", "TaskGroup", "StepGroup"})


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Nodes by id, and who holds whom; `arrows` are edges between members of one holder ("" holds the outermost)."""

    nodes: Mapping[str, Mapping[str, Any]]
    members: Mapping[str, Sequence[str]]
    arrows: Mapping[str, Sequence[tuple[str, str]]]

    def walk(self, holder: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
        """Give every node under a holder with its depth, in drawing order."""
        stack = [(name, depth) for name in reversed(self.members.get(holder, ()))]
        while stack:
            name, level = stack.pop()
            yield name, level
            stack.extend((child, level + 1) for child in reversed(self.members.get(name, ())))


def label(node: Mapping[str, Any]) -> str:
    """Give the name to show for a node; an exit handler goes without its workflow's name."""
    if not node.get("boundaryID") and text(node.get("name")).endswith(".onExit"):
        return "onExit"
    return text(node.get("displayName")) or text(node.get("name")) or text(node.get("id")) or "unnamed"


def is_handler(node: Mapping[str, Any]) -> bool:
    """Tell hooks and exit handlers, which Argo runs because of an event."""
    name = text(node.get("name"))
    return bool(mapping(node.get("nodeFlag")).get("hooked")) or name.endswith(".onExit") or ".hooks." in name


def is_attempt(name: str, retry: str) -> bool:
    """Tell by its full name whether a node is an attempt of a Retry node: `n(0)` of `n`."""
    return name.startswith(f"{retry}(") and bool(_NUMBERED.fullmatch(name[len(retry) :]))


def nest(nodes: Any) -> Tree:
    """Build the tree; broken references are ignored, so that every node appears exactly once."""
    known = {text(key): value for key, value in mapping(nodes).items() if isinstance(value, Mapping)}
    holder = _holders(known)
    members: dict[str, list[str]] = {}
    for name in sorted(known, key=lambda name: _birth(known[name])):
        members.setdefault(holder[name], []).append(name)
    arrows: dict[str, dict[tuple[str, str], None]] = {}
    for name, node in known.items():
        for child in (text(child) for child in sequence(node.get("children"))):
            if child in known and (meeting := _meet(name, child, holder)):
                arrows.setdefault(meeting[0], {})[meeting[1]] = None
    for name in members.get("", ()):
        full = text(known[name].get("name"))
        before = next((key for key in members[""] if text(known[key].get("name")) + ".onExit" == full), None)
        if before:
            arrows.setdefault("", {})[before, name] = None
    return Tree(nodes=known, members=members, arrows={key: list(pairs) for key, pairs in arrows.items()})


def _birth(node: Mapping[str, Any]) -> tuple[str, bool, int]:
    number = re.search(r"[\[(](\d+)", text(node.get("displayName")))
    return text(node.get("startedAt"), "~") or "~", is_handler(node), int(number[1][:9]) if number else 0


def _holders(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    holder = {}
    for name, node in nodes.items():
        boundary = text(node.get("boundaryID"))
        holder[name] = boundary if boundary in nodes and boundary != name else ""
    for name, node in nodes.items():
        kind = text(node.get("type"))
        if kind not in _GROUPS:
            continue
        prefix = text(node.get("name"))
        for child in (text(child) for child in sequence(node.get("children"))):
            if child in nodes and child != name and _belongs(text(nodes[child].get("name")), prefix, kind):
                holder[child] = name
    for name in nodes:
        _cut_loop(name, holder)
    return holder


def _belongs(name: str, prefix: str, kind: str) -> bool:
    if kind == "Retry":
        return is_attempt(name, prefix)
    return name.startswith(f"{prefix}(") if kind == "TaskGroup" else name.startswith(f"{prefix}.")


def _cut_loop(name: str, holder: dict[str, str]) -> None:
    seen = {name}
    at = name
    while holder[at]:
        if holder[at] in seen:
            holder[at] = ""
            return
        at = holder[at]
        seen.add(at)


def _chain(name: str, holder: Mapping[str, str]) -> list[str]:
    chain = [name]
    while holder[chain[-1]]:
        chain.append(holder[chain[-1]])
    return chain[::-1]


def _meet(first: str, second: str, holder: Mapping[str, str]) -> tuple[str, tuple[str, str]] | None:
    """Lift an edge to the innermost holder of both ends; None where one end holds the other."""
    upper, lower = _chain(first, holder), _chain(second, holder)
    common = 0
    while common < min(len(upper), len(lower)) and upper[common] == lower[common]:
        common += 1
    if common in {len(upper), len(lower)}:
        return None
    return (upper[common - 1] if common else ""), (upper[common], lower[common])
