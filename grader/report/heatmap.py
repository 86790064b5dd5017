"""The heat map: what each run did to each partition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.read import mappings, number, text
from grader.report.words import CHANGES, Mark, change_mark, count, listing, play_name, plural, short_count

_MOST = 20_000  # cells of one page; beyond, a row is a month
_OPEN = 14  # rows of one table that are not folded by month
_RANK = {name: rank for rank, name in enumerate(("changed", "created", "rewritten-same", "untouched", "absent"))}
_MONTH = re.compile(r"\d{4}-\d{2}(?=-\d{2})")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run's effect on one partition; `alarm` marks a change that a second play must not make."""

    mark: Mark
    rows: str
    title: str
    alarm: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """One partition (or one month) and its cells, in the order of the runs."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Block:
    """Lines that are folded together, with a sentence that says what is in them; no name where nothing is folded."""

    name: str
    lines: Sequence[Line]
    summary: str


@dataclass(frozen=True, kw_only=True)
class TableMap:
    """One table's blocks."""

    table: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Columns are runs (play, label, full name); `groups` are plays and how many columns they have.

    `edges` are the columns with which another play begins.
    """

    runs: Sequence[tuple[str, str, str]]
    groups: Sequence[tuple[str, int]]
    edges: frozenset[int]
    tables: Sequence[TableMap]
    legend: Sequence[tuple[Mark, int]]
    monthly: bool
    story: Sequence[str]


def heat_map(report: Mapping[str, Any]) -> HeatMap:
    """Build the map from `partitions`; runs come in the report's order, those it does not list at the end."""
    partitions = mappings(report.get("partitions"))
    runs = _columns(report, partitions)
    plays = {name: play for play, _, name in runs}
    rows: dict[str, list[tuple[str, dict[str, Mapping[str, Any]]]]] = {}
    for entry in partitions:
        cells = {text(cell.get("run")): cell for cell in mappings(entry.get("cells"))}
        rows.setdefault(text(entry.get("table"), "unnamed table"), []).append((text(entry.get("partition")), cells))
    tally = Counter(text(cell.get("change")) for entry in partitions for cell in mappings(entry.get("cells")))
    monthly = len(partitions) * len(runs) > _MOST
    tables = []
    for table, lines in rows.items():
        lines.sort(key=lambda line: line[0])
        blocks = [_month_block(lines, plays)] if monthly else _blocks(lines, plays)
        tables.append(TableMap(table=table, blocks=blocks))
    groups: list[tuple[str, int]] = []
    for play, _, _ in runs:
        if groups and groups[-1][0] == play:
            groups[-1] = (play, groups[-1][1] + 1)
        else:
            groups.append((play, 1))
    edges = frozenset(number for number in range(1, len(runs)) if runs[number][0] != runs[number - 1][0])
    legend = [(CHANGES[name], tally[name]) for name in CHANGES]
    return HeatMap(
        runs=runs, groups=groups, edges=edges, tables=tables, legend=legend, monthly=monthly,
        story=_story(partitions, plays),
    )  # fmt: skip


