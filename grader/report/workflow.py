"""Draw one workflow run: nested frames for templates, boxes for steps, rows for attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from grader.report.drawing import Arrow, Box, Drawing, Row
from grader.report.folding import fold, tally
from grader.report.layered import Edge
from grader.report.nesting import Tree, is_handler, label
from grader.report.placing import Placement, curve, place
from grader.report.read import seconds_between, text
from grader.report.text import cells, elide, wrap
from grader.report.words import count, duration, phase_mark

ROW, HEAD, PAD, MARGIN = 22.0, 32.0, 12.0, 8.0
WIDE, NARROW = 178.0, 150.0  # a step's width, side by side and downwards
_CELL = 7.3  # px of one cell at 12 px, with a little air
_ATTEMPTS = 6  # attempts of one step that are drawn singly
_DEEPEST = 24  # frames within frames; deeper templates are drawn as one box


@dataclass(kw_only=True)
class _Block:
    """A measured node: its size, and for a frame how its members are placed."""

    name: str
    width: float
    height: float
    across: bool = False
    members: dict[str, _Block] = field(default_factory=dict)
    placement: Placement | None = None
    folded: Sequence[str] = ()
    attempts: Sequence[str] = ()


class WorkflowDrawer:
    """Measures a tree inside out, then draws it outside in."""

    def __init__(self, tree: Tree, key: Callable[[str], str]) -> None:
        self._tree = tree
        self._key = key
        self._phases = {name: text(node.get("phase")) for name, node in tree.nodes.items()}
        self._width, self._room = WIDE, 0
        self._frames: list[Box] = []
        self._boxes: list[Box] = []
        self._arrows: list[Arrow] = []

    def draw(self, *, across: bool, title: str) -> Drawing:
        """Draw the run; `across` puts the outermost steps side by side, else everything runs downwards."""
        self._frames, self._boxes, self._arrows = [], [], []
        self._width = WIDE if across else NARROW
        self._room = int((self._width - 40) / _CELL)
        names, arrows = self._outermost()
        block = self._holder("", names, arrows, across=across, depth=0)
        self._members(block, MARGIN, MARGIN)
        return Drawing(
            width=round(block.width + 2 * MARGIN),
            height=round(block.height + 2 * MARGIN),
            frames=self._frames,
            boxes=self._boxes,
            arrows=self._arrows,
            label=title,
        )

    def _outermost(self) -> tuple[Sequence[str], Sequence[Edge]]:
        """Leave out the root's own frame, which the run's heading is about; attempts keep theirs."""
        tops = list(self._tree.members.get("", ()))
        held = [name for name in tops if self._tree.members.get(name)]
        root = next((name for name in held if self._tree.nodes[name].get("type") != "Retry"), None)
        if root is None:
            return tops, self._tree.arrows.get("", ())
        inner = list(self._tree.members[root])
        arrows = list(self._tree.arrows.get(root, ()))
        last = [name for name in inner if name not in {start for start, _ in arrows}]
        for start, end in self._tree.arrows.get("", ()):
            arrows += [(name, end) for name in last] if start == root else [(start, end)]
        return inner + [name for name in tops if name != root], arrows

    def _measure(self, name: str, *, across: bool, depth: int) -> _Block:
        node = self._tree.nodes[name]
        members = self._tree.members.get(name, ())
        kind = text(node.get("type"))
        if kind == "Retry" and members and not any(self._tree.members.get(member) for member in members):
            if len(members) == 1:
                return self._leaf(name)
            rows = min(len(members), _ATTEMPTS)
            lines = len(wrap(label(node), self._room))
            return _Block(
                name=name, width=self._width, height=18 + 15 * lines + ROW * rows + 6, attempts=self._some(members)
            )
        if not members or depth > _DEEPEST:
            return self._leaf(name)
        if len(members) == 1 and kind == "StepGroup":
            return self._measure(members[0], across=across, depth=depth + 1)
        arrows = self._tree.arrows.get(name, ())
        if kind == "Retry":
            arrows = list(pairwise(members))
        elif not arrows:
            across = True  # members without an order are one layer: one below the other
        block = self._holder(name, members, arrows, across=across, depth=depth + 1)
        block.width = max(block.width + 2 * PAD, self._width)
        block.height += HEAD + PAD
        return block

    def _leaf(self, name: str) -> _Block:
        node = self._tree.nodes[name]
        lines = len(wrap(label(node), self._room)) + bool(self._note(node))
        return _Block(name=name, width=self._width, height=18 + 15.0 * lines)

    @staticmethod
    def _some(members: Sequence[str]) -> Sequence[str]:
        if len(members) <= _ATTEMPTS:
            return members
        return [*members[:2], "", *members[-(_ATTEMPTS - 3) :]]

    def _holder(self, name: str, members: Sequence[str], arrows: Sequence[Edge], *, across: bool, depth: int) -> _Block:
        view = fold(name, members, arrows, self._phases)
        inner = across and len(view.members) == 1
        blocks: dict[str, _Block] = {}
        for member in view.members:
            if member in view.folded:
                blocks[member] = _Block(name=member, width=self._width, height=48, folded=view.folded[member])
            else:
                blocks[member] = self._measure(member, across=inner, depth=depth)
        sizes = {member: (block.width, block.height) for member, block in blocks.items()}
        placed = place(sizes, view.arrows, across=across, layer_gap=36 if across else 30, gap=14)
        return _Block(
            name=name, width=placed.width, height=placed.height, across=across, members=blocks, placement=placed
        )

    def _members(self, block: _Block, x: float, y: float) -> None:
        if block.placement is None:
            return
        for member, inner in block.members.items():
            at = block.placement.corners[member]
            self._block(inner, x + at[0], y + at[1])
        for (_, end), points in block.placement.routes.items():
            handler = end in self._tree.nodes and is_handler(self._tree.nodes[end])
            tip = (round(points[-1][0] + x, 1), round(points[-1][1] + y, 1))
            ahead = 0 if block.across else 1
            angle = 90 * ahead + (180 if points[-1][ahead] < points[0][ahead] else 0)
            path = curve(points, across=block.across, shift=(x, y))
            self._arrows.append(Arrow(path=path, tip=tip, angle=angle, kind="handler" if handler else "flow"))

    def _block(self, block: _Block, x: float, y: float) -> None:
        x, y = round(x, 1), round(y, 1)
        if block.folded:
            self._boxes.append(self._fold_box(block, x, y))
        elif block.placement is not None:
            self._frames.append(self._box(block, x, y, "frame"))
            width = block.placement.width
            self._members(block, x + (block.width - width) / 2, y + HEAD)
        else:
            self._boxes.append(self._box(block, x, y, "step"))

    def _box(self, block: _Block, x: float, y: float, kind: str) -> Box:
        node = self._tree.nodes[block.name]
        note = self._note(node)
        if kind == "frame":
            lines, note = _frame_head(node, note, int((block.width - 44) / _CELL))
        else:
            lines = wrap(label(node), self._room)
        rows = self._rows(block, x, y + 18 + 15 * len(lines))
        if rows:
            note = ""
        title = describe(node)
        mark = phase_mark(node.get("phase"))
        return Box(
            x=x, y=y, width=round(block.width, 1), height=round(block.height, 1), lines=lines, note=note, rows=rows,
            key=self._key(block.name), title=title, kind=kind, mark=mark,
        )  # fmt: skip

    def _rows(self, block: _Block, x: float, y: float) -> list[Row]:
        rows = []
        for number, name in enumerate(block.attempts):
            node = self._tree.nodes.get(name, {})
            hidden = count(len(self._tree.members[block.name]) - _ATTEMPTS + 1)
            rows.append(
                Row(
                    x=x + 8, y=y + ROW * number, width=self._width - 16, mark=phase_mark(node.get("phase")),
                    label=_attempt(node) if name else f"{hidden} more", note=self._note(node),
                    key=self._key(name or block.name), title=describe(node) if name else "more attempts",
                )
            )  # fmt: skip
        return rows

    def _fold_box(self, block: _Block, x: float, y: float) -> Box:
        counts = tally(block.folded, self._phases)
        words = ", ".join(f"{count(amount)} {phase or 'not started'}" for phase, amount in counts)
        return Box(
            x=x, y=y, width=self._width, height=block.height, lines=[f"{count(len(block.folded))} steps"],
            note=elide(words, self._room + 2), key=self._key(block.folded[0]), kind="fold",
            title=f"{len(block.folded)} steps folded: {words}", mark=phase_mark(counts[0][0]),
        )  # fmt: skip

    @staticmethod
    def _note(node: Mapping[str, Any]) -> str:
        phase = text(node.get("phase"))
        if phase in {"Skipped", "Omitted"}:
            return phase.lower()
        return duration(seconds_between(node.get("startedAt"), node.get("finishedAt")))


def _frame_head(node: Mapping[str, Any], took: str, room: int) -> tuple[list[str], str]:
    """Give as much of a frame's note as its label leaves room for."""
    name = label(node)
    kind = "in parallel" if node.get("type") == "StepGroup" else text(node.get("type"))
    for note in (" · ".join(part for part in (kind, took) if part), took):
        if cells(name) + cells(note) + 1 <= room:
            return [name], note
    return [elide(name, max(room, 1))], ""


def _attempt(node: Mapping[str, Any]) -> str:
    inside = text(node.get("displayName") or node.get("name")).rpartition("(")[2].rstrip(")")
    return f"attempt {int(inside) + 1}" if inside.isdecimal() and len(inside) < 6 else "attempt"


def describe(node: Mapping[str, Any]) -> str:
    """Say in one line what became of a node, for tooltips and screen readers."""
    took = duration(seconds_between(node.get("startedAt"), node.get("finishedAt")))
    message = text(node.get("message"))
    parts = [label(node), text(node.get("type")), phase_mark(node.get("phase")).word, took, message[:300]]
    return " · ".join(part for part in parts if part)
