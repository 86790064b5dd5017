"""Steps templates: groups one after the other, the steps of a group at once (Argo's executeSteps)."""

from __future__ import annotations

from pipelines.local.engine import hooks, loops
from pipelines.local.engine.context import Context, Invocation, Options, TemplateCall
from pipelines.local.engine.errors import PROBLEMS, MaxDepthExceeded, NodeProblem, ParallelismReached, TemplateTimeout
from pipelines.local.engine.nodes import ERROR, FAILED, RUNNING, SKIPPED, SUCCEEDED, Node
from pipelines.local.engine.outbound import outbound_nodes
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.resolve import Scope as TemplateScope
from pipelines.local.engine.scope import Scope
from pipelines.local.engine.specs import Json


def execute(op: Context, name: str, call: Invocation) -> Node:
    """Start or continue a steps node.

    Raises:
        NodeProblem, LangError: its outputs cannot be worked out.
    """
    node, template = op.node(name), call.template
    if node is None:
        node = op.new_executable(name, "Steps", RUNNING, call)
    scope = Scope(template)
    scope.add_outputs("workflow", op.status.get("outputs"))
    run = _Steps(op, node, call.inner, scope, on_exit=call.options.on_exit)
    for index, group in enumerate(template["steps"]):
        group_node, broken = run.group(index, group)
        if broken:
            return group_node
        if not group_node.fulfilled:
            return node
        if group_node.bad:
            _set_outbound(op, node, template)
            return op.mark(name, FAILED, group_node.message)
        run.collect(group_node.name, group)
    _set_outbound(op, node, template)
    outputs = scope.template_outputs(template, op.templating)
    if outputs is not None:
        node.outputs = outputs
        op.nodes.touch(node)
        op.export(outputs)
    op.memo.save(op, node, without_outputs=True)
    return op.mark(name, SUCCEEDED)


def _set_outbound(op: Context, node: Node, template: Json) -> None:
    """The outbound nodes of a steps node are those of its last group."""
    for index in range(len(template["steps"]) - 1, -1, -1):
        group = op.node(f"{node.name}[{index}]")
        if group is not None:
            node.outbound = [leaf for child in group.children for leaf in outbound_nodes(op, child)]
            op.nodes.touch(node)
            return


