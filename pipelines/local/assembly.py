"""An engine with everything that given manifests need: the platform is started only for those that use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.local.engine import Clock, Engine, ImageTable, Listener
from pipelines.local.platform.objects import CONFIG_MAP, SECRET
from pipelines.local.preload import LIBRARIES, ForkServer
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.state import StateDir

if TYPE_CHECKING:
    from pipelines.local.platform import Platform

Progress = Callable[[str], None]


def needs_platform(documents: Any) -> bool:
    """Tell whether manifests use Spark, or a ConfigMap or Secret that only the platform provides."""
    bodies = documents if isinstance(documents, list) else [documents]
    own = {(body.get("kind"), (body.get("metadata") or {}).get("name")) for body in bodies if isinstance(body, dict)}
    text = json.dumps(bodies)
    wanted = [name for kind, name in (("ConfigMap", CONFIG_MAP), ("Secret", SECRET)) if (kind, name) not in own]
    return "SparkApplication" in text or any(f'"{name}"' in text for name in wanted)


@contextmanager
def assembled(
    state: StateDir,
    clock: Clock,
    *,
    platform: bool,
    code: Mapping[str, Path] | None = None,
    listener: Listener | None = None,
    progress: Progress = lambda _: None,
) -> Iterator[Engine]:
    """Make an engine; every process that it started ends with the block.

    Args:
        state: the state directory, which must exist.
        clock: the wall clock, or a virtual one.
        platform: start (or repair) the platform, and let steps use it, Spark and the pipelines' code.
        code: other folders for some of the kit's (a submission's `{"ingest": Path(…)}`).
        listener: told of every change.
        progress: told in one line what is being started.

    Raises:
        BadInput: the platform cannot be started.
    """
    if not platform:
        with closing(Engine(state, clock, listener=listener)) as engine:
            yield engine
        return
    with (
        closing(ForkServer(LIBRARIES)) as preload,  # imports while the servers start
        closing(_on_platform(state, clock, code or {}, listener, progress, preload)) as engine,
    ):
        yield engine


def _on_platform(  # noqa: PLR0917 - all of them at one place
    state: StateDir,
    clock: Clock,
    code: Mapping[str, Path],
    listener: Listener | None,
    progress: Progress,
    preload: ForkServer,
) -> Engine:
    from pipelines.local.platform import Platform, snapshot

    image = snapshot(state.ensure(), replaced=code).image  # before the servers: a folder may be missing
    servers = Platform(state)
    servers.start(progress)
    return on_platform(servers, clock, image=image, listener=listener, preload=preload)


def on_platform(
    servers: Platform,
    clock: Clock,
    *,
    image: str,
    listener: Listener | None = None,
    preload: ForkServer | None = None,
    instead: Mapping[str, str] | None = None,
    isolation: Isolation | None = None,
) -> Engine:
    """Make an engine on a platform that runs.

    Args:
        servers: the platform.
        clock: the wall clock, or a virtual one.
        image: the code image that pipelines run (`Snapshot.image`).
        listener: told of every change.
        preload: a Python that has imported the steps' libraries.
        instead: other values of the ConfigMap `lake`, such as the address of something that stands before a server.
        isolation: limits of steps and drivers, and how strangers' code is kept apart.
    """
    from pipelines.local.spark import SparkOperator, conf

    if isolation is not None and isolation.strangers is not None:
        isolation.prepare(servers.state)
        conf.prepare(servers.state)  # what drivers share, they only read

    return Engine(
        servers.state,
        clock,
        images=ImageTable().with_images(servers.images()),
        operators={"SparkApplication": SparkOperator(servers.state, preload)},
        objects=servers.objects(image=image, instead=instead),
        listener=listener,
        preload=preload,
        isolation=isolation,
    )
