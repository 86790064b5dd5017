"""One small Spark session for all tests of a process: in UTC, without lineage, without a catalog."""

from __future__ import annotations

import os
import sys
from functools import cache

from pyspark.sql import SparkSession


@cache
def session() -> SparkSession:
    """Start it on first use; it ends with the process."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
