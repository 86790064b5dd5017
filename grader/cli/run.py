"""`batchlab run`: run a Workflow here."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import Any

import click


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="An argument; repeatable.")
@click.option("--entrypoint", metavar="TEMPLATE", help="Begin with another template.")
@click.option("--name", metavar="NAME", help="Which manifest, where the files hold several.")
@click.option("--virtual-time", is_flag=True, help="Let backoffs, suspensions and deadlines pass at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: Argo's status with its nodes.")
def run(  # noqa: PLR0917 - one per option
    files: tuple[str, ...],
    parameters: tuple[str, ...],
    entrypoint: str | None,
    name: str | None,
    virtual_time: bool,
    as_json: bool,
) -> int:
    """Run a Workflow, or submit a WorkflowTemplate or CronWorkflow, on this machine.

    FILE may be a folder, or hold several documents: WorkflowTemplates, ConfigMaps and Secrets in it are there for the
    Workflow. Exit code 0: it succeeded, 1: it failed, 2: it cannot be run as written, and nothing was started.

    \b
    Example:
      batchlab run hello.yaml
      batchlab run cluster/apps --name ingest -p ds=2013-03-10
      batchlab run retry.yaml --virtual-time --json

    JSON: {"name","phase","message","startedAt","finishedAt","nodes":{id:{"id","name","displayName","type","phase",…}}}
    """  # noqa: D301
    from rich.console import Console

    from grader.cli import _schedules
    from grader.cli._live import Watcher
    from grader.cli._outcome import finish, parse_parameters
    from pipelines.local.assembly import assembled, needs_platform
    from pipelines.local.engine import VirtualClock, WallClock
    from pipelines.local.state import StateDir

    given = parse_parameters(parameters)
    documents = _schedules.load_valid(files, tell=True)
    manifest = _manifest(documents, name)
    state = StateDir.locate().ensure()
    clock = VirtualClock(datetime.now(timezone.utc)) if virtual_time else WallClock()
    watcher = Watcher(Console(file=sys.stderr, highlight=False, quiet=as_json))
    needed = needs_platform([each.body for each in documents.all])
    with assembled(state, clock, platform=needed, listener=watcher, progress=_tell) as engine, watcher.shown():
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


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
