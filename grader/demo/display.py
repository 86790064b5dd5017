"""Says what is happening: a live line per stage at a terminal, plain lines elsewhere, everything in a log file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

DONE = "✓"
"""What the line of a stage that is done begins with."""


class Display:
    """Shows stages: those that are done with their seconds, the present one with what it does.

    Args:
        log: file that gets every line, with its time.
        console: where to show it; standard error by default, so that standard output stays free.
    """

    def __init__(self, log: Path, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.log_path = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log: TextIO = log.open("a", encoding="utf-8")
        self._done: list[tuple[str, str, float]] = []
        self._stage, self._now, self._begun = "", "", 0.0
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the display for the time of a `with` block."""
        try:
            if self.console.is_terminal:
                with Live(
                    get_renderable=self._render, console=self.console, refresh_per_second=8, transient=False
                ) as live:
                    self._live = live
                    yield
            else:
                yield
        finally:
            self._live = None
            self._stage = ""
            self._log.flush()

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Show a stage while a `with` block does it, and tick it with its seconds."""
        self._stage, self._now, self._begun = title, "", time.monotonic()
        self.write(f"== {title}")
        yield
        took = time.monotonic() - self._begun
        self.tick(title, self._now, took)

    def tick(self, title: str, remark: str, seconds: float) -> None:
        """Note a stage as done."""
        self._done.append((title, remark, seconds))
        self._stage = ""
        self.write(f"   {title}: {seconds:.1f} s")
        if self._live is None:
            self.console.print(f"{DONE} {title:<44} {seconds:7.1f} s  {remark}".rstrip(), soft_wrap=True)

    def now(self, text: str) -> None:
        """Say what the present stage does at the moment."""
        if text != self._now:
            self._now = text
            self.write(f"   {text}")

    def say(self, text: str) -> None:
        """Say one sentence, whatever the stage."""
        self.write(text)
        if self._live is None:
            self.console.print(text, soft_wrap=True)
        else:
            self._live.console.print(text, soft_wrap=True)

    def write(self, text: str) -> None:
        """Write a line to the log file only."""
        self._log.write(f"{datetime.now(timezone.utc):%H:%M:%S.%f}"[:-3] + f" {text}\n")

    def close(self) -> None:
        """Close the log file."""
        self._log.close()

    def _render(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=2)
        table.add_column(min_width=44)
        table.add_column(justify="right", min_width=8)
        table.add_column(overflow="ellipsis", no_wrap=True, style="dim")
        for title, remark, seconds in self._done:
            table.add_row(Text(DONE, "green"), title, f"{seconds:.1f} s", remark)
        if self._stage:
            took = f"{time.monotonic() - self._begun:.0f} s"
            table.add_row(Spinner("dots"), Text(self._stage, "bold"), took, self._now)
        return Group(table)
