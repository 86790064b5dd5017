"""One pass over a workflow: assess what changed, then walk from the entrypoint (Argo's operate)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from pipelines.local.engine import globals as global_values
from pipelines.local.engine.clock import show_time, whole_second
from pipelines.local.engine.context import Context, Options, TemplateCall
from pipelines.local.engine.errors import PROBLEMS, ParallelismReached
from pipelines.local.engine.gojson import marshal
from pipelines.local.engine.hooks import run_workflow_hooks
from pipelines.local.engine.ids import pod_name
from pipelines.local.engine.limits import active_pods
from pipelines.local.engine.nodes import ERROR, FAILED, PENDING, RUNNING, Node
from pipelines.local.engine.outputs import Outcome
from pipelines.local.engine.pods import from_epoch
from pipelines.local.engine.resolve import Caller
from pipelines.local.engine.specs import exit_hook

DONE = frozenset({"Succeeded", "Failed", "Error"})
_PHASES = {"Skipped": "Succeeded", "Omitted": "Succeeded"}
_PAST_DEADLINE = "Step exceeded its deadline"


def operate(op: Context) -> None:
    """Do one pass. Afterwards `op.changed` tells whether another one may find more to do."""
    op.changed = False
    op.wakes.clear()
    if not _prepare(op) or not _lock(op):
        return
    if not op.status.get("phase") or op.status["phase"] == PENDING:
        op.mark_workflow("Running")
    op.deadline = _deadline(op)
    _reconcile(op)
    if op.spec.get("suspend"):
        return
    if "parallelism" in op.spec:
        op.active_pods = active_pods(op)
    node = _entrypoint(op)
    if node is None:
        return
    status = _PHASES.get(node.phase, node.phase)
    op.globals["workflow.status"] = status
    op.globals["workflow.failures"] = _failures(op)
    try:
        if not run_workflow_hooks(op):
            return
    except PROBLEMS as error:
        op.mark_error(node.name, error)
    if node.fulfilled:
        _finish(op, node, status)


def _prepare(op: Context) -> bool:
    """Work out the global values and substitute them in the spec; False if the workflow cannot run."""
    fresh = not op.status.get("phase")
    try:
        values = global_values.fixed_values(op.metadata, op.spec, op.created, op.objects)
    except PROBLEMS as error:
        op.mark_workflow("Failed", f"failed to set global parameters: {error}")
        return False
    for parameter in (op.status.get("outputs") or {}).get("parameters") or []:
        if "value" in parameter:
            values[f"workflow.outputs.parameters.{parameter['name']}"] = parameter["value"]
    op.globals.clear()
    op.globals.update(values)
    try:
        op.spec.update(op.templating.value(op.spec, op.globals))
        if fresh:
            _update_metadata(op)
    except PROBLEMS as error:
        op.mark_workflow("Error", str(error))
        return False
    op.globals["workflow.status"] = op.status.get("phase", "")
    started = op.status.get("startedAt")
    seconds = (op.clock.now() - started).total_seconds() if started else 0.0
    op.globals["workflow.duration"] = f"{seconds:.6f}"
    return True


def _update_metadata(op: Context) -> None:
    """Apply `workflowMetadata`: fixed labels and annotations, then those that expressions give."""
    extra = op.spec.get("workflowMetadata") or {}
    updated: dict[str, str] = {}
    for kind in ("labels", "annotations"):
        for key, value in (extra.get(kind) or {}).items():
            op.metadata.setdefault(kind, {})[key] = value
            updated[f"workflow.{kind}.{key}"] = value
    for key, source in (extra.get("labelsFrom") or {}).items():
        value = op.templating.lang.expr(source["expression"], op.globals, now=op.clock.now())
        op.metadata.setdefault("labels", {})[key] = value
        updated[f"workflow.labels.{key}"] = value
    if updated:
        op.globals.update(updated)
        op.spec.update(op.templating.value(op.spec, updated))


def _lock(op: Context) -> bool:
    """Acquire the workflow's own locks; False while it waits for them."""
    wanted = op.spec.get("synchronization")
    if not wanted or op.status.get("phase") in DONE:
        return True
    try:
        waiting = op.locks.acquire("", wanted)
    except PROBLEMS as error:
        op.mark_workflow("Failed", f"Failed to acquire the synchronization lock. {error}")
        return False
    if waiting is not None:
        op.mark_workflow(op.status.get("phase") or PENDING, waiting.message)
        return False
    return True


def _deadline(op: Context) -> datetime | None:
    seconds = op.spec.get("activeDeadlineSeconds")
    started = op.status.get("startedAt")
    if seconds is None or started is None:
        return None
    until: datetime = whole_second(started) + timedelta(seconds=int(seconds))
    if until > op.clock.now():
        op.wake_at(until)
    return until


