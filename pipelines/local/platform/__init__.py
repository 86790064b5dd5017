"""PostgreSQL, REST catalog and webhook receiver, on 127.0.0.1 and free ports, under the state directory."""

from __future__ import annotations

from pipelines.local.platform.code import Snapshot, snapshot
from pipelines.local.platform.parts import PartStatus
from pipelines.local.platform.platform import Endpoints, Platform

__all__ = ["Endpoints", "PartStatus", "Platform", "Snapshot", "snapshot"]
