"""What a play left behind, kept as one JSON file per content of what was played."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from grader.checks.probe import Run
from grader.checks.states import from_json, to_json
from grader.grading.world import Moment, moment_of

VERSION = 3
"""Version of plays and their records: records of another version are never read."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One play of one pipeline.

    Args:
        key: hash of everything that the outcome depends on.
        tag: tells this playing from another one with the same key, whose files and snapshots are others.
        pipeline: which.
        play: which.
        runs: the workflow runs, in the order of their days.
        moment: what the pipeline owns when the play is over: its tables, reports and deliveries.
        events: names of the lineage files that were written.
        seconds: how long it took.
    """

    key: str
    tag: str
    pipeline: str
    play: str
    runs: Sequence[Run]
    moment: Moment
    events: Sequence[str] = ()
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)


def key_of(*parts: Any) -> str:
    """Hash JSON values to a key."""
    text = json.dumps([VERSION, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Records:
    """A folder of records.

    Args:
        folder: where; made on first use.
        fresh: pipelines of which nothing is given that was recorded before these records were opened.
    """

    def __init__(self, folder: Path, *, fresh: Collection[str] = ()) -> None:
        self._folder = folder
        self._fresh = fresh
        self._mine: set[str] = set()

    def get(self, key: str) -> Record | None:
        """Give a record; None where there is none that can be read."""
        try:
            document = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            found = Record(
                **{**document, "runs": [_run(one) for one in document["runs"]], "moment": moment_of(document["moment"])}
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return None if found.pipeline in self._fresh and key not in self._mine else found

    def put(self, record: Record) -> None:
        """Keep a record, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        document = {**vars(record), "runs": [_plain(run) for run in record.runs], "moment": record.moment.as_json()}
        new = self._folder / f".{record.key}.{os.getpid()}"
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(self._folder / f"{record.key}.json")
        self._mine.add(record.key)

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._folder.glob("*.json")) if self._folder.is_dir() else 0

    def clear(self) -> None:
        """Forget all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _plain(run: Run) -> dict[str, Any]:
    return {
        **vars(run), "ds": str(run.ds), "beside": [str(day) for day in run.beside],
        "before": to_json(run.before), "after": to_json(run.after),
    }  # fmt: skip


def _run(document: Mapping[str, Any]) -> Run:
    return Run(
        **{
            **document,
            "ds": date.fromisoformat(document["ds"]),
            "beside": tuple(date.fromisoformat(day) for day in document["beside"]),
            "before": from_json(document["before"]),
            "after": from_json(document["after"]),
        }
    )
