"""What a person sees while a workflow runs: a live tree in a terminal, one line per step elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pipelines.local.engine import Event

# phase → (glyph, colour); glyphs differ in shape, so that colour is never needed to read them
SIGNS = {
    "Succeeded": ("✔", "green"),
    "Failed": ("✖", "red"),
    "Error": ("⚠", "red"),
    "Running": ("●", "cyan"),
    "Pending": ("◷", "yellow"),
    "Skipped": ("○", "dim"),
    "Omitted": ("○", "dim"),
    "Daemoned": ("●", "cyan"),
}
LEAVES = ("Pod", "Suspend", "Skipped")
HIDDEN = ("StepGroup",)


class Watcher:
    """Keeps the nodes of runs as the engine tells them; draws them, or prints one line for each that ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._runs: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._told: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take in one event; safe from several threads."""
        with self._lock:
            if event.kind == "node" and event.node is not None:
                self._runs.setdefault(event.run, {})[event.node["id"]] = event.node
            if self._console.is_terminal:
                if event.kind == "notice":
                    self._console.print(Text(event.message, style="yellow"))
                return
            for line in self._news(event):
                self._console.print(line, soft_wrap=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the tree for the length of the block, where there is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=False):
            yield

    def _news(self, event: Event) -> list[Text]:
        """Return the lines that an event is worth in a log."""
        if event.kind == "notice":
            return [Text(event.message)]
        if event.kind == "run":
            return [_line(event.at, event.phase or "Pending", event.run, event.message)]
        node = event.node or {}
        key = (event.run, str(node.get("id")), str(node.get("phase")))
        if node.get("type") not in LEAVES or node.get("phase") == "Pending" or key in self._told:
            return []
        self._told.add(key)
        return [_line(event.at, str(node["phase"]), str(node["name"]), str(node.get("message") or ""))]

    def _draw(self) -> RenderableType:
        with self._lock:
            runs = {name: dict(nodes) for name, nodes in self._runs.items()}
        height = max(self._console.height - 2, 5)
        lines = [line for name, nodes in runs.items() for line in tree(name, nodes)]
        if len(lines) > height:
            lines = [line for name, nodes in runs.items() for line in tree(name, nodes, folded=True)]
        if len(lines) > height:
            hidden = len(lines) - height + 1
            lines = [
                *lines[: height // 2],
                Text(f"… {hidden} more", style="dim"),
                *lines[-(height - height // 2 - 1) :],
            ]
        return Group(*lines)


def tree(run: str, nodes: Mapping[str, Mapping[str, Any]], *, folded: bool = False) -> list[Text]:
    """Draw one run's nodes as lines, parents above what they contain.

    Args:
        run: the workflow's name.
        nodes: Argo's `status.nodes`.
        folded: leave out what is below a node that has ended well.
    """
    roots = [node for node in nodes.values() if not node.get("boundaryID")]
    inside: dict[str, list[Mapping[str, Any]]] = {}
    for node in nodes.values():
        if node.get("boundaryID"):
            inside.setdefault(str(node["boundaryID"]), []).append(node)
    attempts = {child for node in nodes.values() if node["type"] == "Retry" for child in node.get("children") or []}
    lines: list[Text] = []

    def add(node: Mapping[str, Any], depth: int) -> None:
        lines.append(_node_line(node, depth))
        if folded and node["phase"] in ("Succeeded", "Skipped", "Omitted"):
            return
        if node["type"] == "Retry":
            for child in node.get("children") or []:
                if child in nodes and child in attempts:
                    add(nodes[child], depth + 1)
        for child_node in inside.get(str(node["id"]), ()):
            if child_node["type"] not in HIDDEN and child_node["id"] not in attempts:
                add(child_node, depth + 1)

    for root in roots:
        if root["id"] not in attempts:
            add(root, 0)
    return lines or [Text(f"◷ {run}", style="yellow")]


def _node_line(node: Mapping[str, Any], depth: int) -> Text:
    phase = str(node.get("phase") or "Pending")
    sign, style = SIGNS.get(phase, ("?", ""))
    line = Text("  " * depth)
    line.append(f"{sign} ", style=style)
    line.append(str(node.get("displayName") or node["name"]), style="dim" if style == "dim" else "")
    if seconds := _seconds(node):
        line.append(f"  {seconds}", style="dim")
    if node.get("message"):
        line.append(f"  {node['message']}", style="red" if style == "red" else "dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _seconds(node: Mapping[str, Any]) -> str:
    if node["type"] == "Skipped" or not node.get("startedAt"):
        return ""
    begun = datetime.fromisoformat(str(node["startedAt"]))
    ended = node.get("finishedAt")
    if not ended:
        return ""
    return f"{(datetime.fromisoformat(str(ended)) - begun).total_seconds():.0f} s"


def _line(at: datetime, phase: str, name: str, message: str) -> Text:
    sign, style = SIGNS.get(phase, ("?", ""))
    line = Text(f"{at:%H:%M:%S}  ")
    line.append(f"{sign} {phase:<9}", style=style)
    line.append(f"  {name}")
    if message:
        line.append(f"  {message}")
    return line
