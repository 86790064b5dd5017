"""What the facets of one dataset of a run event say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.lineage.datasets import dataset_name, is_metadata

_CHANGES = frozenset({"CREATE", "ALTER", "DROP", "RENAME"})
"""Life cycle changes that write no row by themselves."""


@dataclass(frozen=True, kw_only=True)
class ColumnEdge:
    """One column made from one column of an input."""

    source: str
    source_column: str
    column: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """One dataset, as an event reads or writes it.

    Args:
        name: its name, whatever the emitter calls it.
        version: Iceberg snapshot id, where the emitter says it. Of a table that is written Spark gives the present
            one of `main`: not what was written, where that is a branch or still open.
        columns: which column was made from which; of what is written.
        influences: columns of inputs that decide which rows there are (joins, filters, groups), as (dataset, column).
        schema: its columns.
        rows: how many were written; None where the emitter does not say.
        change: whether it was only created, altered or dropped.
        filter: what Iceberg says of the filter that it was read with; None where it does not.
    """

    name: str
    version: str = ""
    columns: tuple[ColumnEdge, ...] = ()
    influences: tuple[tuple[str, str], ...] = ()
    schema: tuple[str, ...] = ()
    rows: int | None = None
    change: bool = False
    filter: str | None = None


def use_of(dataset: Mapping[str, Any]) -> Use:
    """Read a dataset of an event."""
    facets: Mapping[str, Any] = dataset.get("facets") or {}
    lineage = facets.get("columnLineage") or {}
    statistics = (dataset.get("outputFacets") or {}).get("outputStatistics") or {}
    scan = (dataset.get("inputFacets") or {}).get("icebergScanReport") or {}
    change = (facets.get("lifecycleStateChange") or {}).get("lifecycleStateChange")
    return Use(
        name=dataset_name(str(dataset["namespace"]), str(dataset["name"]), facets),
        version=str((facets.get("version") or {}).get("datasetVersion") or ""),
        columns=_columns(lineage),
        influences=_influences(lineage),
        schema=() if is_metadata(facets) else _schema(facets),
        rows=int(statistics["rowCount"]) if "rowCount" in statistics else None,
        change=change in _CHANGES,
        filter=str(scan["filterDescription"]) if "filterDescription" in scan else None,
    )


def _schema(facets: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one["name"]) for one in (facets.get("schema") or {}).get("fields") or ())


def _columns(lineage: Mapping[str, Any]) -> tuple[ColumnEdge, ...]:
    found = {
        ColumnEdge(source=_source(one), source_column=str(one["field"]), column=column): None
        for column, made in (lineage.get("fields") or {}).items()
        for one in made.get("inputFields") or ()
    }
    return tuple(found)


def _influences(lineage: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read what concerns all rows alike."""
    found = {(_source(one), str(one["field"])): None for one in lineage.get("dataset") or () if _decides(one)}
    return tuple(found)


def _decides(field: Mapping[str, Any]) -> bool:
    """Say whether a field decides which rows there are; a sort changes their order, which is no content."""
    kinds: Sequence[Mapping[str, Any]] = field.get("transformations") or ()
    return not kinds or any(kind.get("subtype") != "SORT" for kind in kinds)


def _source(field: Mapping[str, Any]) -> str:
    return dataset_name(str(field["namespace"]), str(field["name"]))


def joined(first: Use, second: Use) -> Use:
    """Put together what two events of one run say of a dataset.

    A version that was said first stays: what a query read is fixed when it is planned, and the table may move on.
    """
    return Use(
        name=first.name,
        version=first.version or second.version,
        columns=tuple(dict.fromkeys([*first.columns, *second.columns])),
        influences=tuple(dict.fromkeys([*first.influences, *second.influences])),
        schema=second.schema or first.schema,
        rows=second.rows if second.rows is not None else first.rows,
        change=first.change and second.change,
        filter=second.filter if second.filter is not None else first.filter,
    )
