"""One pipeline of a submission as it is run: its manifests, its due times, the workflow of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import Any

from grader.submission import Submission
from pipelines.local.cron import Backfill
from pipelines.local.cron.conversion import from_cron, from_template
from pipelines.local.cron.logical import Logical
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.manifest import Documents, load
from pipelines.local.platform.code import tree_files, tree_hash

Json = Mapping[str, Any]
_USUAL = time(11, 0, tzinfo=timezone.utc)
"""When a day is due whose schedule cannot say: late enough for the day to be over everywhere in the United States."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline and the objects that its parameters come from.

    Args:
        name: which.
        submission: whose.
        objects: ConfigMaps and Secrets of the platform.
    """

    name: str
    submission: Submission
    objects: Sequence[Json]

    @cached_property
    def own(self) -> Documents:
        """The documents of its manifest."""
        return load([self.submission.pipelines[self.name].manifest])

    @cached_property
    def cron(self) -> Json | None:
        """The CronWorkflow that runs it."""
        return _named(self.own.crons, self.name)

    @cached_property
    def template(self) -> Json | None:
        """The WorkflowTemplate that runs it."""
        return _named(list(self.own.templates.values()), self.name)

    def identity(self) -> list[Any]:
        """Give what the outcome of a run depends on: manifests, code, and what the code shares with others."""
        folders = {name: path for name, path in self.submission.folders().items() if self._reads(name)}
        manifest = self.submission.pipelines[self.name].manifest
        files = [one for one in tree_files(folders) if one[1] != manifest]
        return [[one.body for one in self.own.all], tree_hash(files)]

    def _reads(self, folder: str) -> bool:
        return folder == "datatier" or folder.partition("/")[0] == self.name

    def due(self, days: Sequence[date]) -> dict[date, datetime]:
        """Give the time at which each day is due: by the schedule's own expression, or a usual one where it has none.

        A schedule that is wrong is no reason not to run the day: what is wrong with it, other checks say.
        """
        found = {day: datetime.combine(day + timedelta(days=1), _USUAL) for day in days}
        if self.cron is not None:
            for day in days:
                try:
                    (one,) = Backfill(first=day, last=day, logical=self._logical).plan()
                    found[day] = one.scheduled_time
                except BadInput:
                    continue
        return found

    @property
    def _logical(self) -> Logical:
        assert self.cron is not None
        return Logical(
            cron=self.cron, templates=self.submission.documents.templates, objects=self.objects, lang=Lang.shared()
        )

    def workflow(self, name: str, day: date, due: datetime) -> dict[str, Any]:
        """Make the workflow of a day, as its schedule would.

        Raises:
            BadInput: there is neither a CronWorkflow nor a WorkflowTemplate.
        """
        if self.cron is not None:
            return from_cron(self.cron, name, due)
        return self.workflow_with(name, str(day))

    def workflow_with(self, name: str, ds: str) -> dict[str, Any]:
        """Make a workflow with a given parameter `ds`, whatever it is."""
        if self.template is not None:
            return from_template(self.template, name, {"ds": ds})
        if self.cron is not None:
            made = from_cron(self.cron, name, datetime.combine(date(2013, 3, 10), _USUAL))
            given = made["spec"].setdefault("arguments", {}).setdefault("parameters", [])
            made["spec"]["arguments"]["parameters"] = [
                *({"name": "ds", "value": ds},),
                *(one for one in given if one["name"] != "ds"),
            ]
            return made
        raise BadInput(
            f"pipeline {self.name} has neither a WorkflowTemplate nor a CronWorkflow",
            where=str(self.submission.pipelines[self.name].manifest),
        )


def _named(bodies: Sequence[Json], name: str) -> Json | None:
    """Pick the document of a name, or the only one there is."""
    for body in bodies:
        if (body.get("metadata") or {}).get("name") == name:
            return body
    return bodies[0] if bodies else None
