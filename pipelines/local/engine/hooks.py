"""Lifecycle hooks and exit handlers of steps, tasks and the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.local.engine.context import Context, Options, TemplateCall
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.nodes import Node
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.resolve import Scope as TemplateScope
from pipelines.local.engine.scope import Scope, last_attempt
from pipelines.local.engine.specs import Json, exit_hook

_HOOKED = {"hooked": True}


def all_hooks_fulfilled(op: Context, node: Node) -> bool:
    """Whether no hook below a node still runs."""
    children = (op.nodes.get(key) for key in node.children)
    return all(child.fulfilled for child in children if child and child.hooked)


@dataclass(frozen=True, kw_only=True)
class Hooked:
    """What hooks hang on: a step or task (`holder`) with its node, and what the hooks' arguments may refer to."""

    holder: Json
    node: Node
    boundary_id: str
    templates: TemplateScope
    prefix: str
    scope: Scope


def run_workflow_hooks(op: Context) -> bool:
    """Start or continue the workflow's hooks; True when none of the started ones still runs.

    Raises:
        NodeProblem, LangError: an expression is missing or wrong, or a hook cannot run.
    """
    hooked = Hooked(
        holder=op.spec,
        node=op.nodes.need(op.name),
        boundary_id="",
        templates=op.templates.root(op.name),
        prefix="",
        scope=Scope({}),
    )
    return run_hooks(op, hooked)


def run_hooks(op: Context, hooked: Hooked) -> bool:
    """Start or continue the hooks of a step, task or workflow; True when none of the started ones still runs.

    Raises:
        NodeProblem, LangError: an expression is missing or wrong, or a hook cannot run.
    """
    started = []
    for hook_name, hook in (hooked.holder.get("hooks") or {}).items():
        if hook_name == "exit":
            continue
        name = f"{hooked.node.name}.hooks.{hook_name}"
        if not hook.get("expression"):
            raise NodeProblem(f"Expression required for hook {name}")
        if not _wanted(op, hook, hooked) and op.node(name) is None:
            continue
        arguments = hook.get("arguments") or {}
        outputs = (last_attempt(hooked.node, op.nodes) or hooked.node).outputs
        if hooked.prefix and _given(arguments) and outputs:
            arguments = _resolve(op, arguments, outputs, hooked)
        options = Options(boundary_id=hooked.boundary_id, flag=dict(_HOOKED))
        node = op.execute(op, name, _call(hook, hooked, arguments, options))
        op.nodes.add_child(hooked.node.name, name)
        started.append(node)
    return all(node is not None and node.fulfilled for node in started)


def run_on_exit(op: Context, hooked: Hooked) -> bool:
    """Start or continue the exit handler of a step or task; True when there is none, or it is done.

    Raises:
        NodeProblem, LangError: it cannot run.
    """
    hook = exit_hook(hooked.holder, op.arguments)
    if hook is None or not op.may_start(on_exit=True) or (hook.get("expression") and not _wanted(op, hook, hooked)):
        return True
    name = f"{hooked.node.name}.onExit"
    arguments = hook.get("arguments") or {}
    if _given(arguments):
        arguments = _resolve(op, arguments, (last_attempt(hooked.node, op.nodes) or hooked.node).outputs, hooked)
    options = Options(boundary_id=hooked.boundary_id, on_exit=True, flag=dict(_HOOKED))
    try:
        node = op.execute(op, name, _call(hook, hooked, arguments, options))
    finally:
        if op.node(name) is not None:
            op.nodes.add_child(hooked.node.name, name)
    return node is not None and node.fulfilled


def _wanted(op: Context, hook: Json, hooked: Hooked) -> bool:
    values = {**op.globals, **hooked.scope.texts}
    return op.templating.lang.expr_bool(hook["expression"], values, now=op.clock.now())


def _call(hook: Json, hooked: Hooked, arguments: Json, options: Options) -> TemplateCall:
    """A hook calls its template as a step without a name."""
    bare = {key: hook[key] for key in ("template", "templateRef") if key in hook}
    return TemplateCall(caller=Caller.of("step", bare), scope=hooked.templates, arguments=arguments, options=options)


def _given(arguments: Json) -> bool:
    return bool(arguments.get("parameters") or arguments.get("artifacts"))


def _resolve(op: Context, arguments: Json, outputs: Json | None, hooked: Hooked) -> Json:
    """Substitute what a hook's arguments refer to: outputs of the step it belongs to, and what that step could use."""
    prefix, scope = hooked.prefix, hooked.scope
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
