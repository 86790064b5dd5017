"""Calling a template: one step of the walk, whatever its type (Argo's executeTemplate)."""

from __future__ import annotations

import re

from pipelines.local.engine import dag, limits, retry, steps
from pipelines.local.engine.arguments import process
from pipelines.local.engine.context import Context, Invocation, TemplateCall
from pipelines.local.engine.errors import PROBLEMS, MaxDepthExceeded, NodeProblem, TemplateTimeout
from pipelines.local.engine.ids import pod_name
from pipelines.local.engine.nodes import ERROR, FAILED, PENDING, Node
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.scope import refers_to_result
from pipelines.local.engine.specs import Json, is_pod, node_type, template_type, with_defaults
from pipelines.local.engine.suspend import execute_suspend

_MAX_DEPTH = 100
_DISPLAY_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]")
_DISPLAY_ANNOTATION = "workflows.argoproj.io/display-name"


def execute_template(op: Context, name: str, call: TemplateCall) -> Node | None:
    """Start or continue the node of this name; None if it cannot start yet.

    Raises:
        NodeProblem, LangError: what the caller makes of it depends on its kind; the node is marked already.
    """
    node = op.node(name)
    if node is not None and _settled(op, node):
        return node
    op.depth += 1
    try:
        return Call(op, name, call, node).run()
    finally:
        op.depth -= 1


def _settled(op: Context, node: Node) -> bool:
    """Whether nothing new can come of looking at a node: its pod runs, or it ended and holds no lock."""
    if node.fulfilled:
        op.locks.release_node(node.id)
        return True
    if node.type == "Pod" and node.synchronization is None:
        return op.pods.running(node.id)
    if node.type == "Retry":
        last = op.nodes.get(node.children[-1]) if node.children else None
        return bool(last and last.type == "Pod" and last.retried and op.pods.running(last.id))
    return False


