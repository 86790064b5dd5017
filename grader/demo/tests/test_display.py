"""What a person sees while the demo runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from grader.demo.display import Display


def test_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    """Each stage becomes one ticked line with its seconds and what it came to; the log has every step."""
    out = io.StringIO()
    display = Display(tmp_path / "logs" / "demo.log", Console(file=out, highlight=False))
    with display.shown():
        display.say("going on after: load")
        with display.stage("Loading a year of flights"):
            display.now("loading ops.weather 50%")
            display.now("336,776 flights")
    display.close()
    lines = out.getvalue().splitlines()
    assert lines[0] == "going on after: load"
    assert lines[1].startswith("✓ Loading a year of flights")
    assert lines[1].endswith(" s  336,776 flights")
    assert "loading ops.weather 50%" in (tmp_path / "logs" / "demo.log").read_text()


def test_live_table_at_a_terminal(tmp_path: Path) -> None:
    """At a terminal the present stage shows what it does, and what is said does not tear the table."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, highlight=False)
    display = Display(tmp_path / "demo.log", console)
    with display.shown(), display.stage("Running 2 days"):
        display.now("2013-03-09 (1/2)  ingest.extract")
        display.say("! daily-20130309 ended Failed")
        with console.capture() as capture:
            console.print(display._render())
        shown = capture.get()
        assert "Running 2 days" in shown
        assert "ingest.extract" in shown
    display.close()
    assert "daily-20130309 ended Failed" in out.getvalue()


def test_stage_that_breaks_is_not_ticked(tmp_path: Path) -> None:
    """A stage that ends in an error is not shown as done."""
    out = io.StringIO()
    display = Display(tmp_path / "demo.log", Console(file=out))
    with pytest.raises(KeyboardInterrupt), display.shown(), display.stage("Loading"):
        raise KeyboardInterrupt
    assert "✓" not in out.getvalue()
