"""What every part of an operation shares: the run's state and the services around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.local.engine.clock import Clock, whole_second
from pipelines.local.engine.nodes import ERROR, RUNNING, Node, Nodes
from pipelines.local.engine.resolve import Caller, Scope, Templates
from pipelines.local.engine.specs import Json
from pipelines.local.engine.templating import Templating

if TYPE_CHECKING:
    from pipelines.local.engine.locks import Locks
    from pipelines.local.engine.memo import Memo
    from pipelines.local.engine.pods import Pods


@dataclass(kw_only=True)
class Options:
    """How a template is called (Argo's executeTemplateOpts)."""

    boundary_id: str = ""
    on_exit: bool = False
    execution_deadline: datetime | None = None
    flag: dict[str, bool] | None = None


@dataclass(frozen=True, kw_only=True)
class TemplateCall:
    """A call of a template that is not resolved yet: who calls, where names are looked up, with which arguments."""

    caller: Caller
    scope: Scope
    arguments: Json
    options: Options


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """A template that is filled in and may run: `scope` is where it was called, `inner` where its own names live."""

    caller: Caller
    scope: Scope
    inner: Scope
    template: Json
    options: Options


class Objects(Protocol):
    """ConfigMaps and Secrets of the run."""

    def config_map(self, name: str) -> Json | None:
        """Return a ConfigMap."""
        ...

    def secret(self, name: str) -> dict[str, str] | None:
        """Return a Secret's decoded data."""
        ...


ExecuteTemplate = Callable[..., Node | None]


@dataclass(kw_only=True)
class Context:
    """One run while it is operated on: its documents, nodes, values, and services."""

    metadata: Json
    spec: Json
    status: Json
    nodes: Nodes
    templates: Templates
    templating: Templating
    clock: Clock
    pods: Pods
    locks: Locks
    memo: Memo
    objects: Objects
    created: datetime
    execute: ExecuteTemplate
    globals: dict[str, str] = field(default_factory=dict)
    wakes: list[datetime] = field(default_factory=list)
    caches: dict[str, Any] = field(default_factory=dict)
    changed: bool = False
    depth: int = 0
    active_pods: int = 0
    deadline: datetime | None = None

    @property
    def name(self) -> str:
        """The workflow's name."""
        name: str = self.metadata["name"]
        return name

    @property
    def arguments(self) -> Json:
        """The workflow's arguments, which exit handlers inherit."""
        return self.spec.get("arguments") or {}

    @property
    def shutdown(self) -> str:
        """How the workflow was told to end (`Stop`, `Terminate`), or an empty text."""
        return str(self.spec.get("shutdown") or "")

    def may_start(self, *, on_exit: bool) -> bool:
        """Whether pods may still start: after Stop only those of exit handlers, after Terminate none."""
        return not self.shutdown or (self.shutdown == "Stop" and on_exit)

    def stamp(self) -> datetime:
        """Return the present moment as the status shows it: whole seconds."""
        return whole_second(self.clock.now())

    def wake_at(self, moment: datetime) -> None:
        """Ask for another pass at a moment."""
        self.wakes.append(moment)

    def node(self, name: str) -> Node | None:
        """Return the node with this name."""
        return self.nodes.named(name)

    def retry_strategy(self, template: Json) -> Json | None:
        """Return a template's retry strategy, or the workflow's."""
        found: Json | None = template.get("retryStrategy") or self.spec.get("retryStrategy")
        return found

    def new_node(
        self,
        name: str,
        kind: str,
        phase: str,
        *,
        scope: Scope,
        boundary_id: str,
        caller: Caller | None = None,
        flag: dict[str, bool] | None = None,
        message: str = "",
    ) -> Node:
        """Add a node (Argo's initializeNode)."""
        now = self.stamp()
        node = Node(
            id=self.nodes.id_of(name),
            name=name,
            type=kind,
            phase=phase,
            template_name=caller.template if caller else "",
            template_ref=caller.ref if caller else None,
            template_scope=scope.name,
            boundary_id=boundary_id,
            flag=dict(flag) if flag else None,
            message=message,
            started_at=now,
            display_name=self._display_name(name, boundary_id),
        )
        if node.fulfilled:
            node.finished_at = now
        self.changed = True
        return self.nodes.add(node)

    def _display_name(self, name: str, boundary_id: str) -> str:
        boundary = self.nodes.get(boundary_id)
        if boundary is None:
            return name
        shown = name.removeprefix(boundary.name)
        if shown.startswith("["):
            index, _, rest = shown[1:].partition("]")
            if index.isdigit() and rest.startswith("."):
                return rest[1:]
            return shown
        return shown.removeprefix(".")

    def new_executable(self, name: str, kind: str, phase: str, call: Invocation) -> Node:
        """Add a node that runs a template: it also shows the inputs (Argo's initializeExecutableNode)."""
        template, options = call.template, call.options
        node = self.new_node(
            name,
            kind,
            phase,
            scope=call.scope,
            caller=call.caller,
            boundary_id=options.boundary_id,
            flag=options.flag,
        )
        inputs = template.get("inputs") or {}
        if inputs.get("parameters") or inputs.get("artifacts"):
            node.inputs = inputs
        if "memoize" in template:
            node.memoization = memoization(template, hit=False)
        if kind == "Suspend":
            supplied = [
                dict(p)
                for p in (template.get("outputs") or {}).get("parameters") or []
                if "supplied" in (p.get("valueFrom") or {})
            ]
            if supplied:
                node.outputs = {"parameters": supplied}
        return node

    def mark(self, name: str, phase: str, message: str | None = None) -> Node:
        """Set a node's phase, and its message if one is given (Argo's markNodePhase)."""
        node = self.nodes.need(name)
        if node.phase != phase or (message is not None and node.message != message):
            node.phase = phase
            if message is not None:
                node.message = message
            self.changed = True
            self.nodes.touch(node)
        if node.fulfilled and node.finished_at is None:
            node.finished_at = self.stamp()
            self.nodes.touch(node)
        return node

    def mark_error(self, name: str, error: Exception | str) -> Node:
        """Set a node to Error with the text of what went wrong."""
        return self.mark(name, ERROR, str(error))

    def mark_workflow(self, phase: str, message: str = "") -> None:
        """Set the workflow's phase and message."""
        status = self.status
        if status.get("phase") != phase or status.get("message", "") != message:
            self.changed = True
        status["phase"], status["message"] = phase, message
        now = self.stamp()
        if not status.get("startedAt") and phase != "Pending":
            status["startedAt"] = now
        if phase == "Error":
            root = self.node(self.name)
            if root and root.phase == RUNNING:
                self.mark(root.name, ERROR, "Workflow operation error")
        if phase in {"Succeeded", "Failed", "Error"}:
            status["finishedAt"] = now

    def export(self, outputs: Json | None) -> None:
        """Make outputs with a `globalName` outputs of the workflow."""
        for kind in ("parameters", "artifacts"):
            for output in (outputs or {}).get(kind) or []:
                if output.get("globalName"):
                    self._export(kind, output)

    def _export(self, kind: str, output: Json) -> None:
        name = output["globalName"]
        if kind == "parameters":
            value = output.get("value", output.get("default"))
            if value is not None:
                self.globals[f"workflow.outputs.parameters.{name}"] = value
            exported = {"name": name} | ({"value": output["value"]} if "value" in output else {})
        else:
            exported = {key: item for key, item in output.items() if key not in {"globalName", "path"}} | {"name": name}
        known = self.status.setdefault("outputs", {}).setdefault(kind, [])
        for index, other in enumerate(known):
            if other["name"] == name:
                if other != exported and (kind == "artifacts" or "value" in exported):
                    known[index] = exported
                    self.changed = True
                return
        known.append(exported)
        self.changed = True


def memoization(template: Json, *, hit: bool) -> Json:
    """Return the memoization status of a node of a memoized template."""
    memoize = template["memoize"]
    return {
        "hit": hit,
        "key": memoize.get("key", ""),
        "cacheName": (memoize.get("cache") or {}).get("configMap", {}).get("name", ""),
    }
