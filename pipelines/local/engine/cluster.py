"""Custom-resource objects: kept in the store, reconciled by operators, with the API server's answers."""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.local.engine.clock import Clock, parse_time, show_time
from pipelines.local.engine.context import Objects
from pipelines.local.engine.ids import new_uid, random_suffix
from pipelines.local.engine.images import ImageTable
from pipelines.local.engine.kubectl import MANIFEST, PATCH_TYPES, KubectlError, merge_patch, plural, require, settled
from pipelines.local.engine.operators import Operator, Running, StepPlace
from pipelines.local.engine.runner import Runner
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks for an object: the pod, its folder and objects, and whom to wake when the object's status changes."""

    pod_uid: str
    run: str
    folder: Path
    objects: Objects
    wake: Callable[[], None]


class Cluster:
    """The custom resources of one state directory, and those of them that run in this process."""

    def __init__(
        self, store: Store, clock: Clock, operators: Mapping[str, Operator], images: ImageTable, runner: Runner
    ) -> None:
        self._store, self._clock, self._operators = store, clock, operators
        self._images, self._runner = images, runner
        self._running: dict[tuple[str, str], Running] = {}
        self._guard = threading.RLock()
        self._wakers: dict[tuple[str, str], list[Callable[[], None]]] = {}

    # -- what kubectl does

    def get(self, kind: str, name: str) -> Json:
        """Return an object with the status that its operator shows now.

        Raises:
            KubectlError: there is none (any more).
        """
        with self._guard:
            found = self._load(kind, name)
            if found is None:
                raise KubectlError(f'Error from server (NotFound): {plural(kind, found)} "{name}" not found')
            return self._refresh(found)

    def create(self, manifest: Json, asker: Asker) -> Json:
        """Create an object and begin to reconcile it.

        Raises:
            KubectlError: it exists already, or its fields are wrong.
        """
        kind = manifest["kind"]
        metadata = dict(manifest.get("metadata") or {})
        name = metadata.get("name") or (
            metadata["generateName"] + random_suffix() if metadata.get("generateName") else ""
        )
        if not name:
            raise KubectlError("error: resource name may not be empty")
        with self._guard:
            existing = self._load(kind, name)
            if existing is not None and not self._is_mine(existing, asker):
                raise KubectlError(
                    f'Error from server (AlreadyExists): error when creating "{MANIFEST}": '
                    f'{plural(kind, manifest)} "{name}" already exists'
                )
            if existing is not None and settled(existing["object"]):
                return self._refresh(existing)
            require(manifest, name)
            metadata |= {
                "name": name,
                "namespace": metadata.get("namespace", "default"),
                "uid": new_uid(),
                "generation": 1,
                "creationTimestamp": show_time(self._clock.now()),
            }
            created = {**manifest, "metadata": metadata}
            self._start(created, asker)
            return created

    def apply(self, manifest: Json, asker: Asker) -> Json:
        """Create an object, or change its spec; without a change nothing happens, as in Kubernetes.

        Raises:
            KubectlError: it has no name, or its fields are wrong.
        """
        kind, name = manifest["kind"], (manifest.get("metadata") or {}).get("name")
        if not name:
            raise KubectlError(f"error: from {MANIFEST}: cannot use generate name with apply")
        with self._guard:
            existing = self._load(kind, name)
            if existing is None:
                return self.create(manifest, asker)
            return self._change(existing, manifest.get("spec") or {}, manifest, asker)

    def replace(self, manifest: Json, asker: Asker) -> Json:
        """Put another spec in the place of an object's.

        Raises:
            KubectlError: there is no such object.
        """
        kind, name = manifest["kind"], (manifest.get("metadata") or {}).get("name", "")
        with self._guard:
            existing = self._load(kind, name)
            if existing is None:
                raise KubectlError(
                    f'Error from server (NotFound): error when replacing "{MANIFEST}": '
                    f'{plural(kind, manifest)} "{name}" not found'
                )
            return self._change(existing, manifest.get("spec") or {}, manifest, asker)

    def patch(self, manifest: Json, strategy: str, asker: Asker) -> Json:
        """Merge a manifest into an object.

        Raises:
            KubectlError: there is no such object, or the strategy is none for custom resources.
        """
        kind, name = manifest["kind"], (manifest.get("metadata") or {}).get("name", "")
        with self._guard:
            existing = self._load(kind, name)
            if existing is None:
                raise KubectlError(f'Error from server (NotFound): {plural(kind, manifest)} "{name}" not found')
            if strategy != "merge":
                raise KubectlError(
                    "Error from server (UnsupportedMediaType): the body of the request was in an unknown format - "
                    f"accepted media types include: {PATCH_TYPES}"
                )
            spec = merge_patch(existing["object"].get("spec") or {}, manifest.get("spec") or {})
            return self._change(existing, spec, manifest, asker)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object and end what runs for it; none is fine."""
        with self._guard:
            running = self._running.pop((kind, name), None)
            if running is not None:
                running.stop()
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM objects WHERE kind = ? AND name = ?", (kind, name))
        self._wake((kind, name))

    def watch(self, kind: str, name: str, wake: Callable[[], None]) -> None:
        """Have a function called when an object's status may have changed."""
        with self._guard:
            self._wakers.setdefault((kind, name), []).append(wake)

    def unwatch(self, kind: str, name: str, wake: Callable[[], None]) -> None:
        """Stop calling it."""
        with self._guard:
            if wake in (found := self._wakers.get((kind, name), [])):
                found.remove(wake)

    def unfinished(self, run: str) -> list[tuple[str, str]]:
        """Return kind and name of the objects of a run that are still being reconciled in this process."""
        with self._guard:
            records = {key: self._load(*key) for key in list(self._running)}
            return [
                key
                for key, record in records.items()
                if record and record.get("run") == run and not settled(self._refresh(record))
            ]

    def made_by(self, run: str) -> list[tuple[str, str]]:
        """Return kind and name of the objects that a run created last."""
        rows = self._store.rows("SELECT kind, name, document FROM objects")
        return [(kind, name) for kind, name, document in rows if json.loads(document).get("run") == run]

    def end(self, kind: str, name: str) -> None:
        """End what runs for an object; the object stays, in its last state."""
        with self._guard:
            running = self._running.pop((kind, name), None)
        if running is not None:
            running.stop()

    def close(self) -> None:
        """End everything that runs for objects."""
        with self._guard:
            running, self._running = self._running, {}
        for each in running.values():
            each.stop()

    # -- inside

    def _load(self, kind: str, name: str) -> Json | None:
        rows = self._store.rows("SELECT document FROM objects WHERE kind = ? AND name = ?", kind, name)
        found: Json | None = json.loads(rows[0][0]) if rows else None
        if found is not None and self._expired(found):
            self.delete(kind, name)
            return None
        return found

    def _save(self, record: Json) -> None:
        key = record["object"]["kind"], record["object"]["metadata"]["name"]
        with self._store.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", (*key, json.dumps(record)))

    def _expired(self, record: Json) -> bool:
        """Whether an object's time to live after its end has passed."""
        seconds = (record["object"].get("spec") or {}).get("timeToLiveSeconds")
        ended: datetime | None = parse_time(record.get("ended"))
        return (
            seconds is not None and ended is not None and self._clock.now() > ended + timedelta(seconds=float(seconds))
        )

    def _refresh(self, record: Json) -> Json:
        """Take over the status that the operator shows now."""
        found: Json = record["object"]
        running = self._running.get((found["kind"], found["metadata"]["name"]))
        if running is not None:
            status = json.loads(json.dumps(running.status()))
            if status and status != found.get("status"):
                found["status"] = status
                if settled(found):
                    record["ended"] = show_time(self._clock.now())
                self._save(record)
        return found

    def _is_mine(self, record: Json, asker: Asker) -> bool:
        """Whether the same attempt of the same step made an object, before its executor died."""
        return bool(record.get("pod") == asker.pod_uid)

    def _change(self, record: Json, spec: Json, manifest: Json, asker: Asker) -> Json:
        found: Json = self._refresh(record)
        for kind in ("labels", "annotations"):
            given = (manifest.get("metadata") or {}).get(kind)
            if given:
                found["metadata"][kind] = {**(found["metadata"].get(kind) or {}), **given}
        if spec == found.get("spec"):
            self._save(record)
            return found
        changed = {**found, "spec": spec, "metadata": {**found["metadata"]}}
        changed["metadata"]["generation"] = found["metadata"].get("generation", 1) + 1
        running = self._running.pop((found["kind"], found["metadata"]["name"]), None)
        if running is not None:
            running.stop()
        if found.get("status") is None or settled(found) or running is not None:
            self._start(changed, asker, keep_status=True)
        return changed

    def _start(self, created: Json, asker: Asker, *, keep_status: bool = False) -> None:
        kind, name = created["kind"], created["metadata"]["name"]
        if not keep_status:
            created.pop("status", None)
        self._save({"object": created, "pod": asker.pod_uid, "run": asker.run, "ended": None})
        operator = self._operators.get(kind)
        if operator is None:
            return
        problems = operator.check(created)
        if problems:
            raise KubectlError(f'error: {kind} "{name}" cannot run on this machine: ' + "; ".join(problems))
        directory = asker.folder / "app"
        directory.mkdir(parents=True, exist_ok=True)
        place = StepPlace(
            directory=directory,
            env={key: value for key, value in os.environ.items() if not key.startswith("BATCHLAB_")},
            image=self._images.find((created.get("spec") or {}).get("image") or ""),
            images=self._images,
            lifeline_fd=self._runner.lifeline,
            secret=lambda wanted: _needed(asker.objects.secret(wanted), wanted),
            config_map=lambda wanted: _needed((asker.objects.config_map(wanted) or {}).get("data"), wanted),
            wake=lambda: self._wake((kind, name)),
            runner=self._runner,
        )
        self._running[kind, name] = operator.start(copy.deepcopy(created), place)

    def _wake(self, key: tuple[str, str]) -> None:
        for wake in list(self._wakers.get(key, [])):
            wake()


def _needed(data: Mapping[str, str] | None, name: str) -> Mapping[str, str]:
    if data is None:
        raise KeyError(name)
    return data
