"""Resource templates: `kubectl` on custom resources that operators play, and waiting for their conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.local.engine.podspec import PodPlace
from pipelines.local.engine.specs import Json


class ResourcePods:
    """Runs the pods of resource templates."""

    def start(self, node_id: str, template: Json, place: PodPlace, hear: Callable[[str, dict[str, Any]], None]) -> None:
        """Carry out a resource template."""

    def stop(self, node_id: str) -> None:
        """Give up waiting."""
