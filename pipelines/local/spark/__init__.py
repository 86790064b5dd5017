"""Spark on this machine: jars, Java, fast starts, and the operator of SparkApplications."""

from __future__ import annotations

from pipelines.local.spark.reconcile import Application, SparkOperator

__all__ = ["Application", "SparkOperator"]
