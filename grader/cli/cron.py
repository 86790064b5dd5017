"""`batchlab cron`: play a schedule on a virtual clock."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from grader.cli._options import SUBMISSION

if TYPE_CHECKING:
    from pathlib import Path

    from grader.submission import Submission
    from pipelines.local.cron import Play
    from pipelines.local.cron.logical import Logical
    from pipelines.local.manifest import Document, Documents


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@SUBMISSION
@click.option("--from", "first", required=True, metavar="DATE", help="First day, in the schedule's time zone.")
@click.option("--to", "last", required=True, metavar="DATE", help="Last day, included.")
@click.option("--name", help="Which one, where the files hold several.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say when it fires; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def cron(  # noqa: PLR0917 - one per option
    files: tuple[str, ...], folder: Path | None, first: str, last: str, name: str | None, only_plan: bool, as_json: bool
) -> int:
    """Play the schedule of a CronWorkflow or ScheduledSparkApplication: days pass in an instant, runs are real.

    FILE may be a folder; the WorkflowTemplates, ConfigMaps and Secrets in it are there for the runs.

    \b
    Example:
      batchlab cron cluster/apps --name daily --from 2013-03-09 --to 2013-03-11 --plan
      batchlab cron nightly.yaml --from 2013-11-02 --to 2013-11-04
      batchlab cron --submission work/06-every-day --name daily --from 2013-03-09 --to 2013-03-11

    JSON: {"runs":[{"scheduledTime","name","ds","phase"}],"skipped":[{"scheduledTime","reason"}]}
    """  # noqa: D301
    from grader.cli import _schedules
    from pipelines.local.cron.schedule import parse_range
    from pipelines.local.lang import Lang

    days = parse_range(first, last)
    chosen, submission = _schedules.source(files, folder)
    documents = _schedules.load_valid(chosen, tell=not only_plan, submission=submission)
    document = _schedules.choose(documents, (_schedules.CRON, _schedules.SPARK_CRON), name)
    lang = Lang.shared()
    schedule = _schedules.schedule(document, lang)
    times = schedule.days(*days, lang)
    if only_plan:
        played, dates = _plan(document, times), _schedules.logical(document, documents, [], lang)
    else:
        played, dates = _play(document, documents, times, schedule.midnight(days[0]), submission, quiet=as_json)
    is_cron = document.kind == _schedules.CRON
    shown = _as_json(played, dates if is_cron else None)
    if as_json:
        print(json.dumps(shown, indent=2))
    else:
        _show(shown)
    return 0 if played.succeeded else 1


def _plan(document: Document, times: list[datetime]) -> Play:
    from pipelines.local.cron.player import plan
    from pipelines.local.cron.spark import plan_spark

    make = plan if document.kind == "CronWorkflow" else plan_spark
    return make(document.body, times)


def _play(
    document: Document,
    documents: Documents,
    times: list[datetime],
    start: datetime,
    submission: Submission | None,
    *,
    quiet: bool,
) -> tuple[Play, Logical]:
    from grader.cli import _schedules
    from pipelines.local.cron.engine_runs import EngineRuns
    from pipelines.local.cron.player import play
    from pipelines.local.cron.spark import play_spark
    from pipelines.local.engine import VirtualClock
    from pipelines.local.lang import Lang

    def tell(what: str, at: datetime, text: str) -> None:
        if not quiet:
            print(f"{at:%Y-%m-%dT%H:%M:%SZ}  {what:<8} {text}", file=sys.stderr, flush=True)

    lang, clock = Lang.shared(), VirtualClock(start)
    with _schedules.engine(documents, clock, submission) as engine:
        runs = EngineRuns(engine, documents)
        dates = _schedules.logical(document, documents, [dict(each) for each in engine.objects], lang)
        if document.kind == _schedules.CRON:
            return play(document.body, times, runs=runs, clock=clock, lang=lang, listener=tell), dates
        return play_spark(document.body, times, runs=runs, clock=clock, listener=tell), dates


def _as_json(played: Play, dates: Logical | None) -> dict[str, Any]:
    from pipelines.local.cron.conversion import rfc3339

    return {
        "runs": [
            {
                "scheduledTime": rfc3339(run.scheduled_time),
                "name": run.name,
                "ds": dates.ds(run.scheduled_time) if dates else None,
                "phase": run.phase,
            }
            for run in played.runs
        ],
        "skipped": [{"scheduledTime": rfc3339(each.scheduled_time), "reason": each.reason} for each in played.skipped],
    }


def _show(shown: dict[str, Any]) -> None:
    for run in shown["runs"]:
        day = f"  ds {run['ds']}" if run["ds"] else ""
        print(f"{run['scheduledTime']}  {run['name']}{day}  {run['phase']}".rstrip())
    for each in shown["skipped"]:
        print(f"{each['scheduledTime']}  skipped: {each['reason']}")
    if not shown["runs"] and not shown["skipped"]:
        print("the schedule does not fire on these days", file=sys.stderr)
