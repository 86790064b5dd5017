"""What a value is made of, as DuckDB SQL: 64-bit words, from which a row's hash is mixed.

A value is one or two words, each with a kind. A word that has nothing to say is NULL, and a NULL word counts nothing in
the row's hash. So a column that is NULL equals one that is not there, and types that differ in width or scale only
agree: `smallint 1`, `bigint 1` and `decimal(9,2) 1.00` are the word 1 of kind `n`, and `1.50` in any scale is that word
with a second one, of kind `n.`, for the half. A number too large or too finely divided for these words is hashed by its
text, whatever type holds it. Fixed-width words are never shortened: two different values have different words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.fingerprint.canonical import (
    FLOATS,
    INSTANTS,
    NARROW_INTEGERS,
    NESTED,
    TEXTS,
    WIDE_INTEGERS,
    scale_free,
    unknown,
    value_text,
)

_DIGITS = 18
"""Decimal digits that always fit a signed 64-bit integer."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A part of a value.

    Args:
        kind: told apart from words of other kinds, even of the same value.
        value: SQL expression: a BIGINT or UBIGINT, one for each value, or a text (VARCHAR or BLOB); NULL says nothing.
        text: the expression is a text.
    """

    kind: str
    value: str
    text: bool = False


def words(value: str, kind: Any) -> Sequence[Word]:
    """Take a value apart.

    Args:
        value: SQL expression of the value.
        kind: its DuckDB type.

    Raises:
        BadInput: nothing here can tell when two values of this type are the same.
    """
    name = kind.id.lower()
    if name in NARROW_INTEGERS:
        return [Word(kind="n", value=f"CAST({value} AS BIGINT)")]
    if name in WIDE_INTEGERS:
        return _wide_integer(value)
    if name == "decimal":
        return _decimal(value, kind)
    if name in FLOATS:
        return [Word(kind="f", value=_hashed(value, f"CAST({value} AS DOUBLE)"))]
    if name == "boolean":
        return [Word(kind="b", value=f"CAST({value} AS BIGINT)")]
    if name == "date":
        return [Word(kind="d", value=_hashed(value, value))]
    if name in INSTANTS:
        moment = "TIMESTAMPTZ" if INSTANTS[name] == "z" else "TIMESTAMP"
        return _timed(INSTANTS[name], _hashed(value, f"CAST({value} AS {moment})"), value, name)
    if name in {"time", "time_ns"}:
        return _timed("h", _hashed(value, f"CAST({value} AS TIME)"), value, name)
    if name == "blob":
        return [Word(kind="x", value=value, text=True)]
    if name in TEXTS:
        text = value if name == "varchar" else f"CAST({value} AS VARCHAR)"
        return [Word(kind=TEXTS[name], value=text, text=True)]
    if name in NESTED:
        return [Word(kind=NESTED[name], value=value_text(value, kind), text=True)]
    if name == "null":
        return []
    raise unknown(kind)


def _hashed(value: str, plain: str) -> str:
    """One word for a value of up to 64 bits; DuckDB's hash of those loses nothing, and takes every NaN for one."""
    return f"CASE WHEN {value} IS NOT NULL THEN hash({plain}) END"


def _timed(kind: str, micros: str, value: str, name: str) -> Sequence[Word]:
    """Microseconds; nanoseconds only where they are not zero."""
    if not name.endswith("_ns"):
        return [Word(kind=kind, value=micros)]
    return [Word(kind=kind, value=micros), Word(kind=f"{kind}.", value=f"nullif(epoch_ns({value}) % 1000, 0)")]


def _wide_integer(value: str) -> Sequence[Word]:
    narrow = f"TRY_CAST({value} AS BIGINT)"
    large = f"CASE WHEN {narrow} IS NULL THEN CAST({value} AS VARCHAR) END"
    return [Word(kind="n", value=narrow), Word(kind="n*", value=large, text=True)]


def _decimal(value: str, kind: Any) -> Sequence[Word]:
    """The whole part and the fraction; by its text where one of them does not fit."""
    precision, scale = dict(kind.children)["precision"], dict(kind.children)["scale"]
    if not scale:
        return words_of_whole(value, precision)
    if precision <= _DIGITS:
        return [Word(kind="n", value=_whole(value)), Word(kind="n.", value=_fraction(value))]
    return _wide_decimal(value, kind, scale)


def words_of_whole(value: str, precision: int) -> Sequence[Word]:
    """Take a decimal without a fraction apart."""
    if precision <= _DIGITS:
        return [Word(kind="n", value=f"CAST({value} AS BIGINT)")]
    return _wide_integer(value)


def _whole(value: str) -> str:
    return f"CAST(trunc({value}) AS BIGINT)"


def _fraction(value: str) -> str:
    """The fraction in units of 10^-18, hashed; NULL where there is none."""
    rest = f"{value} % 1"
    return f"CASE WHEN {rest} <> 0 THEN hash(CAST({rest} AS DECIMAL({_DIGITS}, {_DIGITS}))) END"


def _wide_decimal(value: str, kind: Any, scale: int) -> Sequence[Word]:
    """As narrow as most values are; digit by digit where one is not."""
    text = scale_free(value, kind)
    digits, after = f"split_part({text}, '.', 1)", f"split_part({text}, '.', 2)"
    fits = f"TRY_CAST({digits} AS BIGINT) IS NOT NULL AND length({after}) <= {_DIGITS}"
    sign = f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"
    slow_whole = f"CASE WHEN {fits} THEN CAST({digits} AS BIGINT) END"
    slow_fraction = (
        f"CASE WHEN {fits} AND {after} <> '' THEN "
        f"hash(CAST(({sign}) || '0.' || {after} AS DECIMAL({_DIGITS}, {_DIGITS}))) END"
    )
    slow_text = f"CASE WHEN NOT ({fits}) THEN {text} END"
    if scale >= _DIGITS:
        narrow, whole, fraction = "NULL", slow_whole, slow_fraction
    else:
        narrow = f"TRY_CAST({value} AS DECIMAL({_DIGITS}, {scale}))"
        whole = f"CASE WHEN {narrow} IS NOT NULL THEN {_whole(narrow)} ELSE {slow_whole} END"
        fraction = f"CASE WHEN {narrow} IS NOT NULL THEN {_fraction(narrow)} ELSE {slow_fraction} END"
    return [
        Word(kind="n", value=whole),
        Word(kind="n.", value=fraction),
        Word(kind="n*", value=f"CASE WHEN {narrow} IS NULL THEN {slow_text} END", text=True),
    ]
