"""`batchlab reset`: begin a lab again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("lab")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=Path("work"), show_default=True,
              help="Your folder.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(lab: str, work: Path, yes: bool) -> int:
    """Bring your copy of a lab back to what it was at the start; what you have done is kept beside it.

    \b
    Example:
      batchlab reset 3
    """  # noqa: D301
    from datetime import datetime

    from grader.course import workplace
    from grader.course.labs import find, labs

    chosen = find(lab, labs())
    mine = workplace.copy_of(chosen, work)
    if mine.is_dir() and not yes and not click.confirm(f"Begin {mine} again? What is there is kept.", err=True):
        click.echo("nothing was changed", err=True)
        return 1
    place, kept = workplace.reset(chosen, work, now=datetime.now())  # noqa: DTZ005 - a name, in the learner's own time
    click.echo(f"{place} is as at the start; what was there is in {kept}")
    return 0
