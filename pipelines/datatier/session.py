"""The Spark session of a job: made from plain conf, which the manifest gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.datatier.errors import BadParameter

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyspark.sql import SparkSession


@contextmanager
def spark_session() -> Iterator[SparkSession]:
    """Give the session that `spark-submit` configured, and stop it after, so that its last lineage events are out.

    Raises:
        BadParameter: it does not run in UTC; timestamps would depend on where the job runs.
    """
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    try:
        zone = spark.conf.get("spark.sql.session.timeZone")
        if zone != "UTC":
            raise BadParameter("spark.sql.session.timeZone", f"is {zone}; set it to UTC in the manifest's sparkConf")
        yield spark
    finally:
        spark.stop()


def jdbc_options(spark: SparkSession, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the options of a JDBC read: address from conf `spark.batchlab.jdbcUrl`, login from the environment."""
    from pipelines.datatier.job import required

    url = spark.conf.get("spark.batchlab.jdbcUrl", "") or ""
    if not url:
        raise BadParameter("spark.batchlab.jdbcUrl", "is not set; the manifest's sparkConf sets it from ConfigMap lake")
    return {
        "url": url,
        "driver": "org.postgresql.Driver",
        "user": required(environment, "POSTGRES_USER"),
        "password": required(environment, "POSTGRES_PASSWORD"),
    }


def catalog_of(spark: SparkSession) -> Catalog:
    """Connect to the catalog `lake` of a session without Spark, for what is only metadata."""
    from pipelines.datatier.catalog import lake

    names = {"CATALOG_URI": "uri", "WAREHOUSE": "warehouse"}
    return lake({name: spark.conf.get(f"spark.sql.catalog.lake.{key}", "") or "" for name, key in names.items()})
