"""Read OpenLineage run events from NDJSON files, whoever emitted them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.lineage.facets import ColumnEdge, Use, joined, use_of

__all__ = ["ColumnEdge", "Event", "moment_of", "parse", "read_events"]


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
        root: name of the topmost parent job, where the event says it.
        root_run: id of the topmost parent run.
        engine: what ran it, such as `spark`; empty where the event does not say.
        reads: datasets read, by name.
        writes: datasets written, by name.
    """

    time: str
    kind: str
    run: str
    job: str
    parent: str = ""
    parent_run: str = ""
    root: str = ""
    root_run: str = ""
    engine: str = ""
    reads: Mapping[str, Use] = field(default_factory=dict)
    writes: Mapping[str, Use] = field(default_factory=dict)

    @cached_property
    def moment(self) -> datetime:
        """Its time as an instant: emitters write it with different numbers of digits and zones."""
        return moment_of(self.time)


def moment_of(text: str) -> datetime:
    """Read a time; one without a zone is UTC.

    Raises:
        ValueError: it is none.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def read_events(*places: Path) -> tuple[list[Event], int]:
    """Read every event of some files, or under some folders, in the order of time.

    Returns:
        The events, and how many lines were no event: an emitter killed in the middle of a line leaves one.
    """
    events, broken = [], 0
    for path in _files(places):
        for line in _lines(path):
            event = parse(line)
            if event is None:
                broken += 1
            else:
                events.append(event)
    return sorted(events, key=lambda event: event.moment), broken


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (path for path in sorted(place.rglob("*")) if path.is_file())


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
        name, run_id = _job_and_run(parent)
        root, root_id = _job_and_run(parent.get("root") or {})
        moment_of(raw["eventTime"])
        return Event(
            time=str(raw["eventTime"]),
            kind=str(raw.get("eventType") or "OTHER"),
            run=str(run["runId"]),
            job=str(job["name"]),
            parent=name,
            parent_run=run_id,
            root=root,
            root_run=root_id,
            engine=str((facets.get("processing_engine") or {}).get("name") or "").lower(),
            reads=_uses(raw.get("inputs") or ()),
            writes=_uses(raw.get("outputs") or ()),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _job_and_run(facet: Mapping[str, Any]) -> tuple[str, str]:
    return str((facet.get("job") or {}).get("name") or ""), str((facet.get("run") or {}).get("runId") or "")


def _uses(datasets: Iterable[Mapping[str, Any]]) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for dataset in datasets:
        one = use_of(dataset)
        found[one.name] = joined(found[one.name], one) if one.name in found else one
    return found