class _Steps:
    """One pass over a steps node."""

    def __init__(self, op: Context, node: Node, inner: TemplateScope, scope: Scope, *, on_exit: bool) -> None:
        self.op, self.node, self.inner, self.scope, self.on_exit = op, node, inner, scope, on_exit

    def group(self, index: int, group: list[Json]) -> tuple[Node, bool]:
        """Start or continue one group; also tell whether it broke, which Argo shows as the whole node's end."""
        op, name = self.op, f"{self.node.name}[{index}]"
        node = op.node(name)
        if node is None:
            node = op.new_node(name, "StepGroup", RUNNING, scope=self.inner, boundary_id=self.node.id)
        elif not node.fulfilled:
            op.mark(name, RUNNING)
        self._connect(index, name)
        try:
            return self._run_group(node, group), False
        except PROBLEMS as error:
            return op.mark_error(name, error), True

    def _connect(self, index: int, name: str) -> None:
        """Hang a group below the outbound nodes of the group before it."""
        op = self.op
        if index == 0:
            op.nodes.add_child(self.node.name, name)
            return
        previous = op.nodes.need(f"{self.node.name}[{index - 1}]")
        key = f"connected {name}"
        if op.caches.get(key) == len(previous.children):
            return
        if not previous.children:
            op.nodes.add_child(previous.name, name)
        for child in previous.children:
            for leaf in outbound_nodes(op, child):
                found = op.nodes.get(leaf)
                assert found
                op.nodes.add_child(found.name, name)
        op.caches[key] = len(previous.children)

    def _run_group(self, node: Node, group: list[Json]) -> Node:
        op = self.op
        if node.fulfilled and self._all_ended(node):
            return node
        try:
            resolved = [self._resolved(step) for step in group]
            steps = [step for each in resolved for step in self._expanded(node.name, each)]
        except PROBLEMS as error:
            return op.mark_error(node.name, error)
        known: dict[str, Json] = {}
        for step in steps:
            failed = self._start(node, step, known)
            if failed is not None:
                return failed
        return self._assess(node, known)

    def _all_ended(self, group: Node) -> bool:
        caches, key = self.op.caches, f"ended {group.name}"
        if key not in caches:
            children = (self.op.nodes.get(child) for child in group.children)
            if not all(child.fulfilled for child in children if child):
                return False
            caches[key] = True
        return True

    def _resolved(self, step: Json) -> Json:
        try:
            return loops.resolve(self.op, step, self.scope)
        except PROBLEMS as error:
            raise NodeProblem(f"Failed to resolve references: {error}") from error

    def _expanded(self, group: str, step: Json) -> list[Json]:
        op = self.op
        if not loops.expands(step):
            return [step]
        name = f"{group}.{step['name']}"
        expanded = loops.expand(op, step, self.scope, name)
        if not expanded and op.node(name) is None:
            self._skip(step, name, SKIPPED, "Skipped, empty params")
            op.nodes.add_child(group, name)
        return expanded

    def _start(self, group: Node, step: Json, known: dict[str, Json]) -> Node | None:
        """Start or continue one step; return the group's node if that ends the group."""
        op, name = self.op, f"{group.name}.{step['name']}"
        existing = op.node(name)
        if existing is None or existing.type == "Skipped":
            try:
                proceed = loops.should_execute(op, step)
            except PROBLEMS as error:
                if existing is None:
                    self._skip(step, name, ERROR, str(error))
                op.nodes.add_child(group.name, name)
                return op.mark_error(group.name, error)
            if not proceed:
                if existing is None:
                    self._skip(step, name, SKIPPED, f"when '{step['when']}' evaluated false")
                    op.nodes.add_child(group.name, name)
                return None
        call = TemplateCall(
            caller=Caller.of("step", step),
            scope=self.inner,
            arguments=step.get("arguments") or {},
            options=Options(boundary_id=self.node.id, on_exit=self.on_exit),
        )
        try:
            child = op.execute(op, name, call)
        except (ParallelismReached, MaxDepthExceeded):
            child = op.node(name)
        except TemplateTimeout as error:
            return op.mark(group.name, FAILED, str(error))
        except PROBLEMS as error:
            if op.node(name) is not None:
                op.nodes.add_child(group.name, name)
            return op.mark_error(group.name, f"step group deemed errored due to child {name} error: {error}")
        if child is not None:
            known[name] = step
            op.nodes.add_child(group.name, name)
        return None

    def _skip(self, step: Json, name: str, phase: str, message: str) -> None:
        caller = Caller.of("step", step)
        self.op.new_node(
            name, "Skipped", phase, scope=self.inner, caller=caller, boundary_id=self.node.id, message=message
        )

    def _assess(self, group: Node, known: dict[str, Json]) -> Node:
        op = self.op
        children = [child for child in map(op.nodes.get, group.children) if child]
        completed = True
        for child in children:
            step = known.get(child.name, {})
            self.scope.texts[f"steps.{child.display_name}.status"] = child.phase
            hooked = hooks.Hooked(
                holder=step,
                node=child,
                boundary_id=self.node.id,
                templates=self.inner,
                prefix=f"steps.{step.get('name', '')}",
                scope=self.scope,
            )
            try:
                done = hooks.run_hooks(op, hooked)
            except PROBLEMS as error:
                op.mark_error(group.name, error)
                done = False
            if not done:
                return group
            if not child.fulfilled:
                completed = False
            elif child.completed:
                completed = hooks.run_on_exit(op, hooked) and completed
        if not completed:
            return op.mark(group.name, RUNNING) if group.fulfilled else group
        return self._conclude(group, children, known)

    def _conclude(self, group: Node, children: list[Node], known: dict[str, Json]) -> Node:
        op = self.op
        for child in children:
            on = known.get(child.name, {}).get("continueOn") or {}
            tolerated = (child.phase == FAILED and on.get("failed")) or (child.phase == ERROR and on.get("error"))
            if child.bad and not tolerated:
                return op.mark(group.name, FAILED, f"child '{child.id}' failed")
        return op.mark(group.name, SUCCEEDED)

    def collect(self, group: str, steps: list[Json]) -> None:
        """Add what a finished group put out to the scope of the later ones."""
        op = self.op
        for step in steps:
            name, prefix = f"{group}.{step['name']}", f"steps.{step['name']}"
            child = op.node(name)
            if child is not None:
                self.scope.add_node(prefix, child, op.nodes)
                continue
            inside = op.nodes.inside(self.node.id)
            children = [n for n in inside if n.name.startswith(f"{name}(") and n.type != "Skipped"]
            if children:
                self.scope.add_aggregate(prefix, children, op.templating.lang)
