"""`batchlab start`: a lab to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.course.labs import Lab


@click.command()
@click.argument("lab", required=False)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=Path("work"), show_default=True,
              help="Your folder.")  # fmt: skip
@click.option(
    "--student", envvar="BATCHLAB_STUDENT", help="Your name, in a course that gives each student days of their own."
)
def start(lab: str | None, work: Path, student: str | None) -> int:
    """Copy a lab to your work folder, where you edit it; without LAB: list the labs, and those that you have begun.

    LAB is a lab's name, or its number. Nothing is overwritten: a lab that you have begun stays as it is.

    \b
    Example:
      batchlab start 3
    """  # noqa: D301
    from rich.console import Console
    from rich.table import Table

    from grader.course import workplace
    from grader.course.labs import find, labs

    known = labs()
    if lab is None:
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for heading in ("lab", "about", "items", "minutes", "yours"):
            table.add_column(heading, overflow="fold")
        for one in known:
            mine = workplace.copy_of(one, work)
            table.add_row(
                one.name, one.title, " ".join(one.items), str(one.minutes), str(mine) if mine.exists() else "-"
            )
        Console(highlight=False).print(table)
        return 0
    chosen = find(lab, known)
    place = workplace.start(chosen, work, seed=workplace.own_seed(student))
    click.echo(f"{place}: {chosen.title}\n")
    for line in _next(chosen, place, work):
        click.echo(line)
    return 0


def _next(lab: Lab, place: Path, work: Path) -> list[str]:
    """Say what to do with a lab."""
    more = "" if work == Path("work") else f" --work {work}"
    lines = [] if Path(".venv-course").is_dir() else ["make course                        # once: JupyterLab"]
    lines.append(f"batchlab lab {lab.number}{more}")
    if lab.items and lab.handed_in:
        lines.append(f"batchlab grade {' '.join(lab.items)} --submission {place}")
    return lines
