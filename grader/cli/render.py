"""`batchlab render`: manifests from the code that makes them."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("pipelines", nargs=-1)
@click.option("--submission", type=click.Path(path_type=Path), default=Path("work"), show_default=True, help="Folder.")
@click.option("--check", is_flag=True, help="Write nothing; show the difference, and exit 1 where there is one.")
def render(pipelines: tuple[str, ...], submission: Path, check: bool) -> int:
    """Write the manifests of a submission's pipelines anew from their `workflow.py`; all that have one by default.

    \b
    Example:
      batchlab render ingest --submission work/07-retries
    """  # noqa: D301
    from grader.course import render as rendering
    from grader.submission import read

    given = read(submission)
    names = pipelines or tuple(rendering.can_be_rendered(given))
    if check:
        found = [line for name in names for line in rendering.difference(given, name)]
        for line in found:
            click.echo(line)
        return 1 if found else 0
    for name in names:
        click.echo(str(rendering.write(given, name)))
    return 0
