"""The interface between a `resource` template and whatever plays the controller of a custom resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipelines.local.engine.images import Image, ImageTable
from pipelines.local.engine.runner import Runner


@dataclass(frozen=True, kw_only=True)
class StepPlace:
    """Where one custom resource may work, and what it may use.

    `directory` exists and belongs to this object alone: its `logs/` and any work files go there.
    `env` is the environment for child processes (no `BATCHLAB_*` in it). `image` is what the manifest's image name
    maps to; `images` maps further names (driver and executor may differ). `lifeline_fd` is the read end of a pipe
    whose other end only the executor holds: a supervisor that inherits it sees EOF when the executor is gone, and must
    then end its process group. `secret` and `config_map` look up objects of the run (`{key: text}`, or `KeyError`).
    `wake` may be called from any thread as soon as `status()` would say something new. `runner` starts processes as
    this executor keeps them apart.
    """

    directory: Path
    env: Mapping[str, str]
    image: Image | None
    images: ImageTable
    lifeline_fd: int
    secret: Callable[[str], Mapping[str, str]]
    config_map: Callable[[str], Mapping[str, str]]
    wake: Callable[[], None]
    runner: Runner | None = None


class Running(Protocol):
    """A custom resource that was created and is being reconciled."""

    def status(self) -> Mapping[str, Any]:
        """Return the `.status` that the real controller would show now; `{}` before it shows one. Never blocks."""
        ...

    def stop(self) -> None:
        """End it and all its children (the object was deleted, or the executor stops). May be called twice."""
        ...


class Operator(Protocol):
    """Plays the controller of one kind of custom resource."""

    def check(self, manifest: Mapping[str, Any]) -> list[str]:
        """Return the field problems of a manifest, each with its path; `[]` if it can run here."""
        ...

    def start(self, app: Mapping[str, Any], place: StepPlace) -> Running:
        """Begin to reconcile the object `app` (its `metadata.name` and `.uid` are set); returns at once."""
        ...