class Call:
    """One call of a template, in the order in which Argo does things."""

    def __init__(self, op: Context, name: str, asked: TemplateCall, node: Node | None) -> None:
        self.op, self.name, self.asked, self.node = op, name, asked, node
        self.caller, self.scope, self.options = asked.caller, asked.scope, asked.options
        self.inner = asked.scope
        self.template: Json = {}

    @property
    def invocation(self) -> Invocation:
        """What is about to run, as far as it is filled in."""
        return Invocation(
            caller=self.caller, scope=self.scope, inner=self.inner, template=self.template, options=self.options
        )

    def run(self) -> Node | None:
        """Do everything, marking the node where something goes wrong before it has started."""
        op = self.op
        try:
            if op.depth >= _MAX_DEPTH:
                raise MaxDepthExceeded
            self._prepare()
        except PROBLEMS as error:
            self.fail(error)
            raise
        node = self.node
        try:
            limits.check_timeout(op, self.template, node)
        except TemplateTimeout as error:
            op.mark(self.name, FAILED, str(error))
            raise
        limits.check_parallelism(op, self.template, node, self.options.boundary_id)
        if not self._locked():
            return self.node
        if "memoize" in self.template and self._memoized():
            return self.node
        node = self._execute()
        self.node = op.node(self.name)
        try:
            self._show_name()
        except PROBLEMS as error:
            self.fail(error)
            raise
        return node

    def _prepare(self) -> None:
        """Resolve the template and fill it in."""
        op = self.op
        self.inner, resolved = self.scope.resolve(self.caller)
        resolved = with_defaults(resolved, op.spec.get("templateDefaults"))
        local = {"node.name": self.name}
        if is_pod(resolved) and op.retry_strategy(resolved) is None:
            local["pod.name"] = pod_name(op.name, self.name, resolved.get("name", ""))
        if self.caller.kind == "task":
            local["tasks.name"] = self.caller.name
        if self.caller.kind == "step":
            local["steps.name"] = self.caller.name
        self.template = process(
            resolved, self.asked.arguments, op.globals, local, templating=op.templating, config_maps=op.objects
        )
        self._show_name()

    def _show_name(self) -> None:
        shown = (self.template.get("annotations") or {}).get(_DISPLAY_ANNOTATION)
        if self.node is None or not shown:
            return
        if not _DISPLAY_NAME.fullmatch(shown):
            raise NodeProblem(f"displayName must match the regex ^{_DISPLAY_NAME.pattern}$")
        if self.node.display_name != shown:
            self.node.display_name = shown
            self.op.nodes.touch(self.node)

    def fail(self, error: Exception) -> None:
        """Mark the node as Error, adding it as Skipped where there is none yet."""
        if self.node is not None:
            self.op.mark_error(self.name, error)
            return
        self.node = self.op.new_node(
            self.name,
            "Skipped",
            ERROR,
            scope=self.scope,
            caller=self.caller,
            boundary_id=self.options.boundary_id,
            flag=self.options.flag,
            message=str(error),
        )

    def _locked(self) -> bool:
        """Acquire the template's locks; False while another holds them."""
        op, wanted = self.op, self.template.get("synchronization")
        if not wanted:
            return True
        try:
            waiting = op.locks.acquire(op.nodes.id_of(self.name), wanted)
        except PROBLEMS as error:
            self.fail(error)
            raise
        if waiting is not None:
            if self.node is None:
                self.node = op.new_executable(self.name, node_type(self.template), PENDING, self.invocation)
            self._waiting(self.node, waiting.lock, waiting.message)
            return False
        if self.node is not None:
            self._waiting(self.node, "", "")
        return True

    def _waiting(self, node: Node, lock: str, message: str) -> None:
        status = {"waiting": lock} if lock else None
        if node.synchronization != status or (node.message != message and (lock or node.message)):
            node.synchronization = status
            node.message = message
            self.op.nodes.touch(node)
            self.op.changed = True

    def _memoized(self) -> bool:
        """Look the template's outputs up; True if they were found and the node is done."""
        op = self.op
        fresh = self.node is None or "synchronization" in self.template
        if fresh:
            try:
                hit, outputs = op.memo.load(self.template["memoize"], op.clock.now())
            except PROBLEMS as error:
                self.fail(error)
                raise
            if self.node is None:
                self.node = op.new_executable(self.name, node_type(self.template), PENDING, self.invocation)
            if hit:
                op.memo.hit(op, self.node, outputs)
        if self.node is not None and self.node.fulfilled:
            op.locks.release_node(self.node.id)
            return True
        return False

    def _execute(self) -> Node | None:
        op = self.op
        strategy = op.retry_strategy(self.template)
        attempt: str | None = self.name
        if strategy is not None:
            attempt = retry.next_attempt(self, strategy)
            if attempt is None:
                return op.node(self.name)
        assert attempt
        try:
            node = self._dispatch(attempt)
        except PROBLEMS as error:
            node = op.mark_error(attempt, error)
            if strategy is None or retry.policy(strategy) not in {"Always", "OnError", "OnTransientError"}:
                op.locks.release_node(op.nodes.id_of(self.name))
                raise
        if node.fulfilled:
            op.locks.release_node(node.id)
        if strategy is None:
            return node
        parent = op.nodes.need(self.name)
        if not parent.fulfilled and node.fulfilled:
            try:
                return execute_template(op, self.name, self.asked)
            except PROBLEMS as error:
                op.mark_error(node.name, error)
                raise
        return parent

    def _dispatch(self, name: str) -> Node:
        op, template = self.op, self.template
        kind = template_type(template)
        if kind == "steps":
            return steps.execute(op, name, self.invocation)
        if kind == "dag":
            return dag.execute(op, name, self.invocation)
        if kind == "suspend":
            return execute_suspend(op, name, self.invocation)
        return self._pod(name)

    def _pod(self, name: str) -> Node:
        op, template, options = self.op, self.template, self.options
        node = op.node(name)
        if node is None:
            node = op.new_executable(name, "Pod", PENDING, self.invocation)
        elif node.phase != PENDING and "container" not in template:
            return node
        include_result = False
        boundary = op.nodes.get(options.boundary_id)
        if boundary is not None and template_type(template) != "resource":
            _, parent = op.templates.scope(boundary.template_scope).resolve(Caller.of_node(boundary))
            include_result = refers_to_result(task_name(name), parent)
        if not op.pods.exists(node.id) and not op.may_start(on_exit=options.on_exit):
            return op.mark(name, FAILED, f"workflow shutdown with strategy: {op.shutdown}")
        op.pods.create(op, node, template, include_result=include_result, options=options)
        return node


def task_name(node_name: str) -> str:
    """Return the step or task that a node belongs to: `wf[0].fan(0:1)(0)` → `fan`."""
    opener = ""
    end = len(node_name)
    for index in range(len(node_name) - 1, -1, -1):
        char = node_name[index]
        if opener:
            opener = "" if char == opener else opener
        elif char in ")]":
            opener = "(" if char == ")" else "["
        else:
            end = index + 1
            break
    return node_name[:end].rpartition(".")[2]
