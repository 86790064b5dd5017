"""Resource templates: one `kubectl` action on a custom resource, then waiting for its conditions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.local.engine.cluster import Asker, Cluster
from pipelines.local.engine.context import Objects
from pipelines.local.engine.kubectl import KubectlError, parsed
from pipelines.local.engine.nodes import FAILED, SUCCEEDED
from pipelines.local.engine.outputs import Outcome
from pipelines.local.engine.podenv import PodPlace
from pipelines.local.engine.specs import Json
from pipelines.local.lang import Lang, LangError

Hear = Callable[[str, dict[str, Any]], None]
_FAILED = 64
_LOOK_SECONDS = 1.0


@dataclass(kw_only=True)
class _Waiting:
    template: Json
    kind: str
    name: str
    hear: Hear
    wake: Callable[[], None]


class ResourcePods:
    """Carries out the pods of resource templates of one run."""

    def __init__(self, cluster: Cluster, objects: Objects, lang: Lang, metadata: Json) -> None:
        self._cluster, self._objects, self._lang, self._metadata = cluster, objects, lang, metadata
        self._waiting: dict[str, _Waiting] = {}
        self._let_go: set[tuple[str, str]] = set()

    def start(self, node_id: str, template: Json, place: PodPlace, hear: Hear) -> None:
        """Do the action; `hear` is told `started`, `poll` when it is worth a look, and `resource` with the outcome."""
        hear("started", {})
        place.folder.mkdir(parents=True, exist_ok=True)
        wake = _waker(hear)
        asker = Asker(pod_uid=place.uid, run=place.workflow, folder=place.folder, objects=self._objects, wake=wake)
        try:
            found = self._act(template, asker)
        except KubectlError as error:
            self._tell(hear, _failed(f"no more retries {error}"))
            return
        except _WrongUseError as error:
            self._tell(hear, _failed(str(error)))
            return
        if found is None:
            self._tell(hear, self._outputs(template, None))
            return
        kind, name = found["kind"], found["metadata"]["name"]
        self._waiting[node_id] = _Waiting(template=template, kind=kind, name=name, hear=hear, wake=wake)
        self._cluster.watch(kind, name, wake)
        self.poll(node_id)

    def poll(self, node_id: str) -> None:
        """Look at an object's conditions once."""
        waiting = self._waiting.get(node_id)
        if waiting is None:
            return
        resource = waiting.template["resource"]
        success, failure = resource.get("successCondition", ""), resource.get("failureCondition", "")
        try:
            found = self._cluster.get(waiting.kind, waiting.name)
            met, failed = self._lang.conditions(found, success, failure) if success or failure else ("", None)
        except KubectlError as error:
            text = str(error).removeprefix("Error from server (NotFound): ")
            gone = "The resource has been deleted while its status was still being checked. Will not be retried: "
            self._end(node_id, _failed(gone + text))
        except LangError as error:
            self._end(node_id, _failed(str(error)))
        else:
            if failed is not None:
                self._end(node_id, _failed(failed))
            elif met is not None:
                if not success and not failure:
                    self._let_go.add((waiting.kind, waiting.name))
                self._end(node_id, self._outputs(waiting.template, found))

    def stop(self, node_id: str) -> None:
        """Give up waiting; the object stays, as it does when a pod of Argo's is killed."""
        self._end(node_id, Outcome(phase=FAILED, message="main: Error (exit code 137)", exit_code=137))

    def settle(self, tell: Callable[[str], None]) -> None:
        """When the run is over: wait for objects that its steps only created, as they would go on in a cluster.

        Objects of steps that gave up (a deadline, a failure) are ended.
        """
        run, changed = self._metadata["name"], threading.Event()
        for kind, name in self._cluster.unfinished(run):
            if (kind, name) not in self._let_go:
                self._cluster.end(kind, name)
                tell(f"{kind} {name} was still at work and was ended: no step waits for it any more")
                continue
            tell(f"{kind} {name} is still at work; no step waits for it")
            self._cluster.watch(kind, name, changed.set)
            while (kind, name) in self._cluster.unfinished(run):
                changed.wait(_LOOK_SECONDS)
                changed.clear()

    def _end(self, node_id: str, outcome: Outcome) -> None:
        waiting = self._waiting.pop(node_id, None)
        if waiting is not None:
            self._cluster.unwatch(waiting.kind, waiting.name, waiting.wake)
            self._tell(waiting.hear, outcome)

    @staticmethod
    def _tell(hear: Hear, outcome: Outcome) -> None:
        hear("resource", {"outcome": outcome})

    def _act(self, template: Json, asker: Asker) -> Json | None:
        """Do what `action` says; return the object, or None if there is none to wait for."""
        resource = template["resource"]
        action = resource.get("action", "")
        waits = resource.get("successCondition") or resource.get("failureCondition")
        if action == "delete" and (waits or (template.get("outputs") or {}).get("parameters")):
            raise _WrongUseError("successCondition, failureCondition and outputs are not supported for delete action")
        manifest = parsed(resource.get("manifest", ""))
        if resource.get("setOwnerReference"):
            self._own(manifest)
        if action == "create":
            return self._cluster.create(manifest, asker)
        if action == "apply":
            return self._cluster.apply(manifest, asker)
        if action == "replace":
            return self._cluster.replace(manifest, asker)
        if action == "patch":
            return self._cluster.patch(manifest, resource.get("mergeStrategy") or "strategic", asker)
        kind, name = manifest["kind"], manifest["metadata"].get("name", "")
        if action == "delete":
            self._cluster.delete(kind, name)
            return None
        return self._cluster.get(kind, name)

    def _own(self, manifest: Json) -> None:
        owner = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "name": self._metadata["name"],
            "uid": self._metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        metadata = manifest.setdefault("metadata", {})
        metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or []), owner]

    def _outputs(self, template: Json, found: Json | None) -> Outcome:
        """Fill in the outputs of a resource template that succeeded."""
        declared = (template.get("outputs") or {}).get("parameters") or []
        parameters = []
        for parameter in declared:
            source = parameter.get("valueFrom") or {}
            try:
                value = self._value(source, found)
            except LangError as error:
                return _failed(str(error))
            parameters.append(parameter if value is None else {**parameter, "value": value})
        outputs = {"parameters": parameters} if parameters else {}
        return Outcome(phase=SUCCEEDED, exit_code=0, outputs=outputs)

    def _value(self, source: Json, found: Json | None) -> str | None:
        if found is None:
            return str(source.get("default", ""))
        if source.get("jsonPath"):
            return self._lang.jsonpath(found, source["jsonPath"])
        if source.get("jqFilter"):
            return self._lang.jq(found, source["jqFilter"])
        return None


class _WrongUseError(Exception):
    """The template asks for what Argo's executor refuses."""


def _failed(message: str) -> Outcome:
    return Outcome(phase=FAILED, message=f"main: Error (exit code {_FAILED}): {message}", exit_code=_FAILED)


def _waker(hear: Hear) -> Callable[[], None]:
    def wake() -> None:
        hear("poll", {})

    return wake
