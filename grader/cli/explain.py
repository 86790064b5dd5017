"""`batchlab explain`: what a part of a manifest means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.local.cron.retries import Explained

_WIDTH = 30


@click.group()
def explain() -> None:
    """Explain what a part of a manifest means.

    \b
    Example:
      batchlab explain retry workflow.yaml
    """  # noqa: D301


@explain.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--attempt", default="10s", show_default=True, metavar="DURATION", help="How long one attempt takes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def retry(files: tuple[str, ...], attempt: str, as_json: bool) -> None:
    """Show when the attempts of every retryStrategy start if all fail: waits, cap, where maxDuration cuts.

    \b
    Example:
      batchlab explain retry workflow.yaml --attempt 2m

    JSON: {"strategies":[{"template","path","retryPolicy","limit","attempts":[{"number","wait","starts",
    "capped","cut"}],"ends","endless","sparkRuns","warnings"}]}; seconds, after the first attempt's start
    """  # noqa: D301
    from pipelines.local.cron.retries import as_json as write
    from pipelines.local.cron.retries import explain as explain_retries
    from pipelines.local.errors import BadInput
    from pipelines.local.lang import Lang, LangError
    from pipelines.local.manifest import load

    lang = Lang.shared()
    try:
        seconds = lang.duration(attempt)
    except LangError as error:
        raise BadInput(error.message, where="--attempt", remedy="write it as 90s or 2m") from error
    found = explain_retries(load(files), attempt_seconds=seconds, lang=lang)
    if as_json:
        print(write(found))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for each in found:
        _show(console, each)


def _show(console: Console, each: Explained) -> None:
    limit = "no limit" if each.limit is None else f"limit {each.limit}"
    console.print(f"[bold]{each.template}[/bold]  {each.path}")
    console.print(f"  {each.policy}, {limit}; if every attempt takes {_span(each.attempt_seconds)} and fails:")
    console.print("  attempt  wait before   starts at")
    end = max(each.attempts[-1].starts + each.attempt_seconds, 1)
    for a in each.attempts:
        note = " cut by maxDuration" if a.cut else " wait capped" if a.capped else ""
        wait = _span(a.wait) if a.number else ""
        console.print(
            f"  {a.number:>7}  {wait:>11}  {_span(a.starts):>10}  {_bar(a.starts, each.attempt_seconds, end)}{note}"
        )
    if each.ends:
        console.print(f"  then: {each.ends}")
    else:
        console.print("  … and so on, without end")
    if each.spark_runs:
        console.print(f"  Spark runs the program at most {each.spark_runs} times")
    for text in each.warnings:
        console.print(f"  [yellow]warning:[/yellow] {text}", soft_wrap=True)


def _bar(start: float, length: float, end: float) -> str:
    before = int(start / end * _WIDTH)
    return "·" * before + "█" * max(1, int(length / end * _WIDTH))


def _span(seconds: float) -> str:
    """Write a duration as Go does, without empty parts: 1h2m3s."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    rest = round(seconds - hours * 3600 - minutes * 60, 3)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    return text + (f"{rest:g}s" if rest or not text else "")
