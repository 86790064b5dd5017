"""`batchlab hint`: the next hint of a check that failed."""

from __future__ import annotations

import click


@click.command()
@click.argument("check")
@click.option("--again", is_flag=True, help="Show the hints that were shown before, and no further one.")
def hint(check: str, again: bool) -> int:
    """Show one more hint of a check that failed in the last grading; there are up to three, from general to concrete.

    \b
    Example:
      batchlab hint M03-keys
    """  # noqa: D301
    from grader.grading.hints import reveal
    from pipelines.local.state import StateDir

    shown, total = reveal(StateDir.locate(), check, more=not again)
    for number, text in enumerate(shown, 1):
        click.echo(f"{number} of {total}  {text}")
    return 0
