"""A verdict at the terminal: the items, then what failed, with its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.local.state import StateDir

MARKS = {
    "pass": ("✓", "green"), "fail": ("✗", "red"), "error": ("!", "red"), "blocked": ("·", "yellow"),
    "waiting": ("…", "dim"),
}  # fmt: skip


def show(document: Mapping[str, Any], home: StateDir, console: Console | None = None) -> None:
    """Print a verdict."""
    console = console or Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
    for name, item in document["items"].items():
        mark, style = MARKS[item["outcome"]]
        points = f"{item['points']:g} of {item['max_points']}"
        table.add_row(Text(mark, style), name, item["title"], Text(points, style="bold"), Text(_remark(item), "dim"))
    console.print(table)
    for item in document["items"].values():
        for check in item["checks"]:
            if check["outcome"] in {"fail", "error"}:
                _failure(console, check)
    blocked = [
        check for item in document["items"].values() for check in item["checks"] if check["outcome"] == "blocked"
    ]
    for check in blocked:
        console.print(Text.assemble(("· ", "yellow"), check["id"], (f" was not judged: {check['rationale']}", "dim")))
    console.print(Text(f"{document['score']:g} of {document['max_score']} points", "bold"))
    console.print(Text(document["mode"], "dim"))
    if (sample := document.get("sample")) and sample["seed"]:
        console.print(Text(f"seed {sample['seed']}: graded on {' and '.join(sample['days'])}", "dim"))
    if runs := document.get("runs"):
        console.print(Text(f"{len(runs)} workflows, such as {runs[-1]['url']}", "dim"), soft_wrap=True)
    page = home.report / "grade.html"
    if page.is_file():
        console.print(f"The page: {page}", soft_wrap=True)


def _remark(item: Mapping[str, Any]) -> str:
    checks = item["checks"]
    passed = sum(check["outcome"] == "pass" for check in checks)
    return item.get("note") or f"{passed} of {len(checks)} checks"


def _failure(console: Console, check: Mapping[str, Any]) -> None:
    mark, style = MARKS[check["outcome"]]
    evidence = check["evidence"]
    console.print()
    console.print(Text(f"{mark} {check['id']} {check['title']}", f"bold {style}"))
    console.print(f"  {check['rationale']}", soft_wrap=True, markup=False)
    if evidence["rows"]:
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for column in evidence["columns"]:
            table.add_column(str(column), overflow="fold")
        for row in evidence["rows"]:
            table.add_row(*[Text("NULL" if value is None else str(value)) for value in row])
        console.print(table)
    if evidence["expected"] or evidence["found"]:
        console.print(f"  expected: {evidence['expected'] or '-'}   found: {evidence['found'] or '-'}", soft_wrap=True,
                      markup=False)  # fmt: skip
    if evidence["query"]:
        console.print(f"  {evidence['query']}", soft_wrap=True, markup=False)
    if check["hint"]:
        console.print(f"  hint: {check['hint']}  (more: batchlab hint {check['id']})", soft_wrap=True, markup=False)
    console.print()
