"""The reference pipelines as rendered manifests, and running one day of `daily` in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import grader
from pipelines.local.assembly import on_platform
from pipelines.local.cron import Backfill
from pipelines.local.cron.conversion import from_cron
from pipelines.local.cron.logical import Logical
from pipelines.local.engine import Engine, Listener, RunResult, VirtualClock
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.manifest import Documents, load
from pipelines.local.platform import Platform, Snapshot
from pipelines.local.preload import ForkServer

APPS = Path(grader.__file__).parent.parent / "cluster" / "apps"
DAILY = "daily"


@dataclass(frozen=True)
class Pipelines:
    """The manifests, the platform they run on, the code of their image, and a Python with the libraries imported."""

    platform: Platform
    code: Snapshot
    preload: ForkServer

    @cached_property
    def documents(self) -> Documents:
        """The rendered manifests."""
        return load([APPS])

    @cached_property
    def daily(self) -> Mapping[str, Any]:
        """The CronWorkflow that runs all pipelines of a day.

        Raises:
            BadInput: the manifests have none.
        """
        found = [cron for cron in self.documents.crons if cron["metadata"]["name"] == DAILY]
        if not found:
            raise BadInput(
                f"there is no CronWorkflow {DAILY}", where=str(APPS), remedy="render the manifests: make render"
            )
        return found[0]

    def schedule(self, first: date, last: date) -> dict[date, datetime]:
        """Give the time at which `daily` is due for each day of a range, by the manifest's own expression."""
        objects = [*self.documents.configmaps, *self.platform.objects(image=self.code.image)]
        logical = Logical(cron=self.daily, templates=self.documents.templates, objects=objects, lang=Lang.shared())
        planned = Backfill(first=first, last=last, logical=logical).plan()
        return {date.fromisoformat(one.ds): one.scheduled_time for one in planned}

    def run(self, name: str, due: datetime, listener: Listener) -> RunResult:
        """Run `daily` as if it were due at a time, or go on with the run of that name that was interrupted."""
        engine = self.engine(due, listener)
        try:
            known = {run.name: run.phase for run in engine.runs()}
            if name not in known:
                workflow = from_cron(self.daily, name, due)
                return engine.run(workflow, templates=self.documents.templates, name=name, scheduled_time=due)
            return engine.get(name) if known[name] in {"Succeeded", "Failed", "Error"} else engine.resume(name)
        finally:
            engine.close()

    def engine(self, due: datetime, listener: Listener) -> Engine:
        """Make an engine whose clock starts at a time, and stands still while nothing runs."""
        return on_platform(
            self.platform, VirtualClock(due), image=self.code.image, listener=listener, preload=self.preload
        )
