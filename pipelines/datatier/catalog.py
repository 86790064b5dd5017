"""The Iceberg catalog for jobs without Spark."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.datatier.job import required

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


def lake(environment: Mapping[str, str] | None = None) -> Catalog:
    """Connect to the REST catalog that `CATALOG_URI` and `WAREHOUSE` name.

    Raises:
        BadParameter: one of them is not set.
    """
    from pyiceberg.catalog.rest import RestCatalog

    environment = os.environ if environment is None else environment
    return RestCatalog("lake", uri=required(environment, "CATALOG_URI"), warehouse=required(environment, "WAREHOUSE"))


def identifier(table: str) -> str:
    """Strip the Spark catalog's name from `lake.raw.flights`."""
    return table.partition(".")[2]
