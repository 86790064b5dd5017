"""Where PySpark's own jars and scripts are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pipelines.local.errors import BadInput


def spark_home() -> Path:
    """Return PySpark's folder (it holds `jars/` and `bin/`), without importing it.

    Raises:
        BadInput: PySpark is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("PySpark is not installed", remedy="run `make setup`")
    return Path(spec.submodule_search_locations[0])
