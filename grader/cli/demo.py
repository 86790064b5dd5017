"""`batchlab demo`: the main job on real data."""

from __future__ import annotations

import json
from datetime import date, timedelta

import click

from pipelines.local.errors import BadInput

START = date(2013, 3, 9)
FIRST, LAST = date(2013, 1, 1), date(2013, 12, 31)


@click.command()
@click.option("--days", type=int, help="How many days, from 2013-03-09 or --from on (3 by default, at least 2).")
@click.option("--from", "first", metavar="DATE", help="First flight date.")
@click.option("--to", "last", metavar="DATE", help="Last flight date, included.")
@click.option("--fresh", is_flag=True, help="Begin anew, even if the last demo was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: outcome, items, paths.")
def demo(days: int | None, first: str | None, last: str | None, fresh: bool, as_json: bool) -> int:
    """Run three pipelines over real flights twice, deliver late data, prove what they left, write a report.

    Interrupted and started again, it goes on where it was.

    \b
    Example:
      batchlab demo
      batchlab demo --from 2013-11-02 --to 2013-11-04
    """  # noqa: D301
    from rich.console import Console

    from grader.demo.closing import close
    from grader.demo.demo import Demo
    from grader.demo.display import Display
    from grader.demo.journal import only_one
    from pipelines.local.state import StateDir

    chosen = flight_dates(days, first, last)
    state = StateDir.locate().ensure()
    display = Display(state.logs / "demo.log")
    try:
        with only_one(state.root / "demo"):
            verdict = Demo(state, chosen, display, fresh=fresh).run()
    except KeyboardInterrupt:
        display.write("interrupted")
        click.echo("interrupted: the same command goes on from here", err=True)
        raise
    finally:
        display.close()
    if as_json:
        found = {key: verdict.report[key] for key in ("days", "summary", "items", "timings")}
        print(json.dumps({**found, "report": str(verdict.page), "log": str(display.log_path)}))
    else:
        close(Console(highlight=False), verdict.report, verdict.results, verdict.page)
    return 0 if verdict.passed else 1


def flight_dates(days: int | None, first: str | None, last: str | None) -> tuple[date, ...]:
    """Read the options as the flight dates they mean.

    Raises:
        BadInput: they are no dates, outside the data, fewer than two, or contradict each other.
    """
    from pipelines.local.cron.schedule import parse_date

    begin = parse_date(first, "--from") if first else START
    if last and days is not None:
        raise BadInput("--days and --to both say where to end", remedy="give one of them")
    end = parse_date(last, "--to") if last else begin + timedelta(days=(3 if days is None else days) - 1)
    if end <= begin:
        raise BadInput(
            f"{(end - begin).days + 1} days are too few: it takes two to show that one leaves the other alone",
            where="--to" if last else "--days",
            remedy="take at least 2",
        )
    for day, option in ((begin, "--from"), (end, "--to" if last else "--days")):
        if not FIRST <= day <= LAST:
            raise BadInput(f"{day} is outside the data", where=option, remedy=f"take dates from {FIRST} to {LAST}")
    return tuple(begin + timedelta(days=number) for number in range((end - begin).days + 1))
