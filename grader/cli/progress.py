"""`batchlab progress`: the mastery items over time."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def progress(as_json: bool) -> int:
    """Show the ten mastery items: points now, the best ever, and how they went over time.

    \b
    Example:
      batchlab progress
    """  # noqa: D301
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from grader.checks.course import items
    from grader.grading.history import lines, summary
    from pipelines.local.state import StateDir

    found = summary(items(), lines(StateDir.locate()))
    if as_json:
        print(json.dumps({"items": found}))
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for title, side in (("", "left"), ("item", "left"), ("now", "right"), ("best", "right"), ("graded", "right"),
                        ("over time", "left")):  # fmt: skip
        table.add_column(title, justify=side)  # type: ignore[arg-type]  # one of rich's literals
    for one in found:
        now = "-" if one["now"] is None else f"{one['now']:g}"
        best = "-" if one["best"] is None else f"{one['best']:g} of {one['max_points']}"
        table.add_row(one["id"], one["title"], now, best, str(one["graded"]), Text(one["line"], style="green"))
    Console(highlight=False).print(table)
    return 0
