"""The last words of a demo: what was shown, item by item, and where the report is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from grader.checks.model import Result
from grader.demo.report import urgency

MARKS = {
    "pass": ("✓", "green"), "fail": ("✗", "red"), "error": ("!", "red"), "blocked": ("·", "yellow"),
    "waiting": ("…", "dim"),
}  # fmt: skip
SHOWN = 3
"""Failures whose rows are shown; the report has all."""


def close(console: Console, report: Mapping[str, Any], results: list[Result], page: Path) -> None:
    """Print the summary: the items, the failures with their rows, and the report's path."""
    table = Table.grid(padding=(0, 1))
    for name, item in report["items"].items():
        mark, style = MARKS[item["outcome"]]
        remark = item.get("note") or _remark(item)
        table.add_row(Text(mark, style), name, item["title"], Text(remark, "dim"))
    passed = report["summary"]["outcome"] == "pass"
    head = "What was shown:" if passed else "Something is wrong. What the checks found:"
    lines = [Text(line, "" if passed else "red") for line in report["summary"]["lines"][:-1][:SHOWN]]
    last = Text(report["summary"]["lines"][-1], "bold")
    console.print(Panel(Group(head, *lines, "", table, "", last), border_style="green" if passed else "red"))
    bad = [one for one in results if one.outcome in {"fail", "error"}]
    for result in sorted(bad, key=urgency)[:SHOWN]:
        _rows(console, result)
    console.print(f"The report: {page}", soft_wrap=True)


def _remark(item: Mapping[str, Any]) -> str:
    checks = item["checks"]
    bad = [check for check in checks if check["outcome"] != "pass"]
    return bad[0]["id"] + " " + bad[0]["outcome"] if bad else f"{len(checks)} checks"


def _rows(console: Console, result: Result) -> None:
    evidence = result.evidence
    console.print(Text(f"✗ {result.check.id} {result.check.title}", "bold red"))
    console.print(f"  {result.rationale}", soft_wrap=True, markup=False)
    if evidence.rows:
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for column in evidence.columns:
            table.add_column(str(column), overflow="fold")
        for row in evidence.rows[:10]:
            table.add_row(*["NULL" if value is None else str(value) for value in row])
        console.print(table)
    if evidence.query:
        console.print(f"  {evidence.query}", soft_wrap=True, markup=False)
    if result.hints:
        console.print(f"  hint: {result.hints[0]}", soft_wrap=True, markup=False)
