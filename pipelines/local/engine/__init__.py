"""Executes Argo Workflows manifests on this machine, without containers, as Argo 3.7 does."""

from __future__ import annotations

from pipelines.local.engine.clock import Clock, VirtualClock, WallClock
from pipelines.local.engine.engine import Engine, RunResult
from pipelines.local.engine.events import Event, Listener
from pipelines.local.engine.images import Image, ImageTable
from pipelines.local.engine.operators import Operator, Running, StepPlace

__all__ = [
    "Clock",
    "Engine",
    "Event",
    "Image",
    "ImageTable",
    "Listener",
    "Operator",
    "RunResult",
    "Running",
    "StepPlace",
    "VirtualClock",
    "WallClock",
]
