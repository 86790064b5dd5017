"""When two values are the same, said slowly in Python, and values that nearly are."""

from __future__ import annotations

import math
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A DuckDB type and values of it: SQL and what Python makes of it."""

    sql: str
    values: Sequence[tuple[str, Any]]


def same(value: Any) -> Hashable:
    """Give what a value is, so that two are the same exactly if these are equal; None is no value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ("truth", value)
    if isinstance(value, int | Decimal):
        return ("number", Fraction(value))
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else value + 0.0)
    if isinstance(value, datetime):
        return ("moment", value.astimezone(timezone.utc)) if value.tzinfo else ("wall time", value)
    if isinstance(value, Nanoseconds):
        return same(value.micros) if not value.rest else (same(value.micros), value.rest)
    if isinstance(value, list):
        return ("list", tuple(same(one) for one in value))
    if isinstance(value, Struct):
        return ("struct", frozenset((name, same(one)) for name, one in value.fields if one is not None))
    if isinstance(value, dict):
        return ("map", frozenset((same(key), same(one)) for key, one in value.items()))
    return (type(value).__name__, value)


@dataclass(frozen=True, kw_only=True)
class Struct:
    """A struct's fields, in their order."""

    fields: Sequence[tuple[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Nanoseconds:
    """A moment or time with nanoseconds after its microseconds."""

    micros: Any
    rest: int


def _plain(sql: str, *values: str, of: Any = int) -> Typed:
    return Typed(sql=sql, values=[(value, of(value)) for value in values])


def _quoted(sql: str, *values: str, of: Any = str) -> Typed:
    return Typed(sql=sql, values=[("'" + value.replace("'", "''") + "'", of(value)) for value in values])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


_SMALL = ("0", "1", "-1", "10", "100", "127")
_LONG = ("9223372036854775807", "-9223372036854775808", "4294967296", "4294967297")
_HUGE = ("9223372036854775808", "-9223372036854775809", "18446744073709551615", "10000000000000000000000000")
_FLOATS = ("0.0", "-0.0", "1.0", "-1.0", "1.5", "0.5", "1e300", "nan", "-nan", "inf", "-inf", "4.9e-324")
_TEXTS = (
    "", "a", "b", "1", "1.0", "true", "n1", "s1:a", "a;1:b=s1:c", "NULL", "\\N", "É", "E\u0301", "nan", " a",
    "2013-01-01", "a" * 12, "a" * 13, "abcdefgXabcdefgY", "abcdefgYabcdefgX", "a\tb", "{}", "[]",
)  # fmt: skip
_DAYS = ("2013-01-01", "2013-01-02", "1969-12-31", "0001-01-01")
_MOMENTS = ("2013-01-01 00:00:00", "2013-03-10 03:30:00", "2013-03-10 03:30:00.000001", "1969-12-31 23:59:59.999999")

TYPES: tuple[Typed, ...] = (
    _plain("TINYINT", *_SMALL),
    _plain("SMALLINT", *_SMALL, "256"),
    _plain("INTEGER", *_SMALL, "65536", "2147483647", "-2147483648"),
    _plain("BIGINT", *_SMALL, *_LONG),
    _plain("UTINYINT", "0", "1", "255"),
    _plain("UINTEGER", "0", "1", "4294967295"),
    _plain("UBIGINT", "0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"),
    _plain("HUGEINT", *_SMALL, *_LONG, *_HUGE),
    _plain("DECIMAL(4, 1)", *_SMALL, "1.5", "-0.5", "0.5", of=Decimal),
    _plain("DECIMAL(4, 4)", "0", "0.5", "-0.5", "0.05", of=Decimal),
    _plain("DECIMAL(9, 2)", *_SMALL, "1.50", "-0.5", "0.05", "0.01", of=Decimal),
    _plain("DECIMAL(18, 0)", *_SMALL, "4294967296", of=Decimal),
    _plain("DECIMAL(18, 18)", "0", "0.5", "-0.5", "0.000000000000000001", of=Decimal),
    _plain("DECIMAL(19, 2)", *_SMALL, "1.5", "99999999999999999.99", "4294967296", of=Decimal),
    _plain("DECIMAL(38, 0)", *_SMALL, *_LONG, *_HUGE, of=Decimal),
    _plain("DECIMAL(38, 2)", *_SMALL, *_LONG, *_HUGE, "1.5", "-0.5", "9223372036854775807.01", of=Decimal),
    _plain("DECIMAL(38, 20)", "0", "1", "-0.5", "0.00000000000000000001", "0.000000000000000001", of=Decimal),
    _plain("DECIMAL(38, 38)", "0", "0.5", "-0.5", "0.05", "0.00000000000000000000000000000000000001", of=Decimal),
    Typed(sql="FLOAT", values=[(f"'{text}'", float(text)) for text in _FLOATS if text not in {"1e300", "4.9e-324"}]),
    Typed(sql="DOUBLE", values=[(f"'{text}'", float(text)) for text in _FLOATS]),
    Typed(sql="BOOLEAN", values=[("true", True), ("false", False)]),
    _quoted("DATE", *_DAYS, of=date.fromisoformat),
    _quoted("TIMESTAMP", *_DAYS, *_MOMENTS, of=datetime.fromisoformat),
    _quoted("TIMESTAMP_S", *_DAYS, *_MOMENTS[:2], of=datetime.fromisoformat),
    _quoted("TIMESTAMP_MS", *_DAYS, *_MOMENTS[:2], of=datetime.fromisoformat),
    Typed(
        sql="TIMESTAMP_NS",
        values=[
            (f"'{text}'", datetime.fromisoformat(text)) for text in (*_DAYS[:3], *_MOMENTS)
        ] + [("'2013-01-01 00:00:00.000000001'", Nanoseconds(micros=datetime(2013, 1, 1), rest=1))],  # noqa: DTZ001
    ),
    _quoted("TIMESTAMPTZ", *(f"{text}Z" for text in _MOMENTS), "2013-01-01 00:00:00-05:00", of=_moment),
    _quoted("TIME", "00:00:00", "23:59:59.999999", of=time.fromisoformat),
    Typed(
        sql="TIME_NS",
        values=[
            ("'00:00:00'", time(0)), ("'00:00:00.000000001'", Nanoseconds(micros=time(0), rest=1)),
            ("'23:59:59.999999'", time(23, 59, 59, 999999)),
        ],
    ),
    _quoted("VARCHAR", *_TEXTS),
    _quoted("ENUM('a', 'b', '1')", "a", "b", "1"),
    Typed(
        sql="BLOB",
        values=[("''", b""), ("'a'", b"a"), ("'1'", b"1"), ("'\\x00'", b"\0"), ("'\\x00\\x00'", b"\0\0")],
    ),
    _quoted("UUID", "00000000-0000-0000-0000-000000000001", "00000000-0000-0001-0000-000000000000", of=uuid.UUID),
    Typed(sql="INTEGER[]", values=[("[]", []), ("[1]", [1]), ("[1, NULL]", [1, None]), ("[NULL, 1]", [None, 1])]),
    Typed(sql="DECIMAL(9, 2)[]", values=[("[]", []), ("[1]", [1]), ("[1.5]", [Decimal("1.5")])]),
    Typed(sql="DECIMAL(4, 4)[]", values=[("[0]", [0]), ("[0.5]", [Decimal("0.5")]), ("[-0.5]", [Decimal("-0.5")])]),
    Typed(sql="DECIMAL(5, 1)[]", values=[("[0.5]", [Decimal("0.5")]), ("[-0.5]", [Decimal("-0.5")])]),
    Typed(sql="VARCHAR[]", values=[("['1']", ["1"]), ("['a,b']", ["a,b"]), ("['a', 'b']", ["a", "b"]), ("['']", [""])]),
    Typed(sql="INTEGER[][]", values=[("[[1], [2]]", [[1], [2]]), ("[[1, 2]]", [[1, 2]]), ("[NULL]", [None])]),
    Typed(
        sql="STRUCT(x INTEGER, y VARCHAR)",
        values=[
            ("{'x': 1, 'y': 'a'}", Struct(fields=[("x", 1), ("y", "a")])),
            ("{'x': 1, 'y': NULL}", Struct(fields=[("x", 1)])), ("{'x': NULL, 'y': NULL}", Struct(fields=[])),
        ],
    ),
    Typed(
        sql="STRUCT(y VARCHAR, x BIGINT)",
        values=[
            ("{'y': 'a', 'x': 1}", Struct(fields=[("y", "a"), ("x", 1)])),
            ("{'y': NULL, 'x': 1}", Struct(fields=[("x", 1)])),
        ],
    ),
    Typed(sql="STRUCT(x INTEGER)", values=[("{'x': 1}", Struct(fields=[("x", 1)]))]),
    Typed(
        sql="MAP(VARCHAR, INTEGER)",
        values=[
            ("MAP {}", {}), ("MAP {'a': 1, 'b': 2}", {"a": 1, "b": 2}), ("MAP {'b': 2, 'a': 1}", {"a": 1, "b": 2}),
            ("MAP {'a': NULL}", {"a": None}),
        ],
    ),
)  # fmt: skip
