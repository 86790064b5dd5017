"""Lifecycle hooks and exit handlers of steps, tasks and the workflow."""

from __future__ import annotations

from pipelines.local.engine.context import Context, Options
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.nodes import Node
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.resolve import Scope as TemplateScope
from pipelines.local.engine.scope import Scope, last_attempt
from pipelines.local.engine.specs import Json

_HOOKED = {"hooked": True}


def all_hooks_fulfilled(op: Context, node: Node) -> bool:
    """Whether no hook below a node still runs."""
    children = (op.nodes.get(key) for key in node.children)
    return all(child.fulfilled for child in children if child and child.hooked)


def run_workflow_hooks(op: Context) -> bool:
    """Start or continue the workflow's hooks; True when none of the started ones still runs.

    Raises:
        NodeProblem, LangError: an expression is missing or wrong, or a hook cannot run.
    """
    scope = op.templates.root(op.name)
    return _run(op, op.spec.get("hooks"), op.nodes.need(op.name), scope, dict(op.globals), None, "", "")


def run_hooks(
    op: Context, holder: Json, parent: Node, boundary_id: str, templates: TemplateScope, prefix: str, scope: Scope
) -> bool:
    """Start or continue the hooks of a step or task; True when none of the started ones still runs.

    Raises:
        NodeProblem, LangError: an expression is missing or wrong, or a hook cannot run.
    """
    hooks = holder.get("hooks")
    if not hooks:
        return True
    return _run(op, hooks, parent, templates, {**op.globals, **scope.texts}, scope, boundary_id, prefix)


def _run(
    op: Context,
    hooks: Json | None,
    parent: Node,
    templates: TemplateScope,
    values: dict[str, str],
    scope: Scope | None,
    boundary_id: str,
    prefix: str,
) -> bool:
    started = []
    for hook_name, hook in (hooks or {}).items():
        if hook_name == "exit":
            continue
        name = f"{parent.name}.hooks.{hook_name}"
        if not hook.get("expression"):
            raise NodeProblem(f"Expression required for hook {name}")
        wanted = op.templating.lang.expr_bool(hook["expression"], values, now=op.clock.now())
        if not wanted and op.node(name) is None:
            continue
        arguments = hook.get("arguments") or {}
        outputs = (last_attempt(parent, op.nodes) or parent).outputs
        if scope is not None and _given(arguments) and outputs:
            arguments = _resolve(op, arguments, prefix, outputs, scope)
        options = Options(boundary_id=boundary_id, flag=dict(_HOOKED))
        node = op.execute(op, name, Caller.of("step", _bare(hook)), templates, arguments, options)
        op.nodes.add_child(parent.name, name)
        started.append(node)
    return all(node is not None and node.fulfilled for node in started)


def run_on_exit(
    op: Context,
    hook: Json | None,
    parent: Node,
    boundary_id: str,
    templates: TemplateScope,
    prefix: str,
    scope: Scope,
) -> bool:
    """Start or continue the exit handler of a step or task; True when there is none, or it is done.

    Raises:
        NodeProblem, LangError: it cannot run.
    """
    if hook is None:
        return True
    if hook.get("expression"):
        values = {**op.globals, **scope.texts}
        if not op.templating.lang.expr_bool(hook["expression"], values, now=op.clock.now()):
            return True
    name = f"{parent.name}.onExit"
    arguments = hook.get("arguments") or {}
    if _given(arguments):
        outputs = (last_attempt(parent, op.nodes) or parent).outputs
        arguments = _resolve(op, arguments, prefix, outputs, scope)
    options = Options(boundary_id=boundary_id, on_exit=True, flag=dict(_HOOKED))
    try:
        node = op.execute(op, name, Caller.of("step", _bare(hook)), templates, arguments, options)
    finally:
        if op.node(name) is not None:
            op.nodes.add_child(parent.name, name)
    return node is not None and node.fulfilled


def _given(arguments: Json) -> bool:
    return bool(arguments.get("parameters") or arguments.get("artifacts"))


def _bare(hook: Json) -> Json:
    """A hook calls its template as a step without a name."""
    return {key: hook[key] for key in ("template", "templateRef") if key in hook}


def _resolve(op: Context, arguments: Json, prefix: str, outputs: Json | None, scope: Scope) -> Json:
    """Substitute what a hook's arguments refer to: outputs of the step it belongs to, and what that step could use."""
    for parameter in (outputs or {}).get("parameters") or []:
        scope.texts[f"{prefix}.outputs.parameters.{parameter['name']}"] = parameter.get("value", "")
    for artifact in (outputs or {}).get("artifacts") or []:
        scope.artifacts[f"{prefix}.outputs.artifacts.{artifact['name']}"] = artifact
    resolved: Json = op.templating.value(arguments, {**op.globals, **scope.texts})
    artifacts = []
    for artifact in resolved.get("artifacts") or []:
        if not artifact.get("from") and not artifact.get("fromExpression"):
            artifacts.append(artifact)
            continue
        try:
            found = scope.resolve_artifact(artifact, op.templating)
        except NodeProblem as error:
            if artifact.get("optional"):
                artifacts.append(artifact)
                continue
            raise NodeProblem(f"unable to resolve references: {error}") from error
        if found:
            artifacts.append({**found, "name": artifact["name"]})
    return {**resolved, "artifacts": artifacts} if artifacts else resolved
