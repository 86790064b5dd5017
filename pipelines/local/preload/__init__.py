"""A Python that has imported the heavy libraries already, and forks a step's interpreter in milliseconds.

Importing PySpark, pyiceberg and dbt costs half a second to three seconds of processor time in every step. One server
process imports them once; each step is a fork of it with its own arguments, environment, folder and descriptors. A
step sees a fresh `__main__` and imports the pipeline's code itself: only libraries are shared, never code under test.
"""

from pipelines.local.preload.client import Child, ForkServer
from pipelines.local.preload.interpreter import become, can_become, replace_process

__all__ = ["LIBRARIES", "Child", "ForkServer", "become", "can_become", "replace_process"]

# What the steps of the work image import, and what takes long to import.
LIBRARIES = (
    "pyspark.sql",
    "pyspark.sql.functions",
    "pyiceberg.catalog.rest",
    "pyiceberg.table",
    "pyarrow.parquet",
    "dbt.cli.main",
    "dbt.adapters.spark.session",
    "psycopg",
    "openlineage.client",
    "requests",
)
