"""`batchlab watch`: grade again whenever a file is saved."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("item", nargs=-1)
@click.option("--submission", type=click.Path(path_type=Path), default=Path("work"), show_default=True, help="Folder.")
@click.option("--faults", is_flag=True, help="With the crash and fault tests.")
def watch(item: tuple[str, ...], submission: Path, faults: bool) -> int:
    """Grade, then grade again whenever a file of the submission is saved: only what the change can affect is played.

    Ends with Ctrl-C.

    \b
    Example:
      batchlab watch M03
    """  # noqa: D301
    from grader.grading.session import Options, run_grade
    from grader.grading.terminal import show
    from grader.grading.watcher import changes
    from pipelines.local.errors import BadInput
    from pipelines.local.state import StateDir

    options = Options(names=item, folder=submission, faults=faults)
    for changed in changes(submission):
        if changed:
            click.echo(f"changed: {', '.join(changed[:5])}", err=True)
        try:
            show(run_grade(options), StateDir.locate())
        except BadInput as error:  # half a change: the next save may mend it
            click.echo(f"batchlab: {error}", err=True)
        click.echo("waiting for a change; end with Ctrl-C", err=True)
    return 0
