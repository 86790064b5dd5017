"""Schedules: what fires when, playing a CronWorkflow on a virtual clock, running past dates again."""

from __future__ import annotations

from pipelines.local.cron.backfill import Backfill, BackfillRun
from pipelines.local.cron.player import Play, PlayedRun, SkippedTime, plan, play
from pipelines.local.cron.runs import Outcome, Runs
from pipelines.local.cron.schedule import Schedule

__all__ = [
    "Backfill",
    "BackfillRun",
    "Outcome",
    "Play",
    "PlayedRun",
    "Runs",
    "Schedule",
    "SkippedTime",
    "plan",
    "play",
]
