"""Two tables have one digest exactly if their rows are the same: compared with Python, by chance."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import duckdb
import pytest

from grader.fingerprint.canonical import identifier
from grader.fingerprint.digest import Digest
from grader.fingerprint.relation import WHOLE, columns, connect, digests
from grader.fingerprint.tests.reference import TYPES, Typed, same
from grader.oracle.tables import TABLES, TableSpec
from pipelines.local.errors import BadInput

NAMES = ("a", "b", "A name; with: \"quotes\" and 'more'", "v0", "1")
CHANGES = ("shuffle", "repeat", "value", "rename", "order", "swap rows", "swap columns", "null column")
Cell = tuple[str, object]
Table = tuple[Sequence[tuple[str, Typed]], Sequence[Sequence[Cell]]]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all."""
    return connect()


def digest(con: duckdb.DuckDBPyConnection, table: Table) -> Digest:
    """Digest a table of Python values."""
    selects = [", ".join(_cell(*one) for one in zip(row, table[0], strict=True)) for row in table[1]]
    return digests(con, f"(SELECT {' UNION ALL SELECT '.join(selects)})")[WHOLE]


def _cell(value: Cell, column: tuple[str, Typed]) -> str:
    return f"CAST({value[0]} AS {column[1].sql}) AS {identifier(column[0])}"


def content(table: Table) -> Hashable:
    """Say what a table's rows are: a multiset of sets of named values."""
    rows = [zip(table[0], row, strict=True) for row in table[1]]
    sets = [frozenset((name, same(value)) for (name, _), (_, value) in row if value is not None) for row in rows]
    return frozenset(Counter(sets).items())


def agree(contents: Sequence[Hashable], found: Sequence[Digest]) -> None:
    """Digests draw the very distinctions that contents draw, and so does each half by itself."""
    by_content: dict[Hashable, set[Digest]] = {}
    for what, one in zip(contents, found, strict=True):
        by_content.setdefault(what, set()).add(one)
    assert not {what: several for what, several in by_content.items() if len(several) > 1}
    assert len(by_content) == len({one.low for one in found}) == len({one.high for one in found})


def test_every_value_of_every_type(con: duckdb.DuckDBPyConnection) -> None:
    """Values of different types are one value exactly if Python's reference says so, NULL of every type included."""
    contents: list[Hashable] = []
    found = []
    for typed in TYPES:
        values = [*typed.values, ("NULL", None)]
        rows = [f"SELECT {at} AS number, CAST({sql} AS {typed.sql}) AS a" for at, (sql, _) in enumerate(values)]
        source = f"({' UNION ALL '.join(rows)})"
        by_value = digests(con, source, by="number", content=columns(con, source)[1:])
        contents += [same(value) for _, value in values]
        found += [by_value[str(at)] for at in range(len(values))]
    agree(contents, found)
    assert len(found) > 200


@pytest.mark.parametrize("seed", range(6))
def test_tables_by_chance(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Rows repeated and shuffled, values changed and swapped between rows and columns, columns in any order."""
    chance = random.Random(seed)
    tables: list[Table] = []
    for _ in range(5):
        named = [(name, chance.choice(TYPES)) for name in chance.sample(NAMES, chance.randint(1, 4))]
        rows = [[_value(chance, typed) for _, typed in named] for _ in range(chance.randint(1, 4))]
        tables.append((named, rows))
        tables += [_another(chance, (named, rows), change) for change in CHANGES]
    agree([content(table) for table in tables], [digest(con, table) for table in tables])


def _value(chance: random.Random, typed: Typed) -> Cell:
    return ("NULL", None) if chance.random() < 0.2 else chance.choice(typed.values)


def _another(chance: random.Random, table: Table, change: str) -> Table:
    """Make a table that is the same or nearly so."""
    named, rows = list(table[0]), [list(row) for row in table[1]]
    at, row = chance.randrange(len(named)), chance.choice(rows)
    unused = chance.choice([name for name in NAMES if name not in dict(named)])
    if change == "shuffle":
        chance.shuffle(rows)
    elif change == "repeat":
        rows.append(list(row))
    elif change == "value":
        row[at] = _value(chance, named[at][1])
    elif change == "rename":
        named[at] = (unused, named[at][1])
    elif change == "order":
        order = chance.sample(range(len(named)), len(named))
        named, rows = [named[place] for place in order], [[one[place] for place in order] for one in rows]
    elif change == "swap rows":
        other = chance.choice(rows)
        row[at], other[at] = other[at], row[at]
    elif change == "swap columns":
        to = chance.randrange(len(named))
        (first, one), (second, two) = named[at], named[to]
        named[at], named[to] = (second, one), (first, two)
    else:
        named, rows = [*named, (unused, chance.choice(TYPES))], [[*one, ("NULL", None)] for one in rows]
    return named, rows


CHANGED: Mapping[str, tuple[str, ...]] = {
    "date": ("2013-01-01", "2013-01-02", "2012-01-01"),
    "string": ("EWR", "JFK", "ewr", "EWR ", "", "N14228", "N14229"),
    "int": ("1", "2", "-1", "0", "2147483647"),
    "long": ("1", "2", "-1", "0", "9223372036854775807", "4294967297"),
    "timestamptz": ("2013-01-01 05:00:00Z", "2013-01-01 05:00:00.000001Z"),
    "boolean": ("true", "false"),
    "decimal": ("0.01", "0.02", "0", "1", "-0.01", "-1"),
}
"""A value by Iceberg type, and others that it may be changed into."""


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_any_changed_value_of_a_table_shows(con: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """One value changed in one row, in any column of any table, changes both halves; so does a value lost."""
    values = {name: CHANGED[kind.partition("(")[0]] for name, kind in table.columns.items()}
    first = {name: f"'{several[0]}'" for name, several in values.items()}
    changed = [
        {**first, name: value}
        for name, several in values.items()
        for value in [*(f"'{one}'" for one in several[1:]), "NULL"]
    ]
    variants = [[first, first], *([one, first] for one in changed)]
    rows = ", ".join(f"({at}, {', '.join(row.values())})" for at, both in enumerate(variants) for row in both)
    types = {name: kind.replace("string", "varchar").replace("long", "bigint") for name, kind in table.columns.items()}
    cast = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in types.items())
    source = f"(SELECT number, {cast} FROM (VALUES {rows}) AS t(number, {', '.join(types)}))"
    found = digests(con, source, by="number", content=columns(con, source)[1:]).values()
    assert len(changed) >= 2 * len(table.columns)
    assert len({one.low for one in found}) == len({one.high for one in found}) == len(variants)


UNKNOWN = ("1::BIGNUM", "1::VARIANT", "union_value(x := 1)", "[1::VARIANT]", "{'x': 1::BIGNUM}")


@pytest.mark.parametrize("value", UNKNOWN)
def test_types_of_which_nothing_is_known_are_refused(con: duckdb.DuckDBPyConnection, value: str) -> None:
    """A type whose equality is not defined here is an error, not a guess."""
    with pytest.raises(BadInput, match="have no fingerprint"):
        digests(con, f"(SELECT {value} AS a)")
