"""Read OpenLineage run events from NDJSON files, whoever emitted them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.lineage.datasets import dataset_name


@dataclass(frozen=True, kw_only=True)
class ColumnEdge:
    """One column made from one column of an input."""

    source: str
    source_column: str
    column: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """One run event.

    Args:
        time: `eventTime`, ISO 8601 with a zone.
        kind: START, RUNNING, COMPLETE, FAIL, ABORT or OTHER.
        run: the run's id.
        job: the job's name.
        parent: name of the parent job, `<workflow>.<node>`; empty where the event names none.
        parent_run: id of the parent run.
        inputs: datasets read.
        outputs: datasets written.
        columns: column edges by dataset written.
        snapshots: Iceberg snapshot id by dataset written, where the emitter says it.
    """

    time: str
    kind: str
    run: str
    job: str
    parent: str = ""
    parent_run: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    columns: Mapping[str, tuple[ColumnEdge, ...]] = field(default_factory=dict)
    snapshots: Mapping[str, str] = field(default_factory=dict)


def read_events(folder: Path) -> tuple[list[Event], int]:
    """Read every event under a folder, in the order of time.

    Returns:
        The events, and how many lines were no event: an emitter killed in the middle of a line leaves one.
    """
    events, broken = [], 0
    files = (path for path in sorted(folder.rglob("*")) if path.is_file()) if folder.is_dir() else ()
    for path in files:
        for line in _lines(path):
            event = parse(line)
            if event is None:
                broken += 1
            else:
                events.append(event)
    return sorted(events, key=lambda event: event.time), broken


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line for line in file if line.strip())


def parse(line: str) -> Event | None:
    """Read one line; None where it is no run event."""
    try:
        raw = json.loads(line)
        run, job = raw["run"], raw["job"]
        facets = run.get("facets") or {}
        parent = facets.get("parent") or {}
        outputs = raw.get("outputs") or []
        datetime.fromisoformat(raw["eventTime"])
        return Event(
            time=str(raw["eventTime"]),
            kind=str(raw.get("eventType") or "OTHER"),
            run=str(run["runId"]),
            job=str(job["name"]),
            parent=str((parent.get("job") or {}).get("name") or ""),
            parent_run=str((parent.get("run") or {}).get("runId") or ""),
            inputs=_names(raw.get("inputs") or []),
            outputs=_names(outputs),
            columns={_name(one): _columns(one) for one in outputs},
            snapshots={_name(one): version for one in outputs if (version := _version(one))},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _names(datasets: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(one) for one in datasets))


def _name(dataset: Mapping[str, Any]) -> str:
    return dataset_name(str(dataset["namespace"]), str(dataset["name"]), dataset.get("facets"))


def _version(dataset: Mapping[str, Any]) -> str:
    facets = dataset.get("facets") or {}
    return str((facets.get("version") or {}).get("datasetVersion") or "")


def _columns(dataset: Mapping[str, Any]) -> tuple[ColumnEdge, ...]:
    fields = ((dataset.get("facets") or {}).get("columnLineage") or {}).get("fields") or {}
    found = {
        ColumnEdge(
            source=dataset_name(str(one["namespace"]), str(one["name"])), source_column=str(one["field"]), column=column
        ): None
        for column, made in fields.items()
        for one in made.get("inputFields") or []
    }
    return tuple(found)
