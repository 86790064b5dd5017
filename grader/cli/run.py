"""`batchlab run`: run a Workflow here."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli._options import SUBMISSION

if TYPE_CHECKING:
    from pipelines.local.engine import Engine


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@SUBMISSION
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="An argument; repeatable.")
@click.option("--entrypoint", metavar="TEMPLATE", help="Begin with another template.")
@click.option("--name", metavar="NAME", help="Which manifest, where the files hold several.")
@click.option("--again", is_flag=True, help="Forget an earlier run of the same name first.")
@click.option("--virtual-time", is_flag=True, help="Let backoffs, suspensions and deadlines pass at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: Argo's status with its nodes.")
def run(  # noqa: PLR0917 - one per option
    files: tuple[str, ...],
    folder: Path | None,
    parameters: tuple[str, ...],
    entrypoint: str | None,
    name: str | None,
    again: bool,
    virtual_time: bool,
    as_json: bool,
) -> int:
    """Run a Workflow, or submit a WorkflowTemplate or CronWorkflow, on this machine.

    FILE may be a folder, or hold several documents: WorkflowTemplates, ConfigMaps and Secrets in it are there for the
    Workflow. With --submission a folder's pipelines run in place of the reference's. Exit code 0: it succeeded, 1: it
    failed, 2: it cannot be run as written, and nothing was started.

    \b
    Example:
      batchlab run hello.yaml
      batchlab run cluster/apps --name ingest -p ds=2013-03-10
      batchlab run --submission work/03-run-twice --name ingest -p ds=2013-03-10
      batchlab run hello.yaml --again
      batchlab run retry.yaml --virtual-time --json

    JSON: {"name","phase","message","startedAt","finishedAt","nodes":{id:{"id","name","displayName","type","phase",…}}}
    """  # noqa: D301
    from rich.console import Console

    from grader.cli import _schedules
    from grader.cli._live import Watcher
    from grader.cli._outcome import finish, parse_parameters
    from pipelines.local.assembly import assembled, needs_platform
    from pipelines.local.engine import Engine, VirtualClock, WallClock
    from pipelines.local.state import StateDir

    given = parse_parameters(parameters)
    chosen, submission = _schedules.source(files, folder)
    documents = _schedules.load_valid(chosen, tell=True, submission=submission)
    manifest = _manifest(documents, name)
    state = StateDir.locate().ensure()
    if again:
        _forget(Engine(state), (manifest.get("metadata") or {}).get("name"))
    clock = VirtualClock(datetime.now(timezone.utc)) if virtual_time else WallClock()
    watcher = Watcher(Console(file=sys.stderr, highlight=False, quiet=as_json))
    needed = needs_platform([each.body for each in documents.all])
    code = submission.folders() if submission else None
    with (
        assembled(state, clock, platform=needed, code=code, listener=watcher, progress=_tell) as engine,
        watcher.shown(),
    ):
        result = engine.run(
            manifest,
            templates=documents.templates,
            parameters=given,
            entrypoint=entrypoint,
            objects=[*documents.configmaps, *documents.secrets],
        )
    return finish(result, state, as_json=as_json)


def _manifest(documents: Any, name: str | None) -> dict[str, Any]:
    """Choose what is run: a Workflow if there is one, else a CronWorkflow, else a WorkflowTemplate."""
    from grader.cli import _schedules
    from pipelines.local.cron.conversion import from_cron

    order = ("Workflow", "CronWorkflow", "WorkflowTemplate")
    kinds = [kind for kind in order if any(name in (None, each.name) for each in documents.of(kind))]
    document = _schedules.choose(documents, kinds[:1] or order, name)
    if document.kind == "CronWorkflow":
        now = datetime.now(timezone.utc)
        return from_cron(document.body, f"{document.name}-{int(now.timestamp())}", now)
    body: dict[str, Any] = document.body
    return body


def _forget(engine: Engine, name: str | None) -> None:
    if name in {run.name for run in engine.runs()}:
        engine.delete(str(name))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
