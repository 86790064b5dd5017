"""`batchlab backfill`: run past dates, one run each."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from grader.cli._options import SUBMISSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from grader.submission import Submission
    from pipelines.local.cron import Backfill, BackfillRun
    from pipelines.local.manifest import Document, Documents


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@SUBMISSION
@click.option("--from", "first", required=True, metavar="DATE", help="First logical date (ds).")
@click.option("--to", "last", required=True, metavar="DATE", help="Last logical date, included.")
@click.option("--parallel", default=1, show_default=True, type=click.IntRange(min=1), help="How many at once.")
@click.option("--shuffle", type=int, metavar="SEED", help="Run the dates in a random order, the same for a seed.")
@click.option("--name", help="Which manifest, where the files hold several.")
@click.option("--virtual-time", is_flag=True, help="Let waits pass at once.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def backfill(  # noqa: PLR0917 - one per option
    files: tuple[str, ...],
    folder: Path | None,
    first: str,
    last: str,
    parallel: int,
    shuffle: int | None,
    name: str | None,
    virtual_time: bool,
    only_plan: bool,
    as_json: bool,
) -> int:
    """Run a CronWorkflow once per date of a range, each at the scheduled time whose own `ds` is that date.

    Of a file without CronWorkflow the WorkflowTemplate is run, with the date as its parameter `ds`.

    \b
    Example:
      batchlab backfill cluster/apps --name daily --from 2013-03-01 --to 2013-03-07 --parallel 2
      batchlab backfill ingest.yaml --from 2013-01-01 --to 2013-01-31 --shuffle 7 --plan
      batchlab backfill --submission work/10-backfill --name daily --from 2013-03-01 --to 2013-03-03

    JSON: {"runs":[{"ds","name","phase"}]}
    """  # noqa: D301
    from grader.cli import _schedules
    from pipelines.local.cron.schedule import parse_range

    days = parse_range(first, last)
    chosen, submission = _schedules.source(files, folder)
    documents = _schedules.load_valid(chosen, tell=not only_plan, submission=submission)
    kinds = (_schedules.CRON,) if documents.crons else ("WorkflowTemplate",)
    document = _schedules.choose(documents, kinds, name)
    if only_plan:
        done: Sequence[BackfillRun] = _backfill(document, documents, [], days, shuffle).plan()
    else:
        done = _run(
            document, documents, days, shuffle, submission, parallel=parallel, virtual=virtual_time, quiet=as_json
        )
    return report(done, as_json=as_json)


def report(done: Sequence[BackfillRun], *, as_json: bool) -> int:
    """Print the runs, done or planned; returns the exit code."""
    if as_json:
        print(json.dumps({"runs": [{"ds": run.ds, "name": run.name, "phase": run.phase} for run in done]}, indent=2))
    else:
        for run in done:
            print(f"{run.ds}  {run.scheduled_time:%Y-%m-%dT%H:%M:%SZ}  {run.name}  {run.phase}  {run.message}".rstrip())
    return 0 if all(run.phase in ("", "Succeeded") for run in done) else 1


def tell(run: BackfillRun) -> None:
    """Say that a run begins or has ended."""
    print(f"{run.ds}  {run.phase or 'started':<9} {run.name}", file=sys.stderr, flush=True)


def _backfill(document: Document, documents: Documents, objects: Any, days: Any, shuffle: int | None) -> Backfill:
    from grader.cli import _schedules
    from pipelines.local.cron import Backfill
    from pipelines.local.lang import Lang

    lang = Lang.shared()
    if document.kind != _schedules.CRON:
        return Backfill(first=days[0], last=days[1], template=document.body, shuffle=shuffle)
    _schedules.schedule(document, lang)
    dates = _schedules.logical(document, documents, objects, lang)
    return Backfill(first=days[0], last=days[1], logical=dates, shuffle=shuffle)


def _run(
    document: Document,
    documents: Documents,
    days: Any,
    shuffle: int | None,
    submission: Submission | None,
    *,
    parallel: int,
    virtual: bool,
    quiet: bool,
) -> list[BackfillRun]:
    from datetime import datetime, timezone

    from grader.cli import _schedules
    from pipelines.local.cron.engine_runs import EngineRuns
    from pipelines.local.engine import VirtualClock, WallClock

    clock = VirtualClock(datetime.now(timezone.utc)) if virtual else WallClock()
    with _schedules.engine(documents, clock, submission) as engine:
        made = _backfill(document, documents, [dict(each) for each in engine.objects], days, shuffle)
        return list(made.run(EngineRuns(engine, documents), parallel=parallel, listener=silent if quiet else tell))


def silent(run: BackfillRun) -> None:
    """Say nothing."""
