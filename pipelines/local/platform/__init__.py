"""PostgreSQL, REST catalog and webhook receiver, on 127.0.0.1 and free ports, under the state directory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.local.platform.code import Snapshot, snapshot
    from pipelines.local.platform.parts import PartStatus
    from pipelines.local.platform.platform import Endpoints, Platform

__all__ = ["Endpoints", "PartStatus", "Platform", "Snapshot", "snapshot"]
_WHERE = {
    "Endpoints": "platform",
    "PartStatus": "parts",
    "Platform": "platform",
    "Snapshot": "code",
    "snapshot": "code",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: the executor's light core has no PostgreSQL client."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
