"""The verdict: what was shown, item by item, each check with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.read import mapping, mappings, number, sequence, text
from grader.report.words import Mark, count, listing, outcome_mark, plural

_ROWS = 50  # rows of one evidence table
_VALUE = 400  # characters of one value


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a check saw; empty parts are absent."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int
    query: str
    expected: str
    found: str
    partitions: Sequence[str]
    others: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class CheckView:
    """One check and its verdict."""

    id: str
    title: str
    mark: Mark
    rationale: str
    evidence: Evidence | None
    hint: str


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """One mastery item; opened where the reader has to act."""

    key: str
    id: str
    title: str
    mark: Mark
    points: str
    checks: Sequence[CheckView]
    summary: str
    opened: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The page's first sentence and what follows from it."""

    mark: Mark
    headline: str
    lines: Sequence[str]
    points: str


def items(report: Mapping[str, Any]) -> list[ItemView]:
    """Read the mastery items in the report's order."""
    entries = mapping(report.get("items"))
    return [_item(number, text(key), mapping(value)) for number, (key, value) in enumerate(entries.items(), 1)]


def verdict(report: Mapping[str, Any], views: Sequence[ItemView]) -> Verdict:
    """Sum the items up; the report's own outcome decides where it gives one."""
    summary = mapping(report.get("summary"))
    tally = Counter(view.mark.word for view in views)
    wrong = [view for view in views if view.mark.word in {"fail", "error", "blocked"}]
    given = text(summary.get("outcome"))
    mark = outcome_mark(given or ("fail" if wrong else "pass" if tally["pass"] else None))
    lines = [said for line in sequence(summary.get("lines")) if (said := text(line).strip())]
    gained = [number(mapping(item).get("points")) or 0 for item in mapping(report.get("items")).values()]
    most = [number(mapping(item).get("max_points")) or 0 for item in mapping(report.get("items")).values()]
    points = f"{count(sum(gained))} of {count(sum(most))}" if sum(most) else ""
    return Verdict(mark=mark, headline=_headline(mark, views, wrong, tally), lines=lines, points=points)


def _headline(mark: Mark, views: Sequence[ItemView], wrong: Sequence[ItemView], tally: Counter[str]) -> str:
    waiting = f"{count(tally['waiting'])} {'waits' if tally['waiting'] == 1 else 'wait'} for a cluster"
    if not views:
        return {"ok": "Passed.", "bad": "Failed."}.get(mark.tone, "Nothing was checked yet.")
    if wrong:
        names = listing([view.id for view in wrong])
        verb = "is" if len(wrong) == 1 else "are"
        return f"{len(wrong)} of {plural(len(views), 'skill')} {verb} not shown yet: {names}."
    if mark.tone == "bad":
        return "Failed, though no single skill says why."
    shown = f"{count(tally['pass'])} of {plural(len(views), 'skill')} {'is' if tally['pass'] == 1 else 'are'} shown"
    return f"{shown}; {waiting}." if tally["waiting"] else f"{shown}."


def _item(place: int, key: str, item: Mapping[str, Any]) -> ItemView:
    checks = [_check(check) for check in mappings(item.get("checks"))]
    mark = outcome_mark(item.get("outcome"))
    most = number(item.get("max_points"))
    gained = number(item.get("points"))
    tally = Counter(check.mark.word for check in checks)
    said = [f"{amount} {word}" for word, amount in tally.items()]
    if len(tally) == 1:
        word, amount = next(iter(tally.items()))
        said = [f"{plural(amount, 'check')} {word}"] if amount > 1 or word != "pass" else ["1 check passes"]
        said = [f"{amount} checks pass"] if amount > 1 and word == "pass" else said
    return ItemView(
        # An anchor that can be linked to where the item's name allows it.
        key=f"item-{key if key.isascii() and key.isalnum() and not key.isdecimal() else place}", id=key,
        title=text(item.get("title"), "untitled item"), mark=mark,
        points=f"{count(gained or 0)}/{count(most)}" if most else "", checks=checks, summary=", ".join(said),
        opened=mark.tone == "bad" or mark.word == "blocked",
    )  # fmt: skip


def _check(check: Mapping[str, Any]) -> CheckView:
    return CheckView(
        id=text(check.get("id")), title=text(check.get("title")) or text(check.get("id"), "unnamed check"),
        mark=outcome_mark(check.get("outcome")), rationale=text(check.get("rationale")),
        evidence=_evidence(check.get("evidence")), hint=_hint(check.get("hint")),
    )  # fmt: skip


def _hint(hint: Any) -> str:
    return "\n".join(text(part) for part in sequence(hint)) if isinstance(hint, (list, tuple)) else text(hint)


def _evidence(value: Any) -> Evidence | None:
    if isinstance(value, str) and value.strip():
        return _evidence({"found": value})
    known = {"columns", "rows", "query", "expected", "found", "partitions"}
    entry = mapping(value)
    rows = [[_short(cell) for cell in _row(row, sequence(entry.get("columns")))] for row in sequence(entry.get("rows"))]
    result = Evidence(
        columns=[text(column) for column in sequence(entry.get("columns"))], rows=rows[:_ROWS],
        left_out=max(len(rows) - _ROWS, 0), query=text(entry.get("query")).strip(),
        expected=text(entry.get("expected")), found=text(entry.get("found")),
        partitions=[text(partition) for partition in sequence(entry.get("partitions"))],
        others=[(text(key), _short(other)) for key, other in entry.items() if key not in known and text(other)],
    )  # fmt: skip
    filled = (result.rows, result.query, result.expected, result.found, result.partitions, result.others)
    return result if any(filled) else None


def _row(row: Any, columns: Sequence[Any]) -> Sequence[Any]:
    if isinstance(row, Mapping):
        return [row.get(column) for column in columns] if columns else list(row.values())
    return row if isinstance(row, (list, tuple)) else [row]


def _short(value: Any) -> str:
    said = "null" if value is None else text(value)
    return said if len(said) <= _VALUE else said[:_VALUE] + "…"
