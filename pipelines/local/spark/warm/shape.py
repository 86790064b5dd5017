"""What every warm JVM is like."""

from __future__ import annotations

from pathlib import Path

from pipelines.local.spark import cds
from pipelines.local.spark.java import find
from pipelines.local.spark.warm.slot import Slot
from pipelines.local.state import StateDir

HEAP = 1 << 30  # bytes; an application that asks for more gets a JVM of its own
# Little memory while idle: a heap that shrinks, a small code cache. Out of memory ends the JVM, never limps on.
OPTIONS = (
    "-Xms64m",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=25",
    "-XX:ReservedCodeCacheSize=128m",
    "-XX:+ExitOnOutOfMemoryError",
)


def fingerprint() -> str:
    """Return what a JVM of today's settings is: one of another kind is not used."""
    java = find()
    return "|".join([str(java.home), java.version, str(cds.path(java)), *OPTIONS])


def log_path(state: StateDir, slot: Slot) -> Path:
    """Return the log of a slot's JVM and keeper."""
    return state.logs / f"spark-warm-{slot.number}.log"
