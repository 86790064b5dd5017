"""The pods of one run: created by the walk, started after it was stored, and told about when they end."""

from __future__ import annotations

import json
import queue
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pipelines.local.engine import podspec
from pipelines.local.engine.clock import Clock
from pipelines.local.engine.context import Context, Objects, Options
from pipelines.local.engine.errors import PROBLEMS, NodeProblem
from pipelines.local.engine.ids import pod_name
from pipelines.local.engine.images import ImageTable
from pipelines.local.engine.nodes import ERROR, FAILED, Node
from pipelines.local.engine.outputs import Outcome, collect
from pipelines.local.engine.pod import Pod, new_pod
from pipelines.local.engine.podenv import PodPlace
from pipelines.local.engine.resource import ResourcePods
from pipelines.local.engine.runner import Runner
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store

_POLL_SECONDS = 5
PAST_POD_DEADLINE = "Pod was active on the node longer than the specified deadline"


@dataclass(frozen=True, kw_only=True)
class PodServices:
    """What pods need from around the run."""

    runner: Runner
    store: Store
    clock: Clock
    images: ImageTable
    objects: Objects
    resources: ResourcePods
    events: queue.SimpleQueue[Any]
    folder: Path
    state_root: Path


class Pods:
    """The pods of one run."""

    def __init__(self, metadata: Json, services: PodServices) -> None:
        self._metadata = metadata
        self._services = services
        self._pods: dict[str, Pod] = {}
        self._new: list[Pod] = []
        self._changed: dict[str, Pod] = {}
        self._busy_paths: dict[str, str] = {}

    # -- what the walk asks

    def exists(self, node_id: str) -> bool:
        """Whether a pod was created for a node."""
        return node_id in self._pods

    def running(self, node_id: str) -> bool:
        """Whether a node's pod exists and has not ended, so that nothing is to be done for it."""
        pod = self._pods.get(node_id)
        return pod is not None and pod.outcome is None

    def busy(self) -> bool:
        """Whether any process or resource is under way."""
        return any(pod.outcome is None and pod.launched for pod in self._pods.values())

    def create(self, op: Context, node: Node, template: Json, *, include_result: bool, options: Options) -> None:
        """Create a node's pod unless it exists; its process starts at the next `launch`.

        Raises:
            NodeProblem: its template's timeout is over already.
        """
        if node.id in self._pods:
            return
        pod = new_pod(op, node, template, include_result=include_result, options=options)
        if pod is not None:
            self._pods[node.id] = pod
            self._new.append(pod)
            op.active_pods += 1

    # -- after the walk

    def save_new(self) -> None:
        """Store the pods that the walk created; call it inside the transaction that stores the nodes."""
        for pod in self._new:
            if not pod.launched:
                self._services.store.save_pod(self._metadata["name"], pod.node_id, pod.to_dict())

    def launch(self) -> None:
        """Start the processes of created pods; where steps cannot be isolated, only one per path."""
        self._new = [pod for pod in self._new if not self._launch(pod)]

    def _launch(self, pod: Pod) -> bool:
        services = self._services
        place = self.place(pod)
        try:
            if "resource" in pod.template:
                pod.launched = True
                template = podspec.through_environment(pod.template, place)
                services.resources.start(pod.node_id, template, place, self._hear(pod))
                return True
            spec = self._describe(pod, place)
        except PROBLEMS as error:
            self._end(pod, Outcome(phase=ERROR, message=str(error)))
            services.events.put(None)
            return True
        services.runner.ready()
        if not services.runner.isolated:
            if not self._claim(pod, spec):
                return False
            spec = podspec.in_the_open(spec)
        pod.launched = True
        services.runner.start(spec, self._hear(pod))
        return True

    def _describe(self, pod: Pod, place: PodPlace) -> dict[str, Any]:
        container = pod.template.get("container") or pod.template.get("script") or {}
        image = self._services.images.find(container.get("image", ""))
        if image is None:
            raise NodeProblem(f"ErrImagePull: image {container.get('image', '')!r} cannot run on this machine")
        shutil.rmtree(place.folder / "outputs", ignore_errors=True)
        place.folder.mkdir(parents=True, exist_ok=True)
        template = podspec.through_environment(pod.template, place)
        return podspec.build(template, image, place, self._services.objects, include_result=pod.include_result)

    def _claim(self, pod: Pod, spec: dict[str, Any]) -> bool:
        """Reserve the paths that a step names, where all steps share one file system."""
        paths = {file["path"] for file in [*spec["files"], *spec["outputs"]]}
        if any(self._busy_paths.get(path, pod.node_id) != pod.node_id for path in paths):
            return False
        self._busy_paths |= dict.fromkeys(paths, pod.node_id)
        return True

    def place(self, pod: Pod) -> PodPlace:
        """Return where a pod's files are."""
        metadata, services = self._metadata, self._services
        template = pod.template.get("metadata") or {}
        return PodPlace(
            workflow=metadata["name"],
            namespace=metadata["namespace"],
            uid=pod.uid,
            node_id=pod.node_id,
            pod_name=pod_name(metadata["name"], pod.node_name, pod.template.get("name", "")),
            folder=services.folder / pod.node_id,
            artifacts=services.folder.parent,
            state_root=services.state_root,
            labels={"workflows.argoproj.io/workflow": metadata["name"], **(template.get("labels") or {})},
            annotations={"workflows.argoproj.io/node-name": pod.node_name, **(template.get("annotations") or {})},
        )

    # -- events

    def _hear(self, pod: Pod) -> Any:
        def heard(event: str, details: dict[str, Any]) -> None:
            self._services.events.put((event, pod, details))

        return heard

    def note(self, event: str, pod: Pod, details: dict[str, Any]) -> None:
        """Take in an event that came through the queue; call it from the run's own thread."""
        if event == "started":
            pod.running = True
            if pod.active_seconds is not None:
                pod.ends_at = self._services.clock.now() + timedelta(seconds=pod.active_seconds)
            self._changed.setdefault(pod.node_id, pod)
            return
        if event == "poll":
            self._services.resources.poll(pod.node_id)
            return
        pod.gone = True
        for path in [path for path, owner in self._busy_paths.items() if owner == pod.node_id]:
            del self._busy_paths[path]
        if pod.outcome is not None:
            return
        if event == "resource":
            outcome = details["outcome"]
            self._end(pod, replace(outcome, message=PAST_POD_DEADLINE) if pod.too_late else outcome)
        elif event == "lost":
            self._end(pod, Outcome(phase=ERROR, message="pod deleted"))
        else:
            outcome = self._read_outcome(pod)
            late = Outcome(
                phase=FAILED, message=PAST_POD_DEADLINE, exit_code=outcome.exit_code, outputs=outcome.outputs
            )
            self._end(pod, late if pod.too_late else outcome)

    def _read_outcome(self, pod: Pod) -> Outcome:
        place = self.place(pod)
        result = json.loads((place.folder / "exit.json").read_text())
        return collect(pod.template, place, result, include_result=pod.include_result)

    def _end(self, pod: Pod, outcome: Outcome) -> None:
        pod.outcome = outcome
        pod.running = False
        self._changed[pod.node_id] = pod

    def take_changes(self) -> list[Pod]:
        """Return the pods that started or ended since the last call."""
        changed = list(self._changed.values())
        self._changed = {}
        return changed

    def put_back(self, pod: Pod) -> None:
        """Look at a changed pod again in the next pass."""
        self._changed[pod.node_id] = pod

    # -- deadlines and the end

    def check_deadlines(self, op: Context) -> None:
        """End pods that were active too long, and tell the run when to look again."""
        now = self._services.clock.now()
        for pod in self._pods.values():
            if not pod.running:
                continue
            if pod.ends_at is not None and now >= pod.ends_at:
                pod.too_late = True
                self.stop(pod)
            elif pod.ends_at is not None:
                op.wake_at(pod.ends_at)
            if "resource" in pod.template:
                op.wake_at(now + timedelta(seconds=_POLL_SECONDS))
                self._services.resources.poll(pod.node_id)
            if pod.stop_at is not None and now >= pod.stop_at:
                self.stop(pod)
            elif pod.stop_at is not None:
                op.wake_at(pod.stop_at)

    def stop(self, pod: Pod) -> None:
        """Ask a pod's process to end, once."""
        if pod.stopping or not pod.launched:
            return
        pod.stopping = True
        if "resource" in pod.template:
            self._services.resources.stop(pod.node_id)
        else:
            self._services.runner.stop(f"{self._metadata['name']}/{pod.node_id}")

    def alive(self) -> list[Pod]:
        """Return the pods that have not ended."""
        return [pod for pod in self._pods.values() if pod.outcome is None]

    @property
    def shared_files(self) -> bool:
        """Whether steps were started that see the machine's own files, because it cannot give them private ones."""
        return any(pod.launched and "resource" not in pod.template for pod in self._pods.values()) and (
            not self._services.runner.isolated
        )

    def settle(self, tell: Callable[[str], None]) -> None:
        """Wait for, or end, what resource steps left at work."""
        self._services.resources.settle(tell)

    def finish(self) -> None:
        """Kill what still runs, and wait until it is gone."""
        left = {pod.node_id for pod in self._pods.values() if pod.launched and not pod.gone}
        for node_id in left:
            if "resource" in self._pods[node_id].template:
                self._services.resources.stop(node_id)
            self._services.runner.stop(f"{self._metadata['name']}/{node_id}", signal.SIGUSR1)
        while any(not self._pods[node_id].gone for node_id in left):
            event = self._services.events.get()
            if event is not None and event[1] is not None:
                self.note(*event)

    def abandon(self) -> None:
        """Kill what still runs and do not wait: the run was interrupted."""
        for pod in self._pods.values():
            if pod.launched and not pod.gone:
                self._services.runner.stop(f"{self._metadata['name']}/{pod.node_id}", signal.SIGUSR1)

    # -- after a crash

    def restore(self, unfinished: Mapping[str, Node]) -> None:
        """Take up the pods that a dead executor left: finished ones count, others run again as the same attempt."""
        for node_id, document in self._services.store.load_pods(self._metadata["name"]).items():
            pod = Pod.from_dict(node_id, document)
            self._pods[node_id] = pod
            node = unfinished.get(node_id)
            if node is None:
                pod.outcome, pod.gone = Outcome(phase=""), True
            elif (self.place(pod).folder / "exit.json").is_file():
                pod.launched = pod.gone = True
                self._end(pod, self._read_outcome(pod))
            else:
                self._new.append(pod)


def from_epoch(seconds: float | None) -> datetime | None:
    """Turn seconds since 1970 into a moment."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
