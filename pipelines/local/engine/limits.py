"""Parallelism, fail-fast and template timeouts."""

from __future__ import annotations

from datetime import timedelta

from pipelines.local.engine import durations
from pipelines.local.engine.context import Context
from pipelines.local.engine.errors import NodeProblem, ParallelismReached, TemplateTimeout
from pipelines.local.engine.nodes import FAILED, PENDING, RUNNING, Node
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.specs import Json

_ACTIVE = {PENDING, RUNNING}
_COUNTED = {"Pod", "Steps", "DAG"}
_FAIL_FAST = "template has failed or errored children and failFast enabled"


def check_timeout(op: Context, template: Json, node: Node | None) -> None:
    """Refuse to go on with a pending node whose template's timeout passed.

    Raises:
        TemplateTimeout: it passed.
        NodeProblem: the timeout is no duration.
    """
    deadline = template_timeout(template)
    if deadline is None or node is None or node.started_at is None:
        return
    until = node.started_at + timedelta(seconds=deadline)
    if node.phase == PENDING and op.clock.now() >= until:
        raise TemplateTimeout
    if node.phase == PENDING:
        op.wake_at(until)


def template_timeout(template: Json) -> float | None:
    """Return a template's timeout in seconds; None if it has none."""
    if not template.get("timeout"):
        return None
    try:
        return durations.parse_go(template["timeout"])
    except ValueError as error:
        raise NodeProblem(f"invalid timeout format. {error}") from error


def active_pods(op: Context, boundary_id: str = "") -> int:
    """Count pods that exist and are pending or running and wait for no lock, in one template or all."""
    nodes = op.nodes.inside(boundary_id) if boundary_id else op.nodes
    return sum(
        node.type == "Pod" and node.phase in _ACTIVE and not node.synchronization and op.pods.exists(node.id)
        for node in nodes
    )


def check_parallelism(op: Context, template: Json, node: Node | None, boundary_id: str) -> None:
    """Refuse to start more than the workflow or the templates allow.

    Raises:
        ParallelismReached: not now.
    """
    limit = op.spec.get("parallelism")
    if limit is not None and op.active_pods >= limit:
        raise ParallelismReached
    if node is not None and ("dag" in template or "steps" in template):
        _check_fail_fast(op, template, node)
        if "parallelism" in template and active_pods(op, node.id) >= template["parallelism"]:
            raise ParallelismReached
    if boundary_id and (node is None or node.phase not in _ACTIVE):
        boundary = op.nodes.get(boundary_id)
        assert boundary
        _, parent = op.templates.scope(boundary.template_scope).resolve(Caller.of_node(boundary))
        _check_fail_fast(op, parent, boundary)
        if "parallelism" in parent:
            active = sum(n.type in _COUNTED and n.phase in _ACTIVE for n in op.nodes.inside(boundary_id))
            if active >= parent["parallelism"]:
                raise ParallelismReached


def _check_fail_fast(op: Context, template: Json, node: Node) -> None:
    if not template.get("failFast"):
        return
    if not any(n.type in _COUNTED and n.bad for n in op.nodes.inside(node.id)):
        return
    if active_pods(op, node.id) == 0:
        if "steps" in template:
            group = _last_group(op, node.id)
            if group is not None:
                op.mark(group.name, FAILED, _FAIL_FAST)
        op.mark(node.name, FAILED, _FAIL_FAST)
    raise ParallelismReached


def _last_group(op: Context, node_id: str) -> Node | None:
    """Return the step group that a walk down the children visits last."""
    found: Node | None = None
    seen: set[str] = set()
    stack = [node_id]
    while stack:
        key = stack.pop()
        node = op.nodes.get(key)
        if node is None or key in seen:
            continue
        seen.add(key)
        if node.type == "StepGroup":
            found = node
        stack.extend(reversed(node.children))
    return found
