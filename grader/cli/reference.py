"""`batchlab reference`: the reference solution as a submission."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def reference(folder: Path) -> int:
    """Write the reference solution as a submission folder: to read it, or to see what a submission looks like.

    \b
    Example:
      batchlab reference /tmp/reference
      batchlab grade --submission /tmp/reference
    """  # noqa: D301
    from grader.submission import reference as solution
    from grader.submission.export import export

    made = export(solution(), folder)
    click.echo(f"{made}: see {made / 'submission.toml'}; grade it with: batchlab grade --submission {made}")
    return 0
