"""Outbound nodes: what the next step or task hangs below."""

from __future__ import annotations

from pipelines.local.engine.context import Context


def outbound_nodes(op: Context, node_id: str) -> list[str]:
    """Return the ids of the last nodes of whatever a node stands for (Argo's getOutboundNodes)."""
    node = op.nodes.get(node_id)
    assert node, f"no node {node_id}"
    if node.type in {"Pod", "Skipped", "Suspend"}:
        return [node.id]
    if node.type == "TaskGroup":
        if not node.children:
            return [node.id]
        return [leaf for child in node.children for leaf in outbound_nodes(op, child)]
    if node.type == "Retry" and node.children:
        return [node.children[-1]]
    if node.type in {"Steps", "DAG"} and (node.memoization or {}).get("hit"):
        return [node.id]
    return [leaf for child in node.outbound for leaf in outbound_nodes(op, child)]
