"""`batchlab data`: load the source database, and deliver late, corrected, duplicate, skewed or more data to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click

from grader import data as source
from grader.data.batches import Batch
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


def _date(text: str, option: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise BadInput(f"'{text}' is no date", where=option, remedy="write it as YYYY-MM-DD") from error


def _conninfo() -> str:
    """Start the platform where it is not running and load what is missing; returns how to connect."""
    from pipelines.local.platform import Platform

    platform = Platform(StateDir.locate().ensure())
    platform.start(progress=lambda *what: click.echo(" ".join(map(str, what)), err=True))
    return str(platform.endpoints.postgres_dsn)


def _show(document: dict[str, Any], text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(document) if as_json else text)


@click.group()
def data() -> None:
    """Load the source database, and deliver late data to it.

    \b
    Example:
      batchlab data load
      batchlab data late --ds 2013-03-09 --seed 7
    """  # noqa: D301


@data.command("load")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def load_command(as_json: bool) -> None:
    """Load the whole package into PostgreSQL, where it is missing or different.

    \b
    Example:
      batchlab data load
    """  # noqa: D301
    conninfo = _conninfo()
    loaded = source.load(conninfo, progress=lambda what, done: click.echo(f"{done:4.0%} {what}", err=True))
    text = "\n".join(f"ops.{name}: {rows:,} rows" for name, rows in loaded.rows.items())
    _show({"rows": loaded.rows, "reloaded": list(loaded.reloaded)}, text, as_json=as_json)


def _batch_command(name: str, make: Callable[..., Batch], count: int, help_text: str) -> None:
    @click.option("--ds", required=True, help="Flight date, YYYY-MM-DD.")
    @click.option("--seed", type=int, default=7, show_default=True, help="Same seed, same rows.")
    @click.option("--count", type=click.IntRange(1, 100_000), default=count, show_default=True, help="Rows.")
    @click.option("--days-late", type=click.IntRange(0, 365), help="Days after the base load; by the seed if left out.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    def command(ds: str, seed: int, count: int, days_late: int | None, as_json: bool) -> None:
        day = _date(ds, "--ds")
        conninfo = _conninfo()
        batch = make(source.day_rows(conninfo, day), day, seed=seed, count=count, days_late=days_late)
        added = source.deliver(conninfo, batch)
        document = {
            "kind": batch.kind,
            "ds": ds,
            "delivery": batch.delivery,
            "recorded_at": batch.recorded_at.isoformat(),
            "rows": len(batch.flights),
            "added": added,
        }
        text = f"{added} rows delivered for {ds}, recorded at {batch.recorded_at:%Y-%m-%d %H:%M}Z"
        _show(document, text if added else f"this delivery for {ds} had come before; nothing added", as_json=as_json)

    command.__doc__ = f"{help_text}\n\n\b\nExample:\n  batchlab data {name} --ds 2013-03-09 --seed 7\n"
    data.command(name)(command)


_batch_command("late", source.late, 12, "Deliver flights of a day that nobody had delivered before.")
_batch_command(
    "corrections", source.corrections, 12, "Deliver known flights of a day with other delays, some cancelled."
)
_batch_command("duplicates", source.duplicates, 12, "Deliver known flights of a day once more, unchanged.")
_batch_command("skew", source.skew, 5000, "Deliver many new flights of one carrier on one day.")


@data.command("grow")
@click.option("--times", type=click.IntRange(2, 100), required=True, help="How many times today's volume.")
@click.option(
    "--by", type=click.Choice(["rows", "days"]), default="rows", show_default=True, help="Fuller days or more."
)
@click.option("--from", "first", required=True, help="First flight date, YYYY-MM-DD.")
@click.option("--to", "last", required=True, help="Last flight date, included.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def grow_command(times: int, by: str, first: str, last: str, as_json: bool) -> None:
    """Multiply the volume between two flight dates.

    \b
    Example:
      batchlab data grow --times 3 --from 2013-03-01 --to 2013-03-31
    """  # noqa: D301
    start, end = _date(first, "--from"), _date(last, "--to")
    if end < start:
        raise BadInput(f"{last} is before {first}", where="--to", remedy="give the later date last")
    added = source.grow(_conninfo(), times=times, by=by, first=start, last=end)
    _show({"added": added}, f"{added:,} rows added", as_json=as_json)
