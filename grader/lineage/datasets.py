"""One name per dataset, whatever an emitter calls it: `ops.flights`, `lake.raw.flights`, `reporting.route_daily`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["source", "table", "mart", "published"]

CATALOG = "lake"
WEBHOOK = "webhook"
_REFERENCE = re.compile(r"\.(?:branch|tag|snapshot_id|at_timestamp)_[^.]+$")
_METADATA = re.compile(r"\.(?:files|snapshots|history|manifests|partitions|refs|entries|all_\w+)$")


def dataset_name(namespace: str, name: str, facets: Mapping[str, Any] | None = None) -> str:
    """Name a dataset of an OpenLineage event.

    An Iceberg table is known by its place in the warehouse, with the catalog's name for it in the `symlinks` facet; a
    PostgreSQL table as `database.schema.table`; a webhook by its URL. A branch of a table is that table.
    """
    symlinks = ((facets or {}).get("symlinks") or {}).get("identifiers") or []
    for one in symlinks:
        if one.get("type") == "TABLE" and one.get("name"):
            return _table(str(one["name"]))
    if namespace.startswith(("http://", "https://")):
        return WEBHOOK
    if namespace.startswith(("postgres://", "postgresql://")):
        return ".".join(name.split(".")[-2:])
    if "/" in name:
        parts = [part for part in name.split("/") if part]
        return _table(".".join(parts[-2:])) if namespace.startswith(("file", "s3", "hdfs")) else name
    return _table(name) if "." in name else name


def is_metadata(facets: Mapping[str, Any] | None) -> bool:
    """Say whether a dataset is one of Iceberg's metadata tables, such as `raw.flights.refs`, with its own columns."""
    symlinks = ((facets or {}).get("symlinks") or {}).get("identifiers") or []
    return any(str(one.get("name")).count(".") >= 2 and _METADATA.search(str(one.get("name"))) for one in symlinks)


def _table(name: str) -> str:
    plain = _REFERENCE.sub("", name)
    if plain.count(".") >= 2:
        plain = _METADATA.sub("", plain) if not plain.startswith(f"{CATALOG}.") or plain.count(".") > 2 else plain
    if plain.startswith((f"{CATALOG}.", "ops.", "reporting.")):
        return plain
    return f"{CATALOG}.{plain}"


def kind_of(name: str) -> Kind:
    """Say what a dataset is, for drawing."""
    if name.startswith("ops."):
        return "source"
    if name.startswith("lake.marts."):
        return "mart"
    if name.startswith("reporting.") or name == WEBHOOK:
        return "published"
    return "table"
