"""`batchlab cluster backfill`: past dates as Workflows of a cluster."""

from __future__ import annotations

import click

from pipelines.local.state import StateDir

PATIENCE = 3600


@click.command()
@click.argument("template")
@click.option("--from", "first", required=True, metavar="DATE", help="First logical date (ds).")
@click.option("--to", "last", required=True, metavar="DATE", help="Last logical date, included.")
@click.option("--parallel", default=1, show_default=True, type=click.IntRange(min=1), help="How many at once.")
@click.option("--shuffle", type=int, metavar="SEED", help="Run the dates in a random order, the same for a seed.")
@click.option("--timeout", type=click.IntRange(60), default=PATIENCE, show_default=True, help="Seconds for each run.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def backfill(  # noqa: PLR0917 - one per option
    template: str,
    first: str,
    last: str,
    parallel: int,
    shuffle: int | None,
    timeout: int,
    only_plan: bool,
    as_json: bool,
) -> int:
    """Run a WorkflowTemplate of the cluster once per date of a range, with the date as its parameter `ds`.

    Interrupted, it starts no further run; those that were started go on.

    \b
    Example:
      batchlab cluster backfill daily --from 2013-03-01 --to 2013-03-07 --parallel 2
    """  # noqa: D301
    from grader.cli.backfill import report, silent, tell
    from grader.cluster.backfill import ClusterRuns
    from grader.cluster.backfill import backfill as planned
    from grader.cluster.place import load
    from grader.cluster.workflows import Workflows
    from pipelines.local.cron.schedule import parse_range

    days = parse_range(first, last)
    workflows = Workflows(kubectl=load(StateDir.locate()).kubectl)
    workflows.kubectl.reachable()
    made = planned(workflows, template, *days, shuffle=shuffle)
    if only_plan:
        return report(made.plan(), as_json=as_json)
    runs = ClusterRuns(workflows=workflows, patience=timeout)
    return report(list(made.run(runs, parallel=parallel, listener=silent if as_json else tell)), as_json=as_json)
