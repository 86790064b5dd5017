"""The engine: runs workflows, resumes them, tells about them."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.local.engine import suspend
from pipelines.local.engine.build import Services, build
from pipelines.local.engine.clock import Clock, WallClock
from pipelines.local.engine.cluster import Cluster
from pipelines.local.engine.context import Context
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.events import Event, Listener
from pipelines.local.engine.images import ImageTable
from pipelines.local.engine.nodes import SUCCEEDED, Node
from pipelines.local.engine.objects import ObjectSet
from pipelines.local.engine.operate import DONE
from pipelines.local.engine.operators import Operator
from pipelines.local.engine.preflight import check
from pipelines.local.engine.runner import Runner
from pipelines.local.engine.session import Session, executor_lock, is_executed, stored
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store
from pipelines.local.engine.submit import Request, document
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.preload import ForkServer
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.state import StateDir


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run as it stands: its name, its phase, whether it waits for a person, and the JSON of the command contract.

    `own_seconds` is the processor time that this process spent on it; what its steps spent is not in it.
    """

    name: str
    phase: str
    suspended: bool
    document: Json
    own_seconds: float = 0.0


class Engine:
    """Executes Argo manifests of one state directory. Safe to use from several threads, one run each.

    Args:
        state: where runs and their files are kept.
        clock: the wall clock, or a virtual one.
        images: which images can run here.
        operators: who plays the controllers of custom resources, by kind.
        objects: ConfigMaps and Secrets that every run sees; they are not stored with runs.
        listener: told of every change.
        preload: a Python that has imported libraries, for quicker Python steps.
        isolation: limits of steps, and how strangers' code is kept apart.
    """

    def __init__(
        self,
        state: StateDir,
        clock: Clock | None = None,
        *,
        images: ImageTable | None = None,
        operators: Mapping[str, Operator] | None = None,
        objects: Iterable[Mapping[str, Any]] = (),
        listener: Listener | None = None,
        lang: Lang | None = None,
        preload: ForkServer | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self.state = state
        self.clock = clock or WallClock()
        self.images = images or ImageTable()
        self.operators = dict(operators or {})
        self.objects = list(objects)
        self.listener: Listener = listener or (lambda _event: None)
        self._lang = lang
        self._store: Store | None = None
        self._runner = Runner(preload, isolation)
        self._cluster: Cluster | None = None
        self._guard = threading.Lock()
        self._queues: dict[str, queue.SimpleQueue[Any]] = {}

    @property
    def store(self) -> Store:
        """The run store; it and the state directory are made on first use."""
        with self._guard:
            if self._store is None:
                self.state.ensure()
                self._store = Store(self.state.runs_db)
            return self._store

    def run(
        self,
        workflow: Mapping[str, Any],
        *,
        templates: Mapping[str, Mapping[str, Any]] | None = None,
        parameters: Mapping[str, str] | None = None,
        entrypoint: str | None = None,
        name: str | None = None,
        scheduled_time: datetime | str | None = None,
        labels: Mapping[str, str] | None = None,
        objects: Iterable[Mapping[str, Any]] = (),
    ) -> RunResult:
        """Run a Workflow (or a WorkflowTemplate) to its end, or until it waits for a person.

        Args:
            workflow: the manifest.
            templates: WorkflowTemplates by name.
            parameters: arguments that replace or join the manifest's.
            entrypoint: another template to begin with.
            name: another name.
            scheduled_time: the time that `workflow.scheduledTime` shows.
            labels: further labels.
            objects: ConfigMaps and Secrets that came with the manifest; stored with the run.

        Raises:
            BadInput: it cannot be run at all, or a run of that name exists; nothing was started.
        """
        request = Request(
            workflow=workflow,
            templates=templates or {},
            parameters=parameters or {},
            entrypoint=entrypoint,
            name=name,
            scheduled_time=scheduled_time,
            labels=labels or {},
            objects=objects,
        )
        found = document(request, self.clock.now())
        check(found, self.images, self.operators, ObjectSet([*self.objects, *found["objects"]]))
        run_name, store = found["metadata"]["name"], self.store
        with executor_lock(self._folder(run_name), run_name):
            if not store.create_run(run_name, found, {"phase": ""}):
                raise BadInput(
                    f"a run named {run_name} exists already",
                    remedy="let generateName name each run, or forget that one: batchlab run --again",
                )
            return self._execute(found, {"phase": ""}, [])

    def resume(self, name: str, *, supplied: Mapping[str, str] | None = None) -> RunResult:
        """Continue a run that was interrupted, or that waits in a suspend step.

        Args:
            name: the run.
            supplied: values for outputs that a suspend step waits for.

        Raises:
            BadInput: there is no such run, it has ended, or another process executes it.
        """
        self.get(name)
        with executor_lock(self._folder(name), name):
            loaded = self.store.load_run(name)
            assert loaded
            found, status, nodes = loaded
            if status.get("phase") in DONE:
                raise BadInput(f"run {name} has ended ({status['phase']})", remedy="run its manifest again")
            return self._execute(found, status, nodes, supplied=supplied or {})

    def terminate(self, name: str) -> None:
        """End a run of this process at once, from another thread: pods are killed, no exit handler runs.

        A run that is not being executed here is left alone.
        """
        events = self._queues.get(name)
        if events is not None:
            events.put(("shutdown", None, {"strategy": "Terminate"}))

    def get(self, name: str) -> RunResult:
        """Return a run as it is stored.

        Raises:
            BadInput: there is no such run.
        """
        loaded = self.store.load_run(name)
        if loaded is None:
            raise BadInput(f"there is no run named {name}", remedy="batchlab runs lists them")
        _, status, nodes = loaded
        return _result(name, status, nodes)

    def manifest(self, name: str) -> Json:
        """Return what a run was started from: its spec, the templates and objects that came with it.

        Raises:
            BadInput: there is no such run.
        """
        loaded = self.store.load_run(name)
        if loaded is None:
            raise BadInput(f"there is no run named {name}", remedy="batchlab runs lists them")
        return loaded[0]

    def runs(self) -> list[RunResult]:
        """Return all runs, oldest first, without their nodes."""
        return [_result(name, status, []) for name, status in self.store.run_states()]

    def is_executed(self, name: str) -> bool:
        """Whether some process executes this run now."""
        return is_executed(self._folder(name))

    def delete(self, name: str) -> None:
        """Forget a run and its files.

        Raises:
            BadInput: there is no such run, or it is being executed.
        """
        self.get(name)
        with executor_lock(self._folder(name), name):
            self.store.delete_run(name)
        shutil.rmtree(self._folder(name), ignore_errors=True)

    @property
    def cluster(self) -> Cluster:
        """The custom resources of this state directory."""
        store = self.store
        with self._guard:
            if self._cluster is None:
                self._cluster = Cluster(store, self.clock, self.operators, self.images, self._runner)
            return self._cluster

    def close(self) -> None:
        """End every process that the engine started."""
        if self._cluster is not None:
            self._cluster.close()
        self._runner.close()

    def _folder(self, name: str) -> Path:
        return self.state.steps / name

    # -- one run

    def _execute(
        self, found: Json, status: Json, nodes: list[Json], *, supplied: Mapping[str, str] | None = None
    ) -> RunResult:
        name = found["metadata"]["name"]
        events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._queues[name] = events
        begun = time.thread_time()
        try:
            op = self._build(found, status, nodes, events)
            if supplied is not None:
                self._take_up(op, supplied)
            session = Session(op, self.store, events, self.listener)
            try:
                session.run()
                op.pods.finish()
                if op.status["phase"] in DONE:
                    op.pods.settle(session.tell)
            except BaseException as error:
                op.pods.abandon()
                if isinstance(error, KeyboardInterrupt):
                    session.tell(f"interrupted; go on with: batchlab resume {name}")
                raise
        finally:
            del self._queues[name]
        result = _result(name, stored(op), [node.to_dict() for node in op.nodes])
        return replace(result, own_seconds=time.thread_time() - begun)

    def _build(self, found: Json, status: Json, nodes: list[Json], events: queue.SimpleQueue[Any]) -> Context:
        services = Services(
            store=self.store,
            clock=self.clock,
            images=self.images,
            cluster=self.cluster,
            runner=self._runner,
            lang=self._lang or Lang.shared(),
            objects=self.objects,
            state_root=self.state.root,
            steps=self.state.steps,
            alive=lambda run: run in self._queues or self.is_executed(run),
            here=lambda run: run in self._queues,
            released=self._wake_others,
        )
        return build(services, found, status, nodes, events)

    def _wake_others(self) -> None:
        for events in list(self._queues.values()):
            events.put(None)

    def _take_up(self, op: Context, supplied: Mapping[str, str]) -> None:
        """Prepare a stored run for going on."""
        op.pods.restore({node.id: node for node in op.nodes if not node.fulfilled})
        if not op.status.pop("suspended", False):
            return
        op.spec.pop("suspend", None)
        for node in op.nodes:
            if node.active_suspend:
                _supply(node, supplied)
                try:
                    suspend.supply_defaults(node)
                except NodeProblem as error:
                    raise BadInput(str(error), remedy="give it: -p NAME=VALUE") from error
                op.mark(node.name, SUCCEEDED)
                op.nodes.touch(node)
        self.listener(Event(kind="notice", run=op.name, at=op.clock.now(), message=f"resuming {op.name}"))


def _supply(node: Node, supplied: Mapping[str, str]) -> None:
    for parameter in (node.outputs or {}).get("parameters") or []:
        if parameter["name"] in supplied and "supplied" in (parameter.get("valueFrom") or {}):
            parameter["value"] = supplied[parameter["name"]]
            del parameter["valueFrom"]


def _result(name: str, status: Json, nodes: list[Json]) -> RunResult:
    shown = {
        "name": name,
        "phase": status.get("phase", ""),
        "message": status.get("message", ""),
        "startedAt": status.get("startedAt"),
        "finishedAt": status.get("finishedAt"),
    }
    if status.get("outputs"):
        shown["outputs"] = status["outputs"]
    return RunResult(
        name=name,
        phase=status.get("phase", ""),
        suspended=bool(status.get("suspended")),
        document={**shown, "nodes": {node["id"]: node for node in nodes}},
    )