def _columns(report: Mapping[str, Any], partitions: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    used = dict.fromkeys(text(cell.get("run")) for entry in partitions for cell in mappings(entry.get("cells")))
    columns = []
    for run in mappings(report.get("runs")):
        name = text(run.get("name"))
        if name in used:
            del used[name]
            ds = text(run.get("ds"))
            label = ds[5:] if _MONTH.match(ds) else ds or name[-8:]
            columns.append((play_name(run.get("play")), label, name))
    return columns + [("Other runs", name[-8:], name) for name in used]


def _cell(cell: Mapping[str, Any] | None, run: str, plays: Mapping[str, str]) -> Cell:
    if cell is None:
        return Cell(mark=CHANGES["absent"], rows="", title="", alarm=False)
    mark, rows = change_mark(cell.get("change")), number(cell.get("rows"))
    alarm = plays.get(run) == "Second play" and text(cell.get("change")) in {"changed", "created"}
    parts = [mark.word, plural(int(rows), "row") if rows is not None else ""]
    parts += [f"hash {text(cell.get('hash'))}"] if text(cell.get("hash")) else []
    parts += [f"snapshot {text(cell.get('snapshot'))}"] if text(cell.get("snapshot")) else []
    parts += ["not expected: a second play must leave the content as it was"] if alarm else []
    shown = "" if mark.tone == "absent" else short_count(rows)
    return Cell(mark=mark, rows=shown, title=", ".join(part for part in parts if part), alarm=alarm)


def _line(name: str, cells: Mapping[str, Mapping[str, Any]], plays: Mapping[str, str]) -> Line:
    return Line(name=name.partition("=")[2] or name, cells=[_cell(cells.get(run), run, plays) for run in plays])


def _blocks(lines: Sequence[tuple[str, Mapping[str, Mapping[str, Any]]]], plays: Mapping[str, str]) -> list[Block]:
    if len(lines) <= _OPEN:
        return [Block(name="", lines=[_line(*line, plays) for line in lines], summary="")]
    months: dict[str, list[tuple[str, Mapping[str, Mapping[str, Any]]]]] = {}
    for line in lines:
        months.setdefault(_month(line[0]), []).append(line)
    return [
        Block(name=month, lines=[_line(*line, plays) for line in held], summary=_counts(held))
        for month, held in months.items()
    ]


def _month(partition: str) -> str:
    found = _MONTH.search(partition)
    return found[0] if found else "other partitions"


def _counts(lines: Sequence[tuple[str, Mapping[str, Mapping[str, Any]]]]) -> str:
    tally = Counter(text(cell.get("change")) for _, cells in lines for cell in cells.values())
    words = [f"{count(tally[name])} {mark.word}" for name, mark in CHANGES.items() if tally[name] and name != "absent"]
    return plural(len(lines), "partition") + (": " + "; ".join(words) if words else "")


def _month_block(lines: Sequence[tuple[str, Mapping[str, Mapping[str, Any]]]], plays: Mapping[str, str]) -> Block:
    """One line per month: each cell shows the strongest change in it and tells the counts of all."""
    months: dict[str, list[Mapping[str, Mapping[str, Any]]]] = {}
    for name, cells in lines:
        months.setdefault(_month(name), []).append(cells)
    result = []
    for month, held in months.items():
        shown_cells = []
        for run in plays:
            tally = Counter(text(entry[run].get("change")) if run in entry else "absent" for entry in held)
            worst = min(tally, key=lambda name: _RANK.get(name, len(_RANK)))
            words = ", ".join(f"{amount} {change_mark(name).word}" for name, amount in tally.most_common())
            alarm = plays[run] == "Second play" and worst in {"changed", "created"}
            shown = "" if worst == "absent" else str(tally[worst])
            shown_cells.append(Cell(mark=change_mark(worst), rows=shown, title=words, alarm=alarm))
        result.append(Line(name=month, cells=shown_cells))
    return Block(name="", lines=result, summary="")


def _story(partitions: Sequence[Mapping[str, Any]], plays: Mapping[str, str]) -> list[str]:
    """Say in a sentence per play what it did, counting partitions of all tables."""
    per_play: dict[str, Counter[str]] = {}
    for entry in partitions:
        for cell in mappings(entry.get("cells")):
            play = plays.get(text(cell.get("run")), "Other runs")
            per_play.setdefault(play, Counter())[text(cell.get("change"))] += 1
    sentences = []
    for play in dict.fromkeys(plays.values()):
        tally = per_play.get(play, Counter())
        done = [
            (tally["created"], "created {}"),
            (tally["rewritten-same"], "rewrote {} with the same content"),
            (tally["changed"], "changed the content of {}"),
        ]
        parts = [words.format(plural(amount, "partition")) for amount, words in done if amount]
        sentences.append(f"{play}: {listing(parts) or 'touched nothing'}.")
    return sentences
