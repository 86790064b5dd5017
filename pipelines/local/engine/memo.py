"""Memoization: outputs remembered in a named cache, here in the run store instead of a ConfigMap."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from pipelines.local.engine import durations
from pipelines.local.engine.clock import parse_time, show_time
from pipelines.local.engine.context import Context, Objects
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.nodes import ERROR, SUCCEEDED, Node
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store

_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_LABEL = "workflows.argoproj.io/configmap-type"


class Memo:
    """The caches of one state directory, seen from one run."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    def load(self, memoize: Json, now: datetime) -> tuple[bool, Json | None]:
        """Look up what a template's `memoize` names; return whether it was found, and the outputs.

        Raises:
            NodeProblem: the key or maxAge is malformed, or a ConfigMap of that name is no cache.
        """
        cache, key = (memoize.get("cache") or {}).get("configMap", {}).get("name", ""), memoize.get("key", "")
        if not _KEY.fullmatch(key):
            raise NodeProblem(f"invalid cache key: {key}")
        entry = self._store.load_memo(cache, key) or self._given(cache, key)
        hit = bool(entry and entry.get("nodeID"))
        if memoize.get("maxAge"):
            try:
                seconds = durations.parse_go(memoize["maxAge"])
            except ValueError as error:
                raise NodeProblem(f"invalid maxAge: {error}") from error
            created = parse_time((entry or {}).get("creationTimestamp"))
            if created is None or now - created > timedelta(seconds=seconds):
                return False, None
        if entry and hit:
            self._store.save_memo(cache, key, {**entry, "lastHitTimestamp": show_time(now)})
        return hit, (entry or {}).get("outputs")

    def _given(self, cache: str, key: str) -> Json | None:
        """Return an entry of a ConfigMap that came with the manifest."""
        found = self._objects.config_map(cache)
        if found is None:
            return None
        labels = found["metadata"].get("labels") or {}
        if _LABEL not in labels:
            raise NodeProblem(f"memoization configmap doesn't have {_LABEL} label, refusing to use it")
        if labels[_LABEL] != "Cache":
            raise NodeProblem(f"memoization configmap doesn't have label {_LABEL} = Cache, refusing to use it")
        raw = (found.get("data") or {}).get(key)
        entry: Json | None = json.loads(raw) if raw else None
        return entry

    def hit(self, op: Context, node: Node, outputs: Json | None) -> None:
        """End a node with remembered outputs."""
        node.outputs = outputs
        node.memoization = {**(node.memoization or {}), "hit": True}
        op.mark(node.name, SUCCEEDED)
        op.nodes.touch(node)

    def save(self, op: Context, node: Node, *, without_outputs: bool = False) -> None:
        """Remember the outputs of a memoized node that succeeded; of a steps template Argo remembers none."""
        status = node.memoization
        if not status or status.get("hit"):
            return
        now = show_time(op.clock.now())
        entry = {
            "nodeID": node.id,
            "outputs": None if without_outputs else node.outputs,
            "creationTimestamp": now,
            "lastHitTimestamp": now,
        }
        if not _KEY.fullmatch(status["key"]):
            node.phase, node.message = ERROR, f"invalid cache key: {status['key']}"
            return
        self._store.save_memo(status["cacheName"], status["key"], entry)
