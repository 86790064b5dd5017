"""Spark on this machine: jars, Java, fast starts, and the operator of SparkApplications."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.local.spark.reconcile import Application, SparkOperator

__all__ = ["Application", "SparkOperator"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: the executor's light core has no Spark."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.reconcile"), name)
