"""PostgreSQL for jobs without Spark."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.datatier.job import required

if TYPE_CHECKING:
    import psycopg


def connect(environment: Mapping[str, str] | None = None) -> psycopg.Connection:
    """Connect with what `POSTGRES_HOST`, `_PORT`, `_DATABASE`, `_USER` and `_PASSWORD` say; the session is in UTC.

    Raises:
        BadParameter: one of them is not set.
    """
    import psycopg

    environment = os.environ if environment is None else environment
    return psycopg.connect(
        host=required(environment, "POSTGRES_HOST"),
        port=required(environment, "POSTGRES_PORT"),
        dbname=required(environment, "POSTGRES_DATABASE"),
        user=required(environment, "POSTGRES_USER"),
        password=required(environment, "POSTGRES_PASSWORD"),
        options="-c timezone=UTC",
    )
