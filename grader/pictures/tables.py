"""A table's snapshots, and what each of them did to its partitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from itertools import pairwise
from typing import TYPE_CHECKING

from grader.fingerprint.diff import Change, compare, untouched
from grader.fingerprint.lake import Lake
from grader.pictures.picture import Picture
from grader.report.figure import Bar, Cell, Line, bars, grid
from grader.report.text import elide
from grader.report.words import count, plural, short_count
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

_MOST_SNAPSHOTS, _MOST_PARTITIONS, _MOST_LINES = 8, 40, 30
_TONES: Mapping[Change, str] = {
    "created": "created", "removed": "changed", "changed": "changed", "rewritten": "same", "untouched": "untouched",
}  # fmt: skip
_SIGNS: Mapping[Change, str] = {"created": "+", "removed": "≠", "changed": "≠", "rewritten": "="}
_LEGEND = (("created", "+ created"), ("changed", "≠ changed"), ("same", "= same content"), ("untouched", "untouched"))
_TOLD: tuple[Change, ...] = ("created", "changed", "removed", "rewritten")
_WORDS: Mapping[Change, str] = {"rewritten": "rewritten with the same content"}


def partitions(state: StateDir, name: str | None) -> Picture:
    """Draw what a table's last snapshots did to its partitions: created, changed, written again, left alone.

    Args:
        state: whose table.
        name: which.

    Raises:
        BadInput: there is no such table, or it has no snapshot.
    """
    return partitions_of(*_table(Lake.open(state), name))


def partitions_of(lake: Lake, table: Table) -> Picture:
    """Draw the same of a table that was found."""
    full = f"lake.{'.'.join(table.name()[-2:])}"
    line = _ancestry(table)[-_MOST_SNAPSHOTS:]
    prints = [lake.fingerprint_of(table, full, one.snapshot_id) for one in line]
    files = [lake.files(full, one.snapshot_id) for one in line]
    changes: list[Mapping[str, tuple[Change, int]]] = [
        {part: ("created", digest.rows) for part, digest in prints[0].partitions.items()}
    ]
    for (one, other), (before, after) in zip(pairwise(prints), pairwise(files), strict=True):
        found = compare(one, other, untouched(before, after))
        changes.append({part: (each.change, each.after.rows) for part, each in found.items()})
    names = sorted({part for each in changes for part in each})
    title = f"Partitions of {full}"
    alt = "; ".join(_said(one, each) for one, each in zip(line, changes, strict=True)) + "."
    shown = names[-_MOST_PARTITIONS:]
    svg = grid(
        [(_time(one), elide(_by(one), 10)) for one in line],
        [(part, [_cell(each.get(part), one) for one, each in zip(line, changes, strict=True)]) for part in shown],
        legend=_LEGEND, title=title, alt=alt,
    )  # fmt: skip
    rows = [(part, *(_in_words(each.get(part)) for each in changes)) for part in names]
    return Picture(title=title, alt=alt, svg=svg, columns=("partition", *(_time(one) for one in line)), rows=rows)


def history(state: StateDir, name: str | None) -> Picture:
    """Draw a table's snapshots in order: who committed them, what they added and took away, which branches name them.

    Args:
        state: whose table.
        name: which.

    Raises:
        BadInput: there is no such table, or it has no snapshot.
    """
    return history_of(_table(Lake.open(state), name)[1])


def history_of(table: Table) -> Picture:
    """Draw the same of a table that was found."""
    full = f"lake.{'.'.join(table.name()[-2:])}"
    shown = sorted(table.snapshots(), key=lambda one: (one.timestamp_ms, one.sequence_number or 0))
    refs: dict[int, list[str]] = {}
    for ref, at in table.metadata.refs.items():
        refs.setdefault(at.snapshot_id, []).append(ref)
    most = max((max(_number(one, "added-records"), _number(one, "deleted-records")) for one in shown), default=1) or 1
    title = f"Snapshots of {full}"
    named = f"{', '.join(sorted(table.metadata.refs))}" if refs else "no branch"
    alt = f"{full} has {plural(len(shown), 'snapshot')}; its branches and tags are {named}."
    lines = [
        Line(
            label=elide(f"{_time(one)} {_by(one) or _operation(one)}", 33), title=_operation(one),
            bars=[
                *([Bar(start=0.5 - taken / most / 2, tone="bad", length=taken / most / 2)] if taken else ()),
                *([Bar(start=0.5, tone="ok", length=added / most / 2)] if added else ()),
            ],
            note=elide(f"{count(added)} in, {count(taken)} out  {' '.join(refs.get(one.snapshot_id, ()))}", 38),
        )
        for one in shown[-_MOST_LINES:]
        for added, taken in [(_number(one, "added-records"), _number(one, "deleted-records"))]
    ]  # fmt: skip
    svg = bars(lines, ticks=[(0.0, "rows taken away"), (0.5, "0"), (1.0, "rows added")], title=title, alt=alt)
    rows = [
        (
            str(one.snapshot_id), _moment(one), _operation(one), _by(one), _property(one, "batchlab.ds"),
            count(_number(one, "added-records")), count(_number(one, "deleted-records")),
            " ".join(refs.get(one.snapshot_id, ())),
        )
        for one in shown
    ]  # fmt: skip
    columns = ("snapshot", "committed", "operation", "by", "for", "added", "taken away", "branches and tags")
    return Picture(title=title, alt=alt, svg=svg, columns=columns, rows=rows)


def _table(lake: Lake, name: str | None) -> tuple[Lake, Table]:
    if name is None:
        raise BadInput("name a table", where="NAME", remedy=f"there are: {', '.join(_iceberg(lake)) or 'none yet'}")
    table = lake.iceberg(name)
    if table.current_snapshot() is None:
        raise BadInput(f"{name} has no snapshot yet", where="NAME", remedy="run a pipeline that writes it")
    return lake, table


def _iceberg(lake: Lake) -> list[str]:
    return [name for name in lake.tables() if name.startswith("lake.")]


def _ancestry(table: Table) -> list[Snapshot]:
    """Give the snapshots that led to the present one, oldest first."""
    found: list[Snapshot] = []
    at = table.current_snapshot()
    while at is not None:
        found.append(at)
        at = table.snapshot_by_id(at.parent_snapshot_id) if at.parent_snapshot_id is not None else None
    return found[::-1]


def _said(one: Snapshot, changes: Mapping[str, tuple[Change, int]]) -> str:
    kinds = [kind for kind, _ in changes.values()]
    parts = [
        plural(kinds.count(kind), f"partition {_WORDS.get(kind, kind)}", f"partitions {_WORDS.get(kind, kind)}")
        for kind in _TOLD
        if kind in kinds
    ]
    return f"{_time(one)} {_by(one)}: {', '.join(parts) or 'nothing written'}".replace(" :", ":")


def _cell(found: tuple[Change, int] | None, one: Snapshot) -> Cell:
    if found is None:
        return Cell(tone="absent", label="", title="not there")
    change, rows = found
    label = f"{_SIGNS.get(change, '')} {short_count(rows)}".strip()
    return Cell(tone=_TONES[change], label=label, title=f"{_in_words(found)} by {_by(one)} {_moment(one)}")


def _in_words(found: tuple[Change, int] | None) -> str:
    if found is None:
        return ""
    change, rows = found
    return f"{_WORDS.get(change, change)}, {plural(rows, 'row')}"


def _by(one: Snapshot) -> str:
    """Name the step that committed a snapshot, without its workflow."""
    node = _property(one, "batchlab.node")
    return node.rpartition(".")[2].partition("(")[0]


def _operation(one: Snapshot) -> str:
    return str(one.summary.operation.value) if one.summary is not None else ""


def _property(one: Snapshot, name: str) -> str:
    return str(one.summary.additional_properties.get(name, "")) if one.summary is not None else ""


def _number(one: Snapshot, name: str) -> int:
    return int(_property(one, name) or 0)


def _when(one: Snapshot) -> datetime:
    return datetime.fromtimestamp(one.timestamp_ms / 1000, timezone.utc)


def _time(one: Snapshot) -> str:
    return f"{_when(one):%H:%M:%S}"


def _moment(one: Snapshot) -> str:
    return f"{_when(one):%Y-%m-%d %H:%M:%S}"
