"""Declared expectations on a partition, checked in one pass by SQL that Spark and DuckDB both speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]
SAMPLE = 5  # failing rows shown


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One rule. `failing` picks the rows that break it; a rule about groups or counts brings its own query.

    Args:
        name: what is expected, as a sentence for a person.
        failing: condition that is true for a row that breaks the rule.
        query: for other rules: a SELECT of what breaks it, with `{relation}` in place of the data.
        warn: tell, but do not fail.
    """

    name: str
    failing: str = ""
    query: str = ""
    warn: bool = False


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A broken rule: how many rows or groups break it, and some of them."""

    expectation: Expectation
    count: int
    sample: Rows

    def __str__(self) -> str:
        shown = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in self.sample)
        return f"{self.expectation.name}: {self.count} broken, such as {shown}"


def not_null(*columns: str) -> list[Expectation]:
    """Every row has a value in each column."""
    return [Expectation(name=f"{column} is not null", failing=f"{column} IS NULL") for column in columns]


def unique(*key: str) -> Expectation:
    """No two rows have the same key."""
    listed = ", ".join(key)
    return Expectation(
        name=f"({listed}) is unique",
        query=f"SELECT {listed}, count(*) AS copies FROM {{relation}} GROUP BY {listed} HAVING count(*) > 1",
    )


def within(column: str, least: float, most: float, *, warn: bool = False) -> Expectation:
    """Values lie in a range, both ends included; NULL is no value."""
    return Expectation(
        name=f"{column} is within {least}…{most}", failing=f"{column} NOT BETWEEN {least} AND {most}", warn=warn
    )


def one_of(column: str, values: Sequence[str]) -> Expectation:
    """Values come from a list; NULL is no value."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return Expectation(name=f"{column} is one of {', '.join(values)}", failing=f"{column} NOT IN ({listed})")


def row_count(least: int, most: int) -> Expectation:
    """The partition has a number of rows in a range, both ends included."""
    return Expectation(
        name=f"row count is within {least}…{most}",
        query="SELECT n FROM (SELECT count(*) AS n FROM {relation}) AS counted "
        f"WHERE n NOT BETWEEN {least} AND {most}",
    )


def check(query: Query, relation: str, expectations: Sequence[Expectation], key: Sequence[str]) -> list[Finding]:
    """Check all expectations; returns the broken ones, in the order given.

    Row rules are counted together in one pass over the data; only a broken one costs another query, for its sample.

    Args:
        query: runs a SELECT and returns its rows.
        relation: name of a table or view, or a parenthesised SELECT with an alias.
        expectations: what must hold.
        key: columns that tell failing rows apart.
    """
    by_row = [item for item in expectations if item.failing]
    counts = _count(query, relation, by_row)
    findings = []
    for item in expectations:
        if item.failing:
            count, select = counts[item], _sample(relation, item, key)
        else:
            select = item.query.format(relation=relation)
            count = int(query(f"SELECT count(*) FROM ({select}) AS broken")[0][0])
        if count:
            findings.append(Finding(expectation=item, count=count, sample=query(f"{select} ORDER BY 1 LIMIT {SAMPLE}")))
    return findings


def _count(query: Query, relation: str, by_row: Sequence[Expectation]) -> Mapping[Expectation, int]:
    if not by_row:
        return {}
    cases = ", ".join(f"count(CASE WHEN {item.failing} THEN 1 END)" for item in by_row)
    return dict(zip(by_row, map(int, query(f"SELECT {cases} FROM {relation}")[0]), strict=True))


def _sample(relation: str, item: Expectation, key: Sequence[str]) -> str:
    column = item.failing.split(" ", 1)[0]
    listed = ", ".join(dict.fromkeys((*key, column)))
    return f"SELECT {listed} FROM {relation} WHERE {item.failing}"
