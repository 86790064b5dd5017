"""Putting together what one run needs, from what is stored of it and what the engine has."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.engine.clock import Clock, WallClock, parse_time, whole_second
from pipelines.local.engine.cluster import Cluster
from pipelines.local.engine.context import Context
from pipelines.local.engine.execute import execute_template
from pipelines.local.engine.gojson import compact
from pipelines.local.engine.images import ImageTable
from pipelines.local.engine.locks import LockOwner, Locks
from pipelines.local.engine.memo import Memo
from pipelines.local.engine.nodes import Node, Nodes
from pipelines.local.engine.objects import ObjectSet
from pipelines.local.engine.pods import Pods, PodServices
from pipelines.local.engine.resolve import Templates
from pipelines.local.engine.resource import ResourcePods
from pipelines.local.engine.runner import Runner
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store
from pipelines.local.engine.templating import Templating
from pipelines.local.lang import Lang


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the runs of one engine share."""

    store: Store
    clock: Clock
    images: ImageTable
    cluster: Cluster
    runner: Runner
    lang: Lang
    objects: Iterable[Mapping[str, Any]]
    state_root: Path
    steps: Path
    alive: Callable[[str], bool]
    here: Callable[[str], bool]
    released: Callable[[], None]


def build(services: Services, found: Json, status: Json, nodes: list[Json], events: queue.SimpleQueue[Any]) -> Context:
    """Make the context of a run.

    Args:
        services: what the engine has.
        found: the run's document, as `submit.document` made it.
        status: its status as stored; what belongs elsewhere is taken out of it.
        nodes: its nodes as stored, in order.
        events: where its pods report.
    """
    metadata = status.pop("metadata", found["metadata"])
    full_spec = found["spec"]
    spec = status.pop("spec", None) or {key: value for key, value in full_spec.items() if key != "templates"}
    for key in ("startedAt", "finishedAt"):
        if isinstance(status.get(key), str):
            status[key] = parse_time(status[key])
    created = parse_time(found["created"])
    assert created
    objects = ObjectSet([*services.objects, *found["objects"]])
    owner = LockOwner(
        namespace=metadata["namespace"],
        run=metadata["name"],
        priority=int(spec.get("priority", 0)),
        created=created,
        alive=services.alive,
        here=services.here,
        released=services.released,
    )
    op = Context(
        metadata=metadata,
        spec=spec,
        status=status,
        nodes=_nodes(metadata["name"], nodes),
        templates=Templates(full_spec.get("templates") or [], found["library"], status.pop("storedTemplates", {})),
        templating=Templating(services.lang, services.clock),
        clock=services.clock,
        pods=Pods(metadata, _pod_services(services, metadata, objects, events)),
        locks=Locks(services.store, objects, owner),
        memo=Memo(services.store, objects),
        objects=objects,
        created=whole_second(created),
        execute=execute_template,
    )
    if '"hooks":' in compact([full_spec, found["library"]]):
        op.caches["hooks"] = True
    if isinstance(services.clock, WallClock):
        op.caches["wall"] = True
    return op


def _nodes(workflow: str, stored: list[Json]) -> Nodes:
    nodes = Nodes(workflow)
    for node in stored:
        nodes.add(Node.from_dict(node))
    nodes.dirty = {}
    return nodes


def _pod_services(
    services: Services, metadata: Json, objects: ObjectSet, events: queue.SimpleQueue[Any]
) -> PodServices:
    return PodServices(
        runner=services.runner,
        store=services.store,
        clock=services.clock,
        images=services.images,
        objects=objects,
        resources=ResourcePods(services.cluster, objects, services.lang, metadata),
        events=events,
        folder=services.steps / metadata["name"],
        state_root=services.state_root,
    )
