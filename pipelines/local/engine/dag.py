"""DAG templates: tasks that start when what they depend on is done (Argo's executeDAG)."""

from __future__ import annotations

from pipelines.local.engine import hooks, loops
from pipelines.local.engine.context import Context, Invocation, Options, TemplateCall
from pipelines.local.engine.dagphase import assess
from pipelines.local.engine.depends import Dependencies, results
from pipelines.local.engine.errors import PROBLEMS, MaxDepthExceeded, NodeProblem, ParallelismReached, TemplateTimeout
from pipelines.local.engine.nodes import ERROR, FAILED, OMITTED, RUNNING, SKIPPED, SUCCEEDED, Node
from pipelines.local.engine.outbound import outbound_nodes
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.resolve import Scope as TemplateScope
from pipelines.local.engine.scope import Scope
from pipelines.local.engine.specs import Json


def execute(op: Context, name: str, call: Invocation) -> Node:
    """Start or continue a dag node.

    Raises:
        NodeProblem, LangError: its outputs cannot be worked out, or a hook or exit handler cannot run.
    """
    node, template = op.node(name), call.template
    if node is None:
        node = op.new_executable(name, "DAG", RUNNING, call)
    run = _Dag(op, node, call.inner, template, on_exit=call.options.on_exit)
    targets = (template["dag"].get("target") or "").split(" ") if template["dag"].get("target") else run.graph.leaves()
    for target in targets:
        run.task(target)
        run.finish_target(target)
    phase = assess(op, node, template["dag"], run.graph, targets)
    if phase == RUNNING:
        return node
    run.set_outbound(targets)
    if phase != SUCCEEDED:
        return op.mark(name, phase)
    outputs = run.final_scope().template_outputs(template, op.templating)
    if outputs is not None:
        node.outputs = outputs
        op.nodes.touch(node)
    op.memo.save(op, node)
    return op.mark(name, SUCCEEDED)