def _reconcile(op: Context) -> None:
    """Bring nodes up to date with their pods, and end what is past the workflow's deadline."""
    op.pods.check_deadlines(op)
    for pod in op.pods.take_changes():
        node = op.nodes.get(pod.node_id)
        if node is None:
            continue
        if pod.outcome is None:
            if node.phase == PENDING:
                op.mark(node.name, RUNNING, "")
        elif node.phase == PENDING and op.caches.get("hooks") and pod.launched:
            op.mark(node.name, RUNNING, "")
            op.pods.put_back(pod)
        else:
            _assess(op, node, pod.outcome)
    if op.shutdown:
        _shut_down(op)
    if op.deadline is None or op.clock.now() < op.deadline:
        return
    for pod in op.pods.alive():
        node = op.nodes.get(pod.node_id)
        if node is not None and not node.fulfilled and not pod.on_exit:
            op.mark(node.name, FAILED, _PAST_DEADLINE)
            op.pods.stop(pod)
    for node in op.nodes:
        waits = node.phase == PENDING or node.active_suspend
        if waits and not node.fulfilled and not _in_exit_handler(op, node):
            op.mark(node.name, FAILED, _PAST_DEADLINE)


def _shut_down(op: Context) -> None:
    """End what a stopped or terminated workflow still runs or waits for."""
    for pod in op.pods.alive():
        node = op.nodes.get(pod.node_id)
        if node is not None and not node.fulfilled and not op.may_start(on_exit=pod.on_exit):
            op.mark(node.name, FAILED, f"workflow shutdown with strategy:  {op.shutdown}")
            op.pods.stop(pod)
    for node in op.nodes:
        if node.active_suspend and not op.may_start(on_exit=_in_exit_handler(op, node)):
            op.mark(node.name, FAILED, f"Stopped with strategy '{op.shutdown}'")


def _assess(op: Context, node: Node, outcome: Outcome) -> None:
    """Give a node what became of its pod."""
    if node.fulfilled:
        return
    outputs = dict(outcome.outputs or {})
    if outcome.exit_code is not None:
        outputs["exitCode"] = str(outcome.exit_code)
    node.outputs = outputs or node.outputs
    finished = from_epoch(outcome.finished)
    now = op.stamp()
    node.finished_at = min(now, whole_second(finished)) if finished and op.caches.get("wall") else now
    if node.started_at and node.finished_at < node.started_at:
        node.finished_at = node.started_at
    op.mark(node.name, outcome.phase, outcome.message)
    op.nodes.touch(node)
    op.export(node.outputs)
    if node.memoization and outcome.phase == "Succeeded":
        op.memo.save(op, node)


def _in_exit_handler(op: Context, node: Node) -> bool:
    while not node.display_name.endswith(".onExit"):
        boundary = op.nodes.get(node.boundary_id)
        if boundary is None:
            return False
        node = boundary
    return True


def _entrypoint(op: Context) -> Node | None:
    caller = Caller(kind="step", template=op.spec.get("entrypoint", ""))
    try:
        call = TemplateCall(caller=caller, scope=op.templates.root(op.name), arguments=op.arguments, options=Options())
        return op.execute(op, op.name, call)
    except ParallelismReached:
        return None
    except PROBLEMS as error:
        if op.status["phase"] not in DONE:
            op.mark_workflow("Error", f"error in entry template execution: {error}")
        return None


def _failures(op: Context) -> str:
    """Return the failed nodes as JSON, quoted once more, as Argo gives it to exit handlers."""
    failed = [
        {
            "displayName": node.display_name,
            "message": node.message,
            "templateName": (node.template_ref or {}).get("template", node.template_name),
            "phase": node.phase,
            "podName": pod_name(op.name, node.name, (node.template_ref or {}).get("template", node.template_name)),
            "finishedAt": show_time(node.finished_at),
        }
        for node in op.nodes
        if node.phase in {FAILED, ERROR}
    ]
    text = marshal_fields(failed) if failed else "null"
    return json.dumps(text, ensure_ascii=False)


def marshal_fields(rows: list[dict[str, str | None]]) -> str:
    """Write rows with their keys in the given order."""
    return (
        "[" + ",".join("{" + ",".join(f"{marshal(k)}:{marshal(v)}" for k, v in row.items()) + "}" for row in rows) + "]"
    )


def _finish(op: Context, node: Node, status: str) -> None:
    """Run the workflow's exit handler, then give the workflow its last phase."""
    exit_node: Node | None = None
    hook = exit_hook(op.spec, op.arguments)
    if hook is not None and (op.node(f"{op.name}.onExit") or op.may_start(on_exit=True)):
        caller = Caller(kind="step", template=hook.get("template", ""), ref=hook.get("templateRef"))
        call = TemplateCall(
            caller=caller,
            scope=op.templates.root(op.name),
            arguments=hook.get("arguments") or {},
            options=Options(on_exit=True, flag={"hooked": True}),
        )
        try:
            exit_node = op.execute(op, f"{op.name}.onExit", call)
        except ParallelismReached:
            return
        except PROBLEMS as error:
            op.mark_workflow("Error", f"error in exit template execution : {error}")
            return
        if exit_node is None or not exit_node.fulfilled:
            return
    if status == "Succeeded" and exit_node is not None and exit_node.bad:
        op.mark_workflow(exit_node.phase, exit_node.message)
    elif status == "Succeeded":
        op.mark_workflow("Succeeded")
    else:
        stopped = node.bad and op.shutdown
        op.mark_workflow(status, f"Stopped with strategy '{op.shutdown}'" if stopped else node.message)
