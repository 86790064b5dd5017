"""The two halves of a row's hash say nothing about each other, not even on data made to fool one of them."""

from __future__ import annotations

import itertools

import duckdb
import pytest

from grader.fingerprint.digest import Digest
from grader.fingerprint.relation import WHOLE, columns, connect, digests
from grader.fingerprint.rows import _PADDING, Half, _salt, row_hash

_MASK = (1 << 64) - 1
_FACTOR = 0xD6E8FEB86659FD93
"""Of DuckDB's hash of a 64-bit number."""


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all."""
    return connect()


def digest(con: duckdb.DuckDBPyConnection, query: str) -> Digest:
    """Digest the rows of a query."""
    return digests(con, f"({query})")[WHOLE]


def unhash(number: int) -> int:
    """Give the number whose hash this is."""
    inverse = pow(_FACTOR, -1, 1 << 64)
    for _ in range(2):
        number ^= number >> 32
        number = number * inverse & _MASK
    return number ^ number >> 32


def signed(number: int) -> int:
    """Read 64 bits as a BIGINT."""
    return number - (1 << 64) if number >> 63 else number


def test_unhash(con: duckdb.DuckDBPyConnection) -> None:
    """The attacks below know DuckDB's hash."""
    for number in (1, -1, 123456789012345678):
        (found,) = con.execute("SELECT hash(CAST(? AS BIGINT))", [number]).fetchall()
        assert signed(unhash(found[0])) == number


@pytest.mark.parametrize("half", ["low", "high"])
def test_values_swapped_between_columns(con: duckdb.DuckDBPyConnection, half: Half) -> None:
    """Values made so that the mixed words of two columns change places fool the half they are made for, only."""
    both = int(_salt(half, "a", "n")) ^ int(_salt(half, "b", "n"))
    one = digest(con, "SELECT 5::BIGINT AS a, 77::BIGINT AS b")
    two = digest(con, f"SELECT {signed(77 ^ both)}::BIGINT AS a, {signed(5 ^ both)}::BIGINT AS b")
    other: Half = "high" if half == "low" else "low"
    assert getattr(one, half) == getattr(two, half)
    assert getattr(one, other) != getattr(two, other)


@pytest.mark.parametrize("half", ["low", "high"])
def test_a_value_that_imitates_null(con: duckdb.DuckDBPyConnection, half: Half) -> None:
    """A number made to hash as NULL does fools one half, not the other."""
    ((null,),) = con.execute("SELECT hash(CAST(NULL AS BIGINT))").fetchall()
    number = signed(unhash(null) ^ int(_salt(half, "a", "n")))
    one, two = digest(con, f"SELECT {number}::BIGINT AS a"), digest(con, "SELECT NULL::BIGINT AS a")
    other: Half = "high" if half == "low" else "low"
    assert getattr(one, half) == getattr(two, half)
    assert getattr(one, other) != getattr(two, other)


def test_a_double_that_imitates_null(con: duckdb.DuckDBPyConnection) -> None:
    """The double, and the moment, that DuckDB hashes as it does NULL is not taken for NULL."""
    imitations = ("(-4.645812804824922e+112)::DOUBLE", "make_timestamp(-2930909409056394622)")
    for value in imitations:
        assert con.execute(f"SELECT hash({value}) = hash(NULL::DOUBLE)").fetchall() == [(True,)]
        one, two = digest(con, f"SELECT {value} AS a"), digest(con, "SELECT NULL::DOUBLE AS a")
        assert one.low != two.low
        assert one.high != two.high


def test_texts_with_one_hash(con: duckdb.DuckDBPyConnection) -> None:
    """Texts that differ in the last byte of a block, on which DuckDB's hash is weak, differ in both halves.

    Every padding that the halves use has such texts of its own: none of them fools even one half.
    """
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    for padding in itertools.chain(*_PADDING.values()):
        before = "a" * ((7 - len(padding)) % 8)
        texts = f"SELECT '{before}' || x || 'bbbbbbb' || y AS t FROM {_letters(letters, 'x')}, {_letters(letters, 'y')}"
        weak = f"SELECT count(*), count(DISTINCT hash('{padding}' || t)) FROM ({texts})"
        (count, different), *_ = con.execute(weak).fetchall()
        assert (count, different <= 256) == (len(letters) ** 2, True)
        for kind in ("VARCHAR", "BLOB"):
            assert distinct(con, f"(SELECT CAST(t AS {kind}) AS t FROM ({texts}))") == (count, count)