class _Dag:
    """One pass over a dag node."""

    def __init__(self, op: Context, node: Node, inner: TemplateScope, template: Json, *, on_exit: bool) -> None:
        self.op, self.node, self.inner, self.template, self.on_exit = op, node, inner, template, on_exit
        tasks = template["dag"]["tasks"]
        graph: Dependencies | None = op.caches.get(f"graph {node.name}")
        if graph is None:
            graph = op.caches[f"graph {node.name}"] = Dependencies(tasks)
        graph.tasks = {task["name"]: task for task in tasks}
        self.graph = graph
        self.visited: set[str] = set()

    def node_of(self, task: str) -> Node | None:
        """Return a task's node."""
        return self.op.node(f"{self.node.name}.{task}")

    # -- scopes

    def scope(self, task: str) -> Scope:
        """Return what a task may refer to: inputs, and the outputs of its ancestors, the last to finish winning.

        Raises:
            NodeProblem, LangError: an ancestor has no node, or a loop's results are not JSON.
        """
        op = self.op
        scope = Scope(self.template)
        scope.add_outputs("workflow", op.status.get("outputs"))
        for name in self.graph.ancestors(task):
            node = self.node_of(name)
            if node is None:
                raise NodeProblem(f"Ancestor task node {name} not found")
            if node.type == "TaskGroup":
                children = [n for n in op.nodes.inside(self.node.id) if n.name.startswith(f"{node.name}(")]
                scope.add_aggregate(f"tasks.{name}", children, op.templating.lang)
            else:
                scope.add_node(f"tasks.{name}", node, op.nodes)
        return scope

    def own_scope(self, task: str, node: Node) -> Scope:
        """Return a task's scope for its hooks, which may also ask for its own status."""
        scope = self.scope(task)
        scope.texts[f"tasks.{task}.status"] = node.phase
        return scope

    def final_scope(self) -> Scope:
        """Return what the dag's own outputs may refer to: every task's outputs."""
        op, scope = self.op, Scope(self.template)
        for name in self.graph.tasks:
            node = self.node_of(name)
            if node is None:
                continue
            if node.type == "TaskGroup":
                children = [child for key in node.children if (child := op.nodes.get(key))]
                scope.add_aggregate(f"tasks.{name}", children, op.templating.lang)
            scope.add_node(f"tasks.{name}", node, op.nodes)
            op.export(node.outputs)
        return scope

    # -- targets

    def finish_target(self, name: str) -> None:
        """Run hooks and the exit handler of a target task, which nothing else would look at again."""
        node = self.node_of(name)
        task = self.graph.tasks[name]
        if node is None:
            return
        if not (task.get("hooks") or task.get("onExit")):
            if (key := f"scoped {node.name}") not in self.op.caches:
                self.scope(name)
                self.op.caches[key] = True
            return
        scope = self.own_scope(name, node)
        hooked = self._hooked(task, node, scope)
        hooks.run_hooks(self.op, hooked)
        if node.completed:
            hooks.run_on_exit(self.op, hooked)

    def _hooked(self, task: Json, node: Node, scope: Scope) -> hooks.Hooked:
        return hooks.Hooked(
            holder=task,
            node=node,
            boundary_id=self.node.id,
            templates=self.inner,
            prefix=f"tasks.{task['name']}",
            scope=scope,
        )

    def _exit(self, task: Json, node: Node) -> bool:
        return hooks.run_on_exit(self.op, self._hooked(task, node, self.own_scope(task["name"], node)))

    def set_outbound(self, targets: list[str]) -> None:
        """The outbound nodes of a dag are those of its targets."""
        nodes = [node for node in map(self.node_of, targets) if node]
        self.node.outbound = [leaf for node in nodes for leaf in outbound_nodes(self.op, node.id)]
        self.op.nodes.touch(self.node)

    # -- tasks

    def task(self, name: str) -> None:
        """Start or continue a task, after everything that it depends on (Argo's executeDAGTask)."""
        if name in self.visited:
            return
        self.visited.add(name)
        node, task = self.node_of(name), self.graph.tasks[name]
        if node is not None and (node.fulfilled or node.phase == RUNNING) and not self._hooks_done(task, node):
            return
        if node is not None and node.fulfilled:
            self._after(task, node)
            return
        if not self._ready(name):
            return
        try:
            scope = self.scope(name)
            resolved = loops.resolve(self.op, task, scope)
            expanded = self._expanded(resolved, scope)
        except PROBLEMS as error:
            self._skip(task, f"{self.node.name}.{name}", ERROR, str(error))
            return
        self._run(task, expanded)

    def _hooks_done(self, task: Json, node: Node) -> bool:
        if not task.get("hooks"):
            return True
        try:
            return hooks.run_hooks(self.op, self._hooked(task, node, self.own_scope(task["name"], node)))
        except PROBLEMS as error:
            self.op.mark_error(node.name, error)
            return False

    def _after(self, task: Json, node: Node) -> None:
        self.op.locks.release_node(node.id)
        if not node.completed or not (task.get("onExit") or "exit" in (task.get("hooks") or {})):
            return
        try:
            self._exit(task, node)
        except PROBLEMS:
            return

    def _ready(self, name: str) -> bool:
        """Whether a task may start; if it never will, it is marked."""
        if not self.graph.logic[name]:
            return True
        for parent in self.graph.names[name]:
            self.task(parent)
        if self.node_of(name) is not None:
            return True
        parents = {parent: self.node_of(parent) for parent in self.graph.names[name]}
        for node in parents.values():
            if node is None or not node.fulfilled or not hooks.all_hooks_fulfilled(self.op, node):
                return False
        done = {parent: results(node, self.op.nodes) for parent, node in parents.items() if node}
        task, node_name = self.graph.tasks[name], f"{self.node.name}.{name}"
        try:
            if self.op.templating.lang.depends(self.graph.logic[name], done):
                return True
        except PROBLEMS as error:
            self._skip(task, node_name, ERROR, str(error))
            return False
        self._skip(task, node_name, OMITTED, "omitted: depends condition not met")
        return False

    def _skip(self, task: Json, node_name: str, phase: str, message: str) -> None:
        if self.op.node(node_name) is not None:
            self.op.mark(node_name, phase, message)
            return
        self._new_skipped(task, node_name, phase, message)
        self._connect(task["name"], node_name)

    def _new_skipped(self, task: Json, name: str, phase: str, message: str) -> None:
        caller = Caller.of("task", task)
        self.op.new_node(
            name, "Skipped", phase, scope=self.inner, caller=caller, boundary_id=self.node.id, message=message
        )

    def _connect(self, name: str, node_name: str, group: Node | None = None) -> None:
        """Hang a node below its task group, else below what the task depends on, else below the dag."""
        op = self.op
        if group is not None:
            op.nodes.add_child(group.name, node_name)
        elif not self.graph.names[name]:
            op.nodes.add_child(self.node.name, node_name)
        else:
            for parent in self.graph.names[name]:
                node = self.node_of(parent)
                assert node
                for leaf in outbound_nodes(op, node.id):
                    found = op.nodes.get(leaf)
                    assert found
                    op.nodes.add_child(found.name, node_name)

    def _expanded(self, task: Json, scope: Scope) -> list[Json]:
        if not loops.expands(task):
            return [task]
        return loops.expand(self.op, task, scope, f"{self.node.name}.{task['name']}")

    def _run(self, task: Json, expanded: list[Json]) -> None:
        op, name = self.op, task["name"]
        node_name = f"{self.node.name}.{name}"
        group: Node | None = None
        if loops.expands(task):
            group = op.node(node_name)
            if not expanded:
                self._skip(task, node_name, SKIPPED, "Skipped, empty params")
                return
            if group is None:
                self._connect(name, node_name)
                caller = Caller.of("task", task)
                group = op.new_node(
                    node_name, "TaskGroup", RUNNING, scope=self.inner, caller=caller, boundary_id=self.node.id
                )
        for each in expanded:
            if not self._start(task, each, group):
                return
        if group is not None:
            self._close(group, expanded)

    def _start(self, task: Json, each: Json, group: Node | None) -> bool:
        """Start or continue one (expanded) task; False if this pass should look no further."""
        op, node_name = self.op, f"{self.node.name}.{each['name']}"
        if op.node(node_name) is None:
            self._connect(task["name"], node_name, group)
            try:
                proceed = loops.should_execute(op, each)
                message = f"when '{each.get('when')}' evaluated false"
                phase = SKIPPED
            except PROBLEMS as error:
                proceed, message, phase = False, str(error), ERROR
            if not proceed:
                self._new_skipped(task, node_name, phase, message)
                return True
        call = TemplateCall(
            caller=Caller.of("task", each),
            scope=self.inner,
            arguments=each.get("arguments") or {},
            options=Options(boundary_id=self.node.id, on_exit=self.on_exit),
        )
        try:
            child = op.execute(op, node_name, call)
        except (ParallelismReached, MaxDepthExceeded):
            child = op.node(node_name)
        except TemplateTimeout as error:
            op.mark(node_name, FAILED, str(error))
            return False
        except PROBLEMS as error:
            op.mark_error(node_name, f"task '{node_name}' errored: {error}")
            return False
        if child is None:
            return False
        if child.completed and (task.get("onExit") or "exit" in (task.get("hooks") or {})):
            try:
                return self._exit(task, child)
            except PROBLEMS:
                return False
        return True

    def _close(self, group: Node, expanded: list[Json]) -> None:
        """Give a task group the phase of its last failing child once all have ended."""
        phase = SUCCEEDED
        for each in expanded:
            node = self.node_of(each["name"])
            if node is None or not node.fulfilled:
                return
            if node.bad:
                phase = node.phase
        self.op.mark(group.name, phase)
