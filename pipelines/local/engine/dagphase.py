"""The phase of a dag from those of its branches (Argo's assessDAGPhase)."""

from __future__ import annotations

from collections import deque

from pipelines.local.engine.context import Context
from pipelines.local.engine.depends import Dependencies
from pipelines.local.engine.nodes import ERROR, FAILED, RUNNING, SUCCEEDED, Node
from pipelines.local.engine.specs import Json

_BAD = {FAILED, ERROR}


def assess(op: Context, dag: Node, template: Json, graph: Dependencies, targets: list[str]) -> str:
    """Return the phase of a dag: Running while anything runs; a skipped target takes over its branch's last phase."""
    if op.shutdown and _exits_done(op, dag, targets):
        return FAILED
    phases = _branch_phases(op, dag, {f"{dag.name}.{target}" for target in targets})
    if phases is None:
        return RUNNING
    fail_fast = template.get("failFast", True)
    result = SUCCEEDED
    for target in targets:
        phase = phases.get(f"{dag.name}.{target}", "")
        if not phase:
            result = RUNNING
            if not fail_fast:
                break
        elif phase in _BAD:
            on = graph.tasks[target].get("continueOn") or {}
            if (phase == FAILED and on.get("failed")) or (phase == ERROR and on.get("error")):
                continue
            result = phase
            if fail_fast:
                break
    return result


def _exits_done(op: Context, dag: Node, targets: list[str]) -> bool:
    """Whether no target's exit handler still runs."""
    handlers = (op.node(f"{dag.name}.{target}.onExit") for target in targets)
    return all(node.fulfilled for node in handlers if node)


def _branch_phases(op: Context, dag: Node, targets: set[str]) -> dict[str, str] | None:
    """Walk down from a dag; return the phase of each target reached, or None if something still runs."""
    found: dict[str, str] = {}
    queue = deque((child, SUCCEEDED) for child in dag.children)
    seen = set(queue)
    while queue:
        key, phase = queue.popleft()
        node = op.nodes.get(key)
        if node is None or not node.fulfilled:
            return None
        if node.completed:
            phase = node.phase
        if node.name in targets and found.get(node.name) not in _BAD:
            found[node.name] = phase
        for child in _below(op, node):
            if (child, phase) not in seen:
                seen.add((child, phase))
                queue.append((child, phase))
    return found


def _below(op: Context, node: Node) -> list[str]:
    """Return where the walk goes on; past a Retry node's attempts, which do not count one by one."""
    if node.type != "Retry":
        return node.children
    below: list[str] = []
    for key in reversed(node.children):
        child = op.nodes.get(key)
        if child is not None and child.hooked:
            below.append(key)
        elif child is not None:
            below.extend(child.children)
    return below