def test_every_padding_shifts_texts_otherwise() -> None:
    """What falls on the last byte of a block once falls on other bytes in the other three hashes of a text."""
    assert len({len(padding) % 8 for padding in itertools.chain(*_PADDING.values())}) == 4


def test_values_swapped_between_rows_change_every_bit(con: duckdb.DuckDBPyConnection) -> None:
    """Sums of rows do not fall apart into sums of columns, not even in the lowest bit, which carries nothing."""
    grid = "i * 100 + j AS swap FROM range(16) r(i), range(16) s(j)"
    swaps = f"SELECT i AS a, j AS b, {grid} UNION ALL SELECT i + 1, j + 1, {grid}"
    others = f"SELECT i AS a, j + 1 AS b, {grid} UNION ALL SELECT i + 1, j, {grid}"
    content = columns(con, "(SELECT 1::BIGINT AS a, 1::BIGINT AS b)")
    before, after = (digests(con, f"({rows})", by="swap", content=content) for rows in (swaps, others))
    assert len(before) == 256
    for shift in range(0, 64, 9):
        for half in ("low", "high"):
            changed = sum((getattr(before[swap], half) ^ getattr(after[swap], half)) >> shift & 1 for swap in before)
            assert 90 < changed < 166


def _letters(letters: str, name: str) -> str:
    return f"(SELECT unnest(string_split('{letters}', '')) AS {name})"


def distinct(con: duckdb.DuckDBPyConnection, source: str, low: str = "low", high: str = "high") -> tuple[int, int]:
    """Count different halves of the rows of a source, or of what an expression makes of them."""
    hashes = row_hash(columns(con, source))
    query = f"SELECT {hashes.low} AS low, {hashes.high} AS high FROM {source}"
    ((one, two),) = con.execute(f"SELECT count(DISTINCT {low}), count(DISTINCT {high}) FROM ({query})").fetchall()
    return one, two


GRIDS = {
    "small numbers": "i AS a, j AS b",
    "large numbers": "i << 48 AS a, j << 48 AS b",
    "floats": "i / 10 AS a, CAST(-j AS FLOAT) AS b",
    "decimals": "CAST(i AS DECIMAL(9, 2)) / 100 AS a, CAST(j AS DECIMAL(38, 10)) / 1000 AS b",
    "texts": "'row ' || i || ' of many' AS a, chr(CAST(65 + j AS INTEGER)) AS b",
    "days and moments": "DATE '2013-01-01' + CAST(i AS INTEGER) AS a, TIMESTAMP '2013-01-01' + to_seconds(j) AS b",
    "lists": "[i, j] AS a, {'x': j} AS b",
}


@pytest.mark.parametrize("values", GRIDS.values(), ids=GRIDS)
def test_halves_are_spread_as_if_by_chance(con: duckdb.DuckDBPyConnection, values: str) -> None:
    """Of 65,536 rows, any 24 bits of a half, or 12 of each, agree about as often as those of dice would: 128 times.

    If the halves had anything in common, 12 bits of each would agree more often.
    """
    source = f"(SELECT {values} FROM range(256) r(i), range(256) s(j))"
    rows = 1 << 16
    assert distinct(con, source) == (rows, rows)
    for one, two in (
        ("low >> 40", "high >> 40"),
        ("low & 16777215", "high & 16777215"),
        ("((low >> 52) << 12) | (high >> 52)", "((low & 4095) << 12) | (high & 4095)"),
    ):
        for found in distinct(con, source, one, two):
            assert 75 <= rows - found <= 190


def test_format_of_version_2(con: duckdb.DuckDBPyConnection) -> None:
    """The digest of this row is part of the format: where DuckDB's hash changes, the format's version must, too."""
    row = "SELECT 1 AS n, 1.50::DECIMAL(9, 2) AS d, 'text' AS s, 0.5 AS f, NULL AS nothing, [1, 2] AS l"
    assert digest(con, row).hash == "0dbb61a6abe366dbe17dc4300d28e648"
