"""What must count as the same content, and what must not."""

from __future__ import annotations

import itertools

import pytest

from grader.fingerprint.digest import Digest
from grader.fingerprint.relation import WHOLE, connect, digests


def digest(query: str) -> Digest:
    """Digest the rows of a query."""
    return digests(connect(), f"({query})").get(WHOLE, Digest())


SAME = [
    ("SELECT 1::SMALLINT AS a", "SELECT 1::BIGINT AS a", "integers of any width"),
    ("SELECT 1.50::DECIMAL(9,2) AS a", "SELECT 1.5::DECIMAL(18,1) AS a", "decimals of any scale"),
    ("SELECT 100.00::DECIMAL(9,2) AS a", "SELECT 100 AS a", "a decimal without a fraction and an integer"),
    ("SELECT 0.0::DECIMAL(9,2) AS a", "SELECT 0 AS a", "zero"),
    ("SELECT -0.0::DOUBLE AS a", "SELECT 0.0::DOUBLE AS a", "zero has no sign"),
    ("SELECT 'nan'::DOUBLE AS a", "SELECT '-nan'::DOUBLE AS a", "NaN is one value"),
    ("SELECT 'nan'::FLOAT AS a", "SELECT 'nan'::DOUBLE AS a", "NaN of any width"),
    ("SELECT 0.5::FLOAT AS a", "SELECT 0.5::DOUBLE AS a", "floats that say the same number"),
    ("SELECT 1 AS a, 2 AS b", "SELECT 2 AS b, 1 AS a", "columns in another order"),
    ("SELECT 1 AS a, NULL AS b", "SELECT 1 AS a", "a NULL and a column that was not there yet"),
    ("SELECT TIMESTAMPTZ '2013-03-10 03:30:00-04' AS a", "SELECT TIMESTAMPTZ '2013-03-10 07:30:00Z' AS a", "instants"),
    ("SELECT TIMESTAMP_NS '2013-01-01 00:00:01' AS a", "SELECT TIMESTAMP '2013-01-01 00:00:01' AS a", "precision"),
    ("SELECT MAP {'x': 1, 'y': 2} AS a", "SELECT MAP {'y': 2, 'x': 1} AS a", "entries of a map in another order"),
    ("SELECT {'x': 1, 'y': 2} AS a", "SELECT {'y': 2, 'x': 1} AS a", "fields of a struct in another order"),
    ("FROM (VALUES (1), (2), (2)) t(a)", "FROM (VALUES (2), (1), (2)) t(a)", "rows in another order"),
]

DIFFERENT = [
    ("SELECT 1 AS a", "SELECT '1' AS a", "a number and a text"),
    ("SELECT 1 AS a", "SELECT true AS a", "a number and a truth value"),
    ("SELECT 1 AS a", "SELECT 1 AS b", "another column"),
    ("SELECT NULL::VARCHAR AS a", "SELECT '' AS a", "NULL and the empty text"),
    ("SELECT 'a;1:b=s1:c' AS a", "SELECT 'a' AS a, 'c' AS b", "a text that imitates the separators"),
    ("SELECT 'ab' AS a, 'c' AS b", "SELECT 'a' AS a, 'bc' AS b", "texts shifted between columns"),
    (
        "SELECT TIMESTAMP '2013-01-01' AS a",
        "SELECT TIMESTAMPTZ '2013-01-01 00:00:00Z' AS a",
        "a wall time and an instant",
    ),
    ("SELECT DATE '2013-01-01' AS a", "SELECT TIMESTAMP '2013-01-01' AS a", "a day and a moment"),
    ("SELECT TIMESTAMP_NS '2013-01-01 00:00:00.000000001' AS a", "SELECT TIMESTAMP '2013-01-01' AS a", "a nanosecond"),
    ("SELECT 0.1::FLOAT AS a", "SELECT 0.1::DOUBLE AS a", "floats that say different numbers"),
    ("SELECT []::INT[] AS a", "SELECT NULL::INT[] AS a", "no elements and no list"),
    ("SELECT [1, NULL] AS a", "SELECT [NULL, 1] AS a", "elements in another order"),
    ("SELECT [[1], [2]] AS a", "SELECT [[1, 2]] AS a", "another nesting"),
    ("SELECT {'x': NULL::INT} AS a", "SELECT NULL::STRUCT(x INT) AS a", "a struct of nothing and no struct"),
    ("SELECT MAP {'x': NULL::INT} AS a", "SELECT MAP()::MAP(VARCHAR, INT) AS a", "a key without value and no key"),
    ("SELECT 'a' AS a", "SELECT 'a'::BLOB AS a", "text and bytes"),
    ("FROM (VALUES (1), (1)) t(a)", "FROM (VALUES (1)) t(a)", "a duplicate"),
    ("FROM (VALUES (1), (1)) t(a)", "FROM (VALUES (2), (2)) t(a)", "duplicates of different rows (XOR would cancel)"),
    ("SELECT 1 AS a WHERE false", "SELECT NULL AS a", "no row and a row of nothing"),
]


@pytest.mark.parametrize(("one", "other"), [case[:2] for case in SAME], ids=[case[2] for case in SAME])
def test_same_content(one: str, other: str) -> None:
    """Two ways to hold the same values have one digest."""
    assert digest(one) == digest(other)


@pytest.mark.parametrize(("one", "other"), [case[:2] for case in DIFFERENT], ids=[case[2] for case in DIFFERENT])
def test_different_content(one: str, other: str) -> None:
    """Different values have different digests."""
    assert digest(one) != digest(other)


def test_both_halves_depend_on_every_value() -> None:
    """Neither half alone decides: single changed values change both."""
    found = [digest(f"SELECT {number} AS a, 'x' AS b") for number in range(50)]
    for one, other in itertools.combinations(found, 2):
        assert one.low != other.low
        assert one.high != other.high


def test_groups_add_up() -> None:
    """Digests of groups add up to the digest of the whole, modulo 2^64."""
    con = connect()
    rows = "(SELECT i AS a, i % 7 AS g, 'text ' || i AS t FROM range(5000) r(i))"
    parts = digests(con, rows, by="g")
    assert len(parts) == 7
    assert Digest.total(parts.values()) == digests(con, rows)[WHOLE]
