"""One text per value that says its content and nothing else, as DuckDB SQL.

The text starts with the value's kind, so that the number 1, the text "1" and true differ, while types that only differ
in width or scale agree: `smallint 1`, `bigint 1` and `decimal(9,2) 1.00` are all `n1`. Inside lists, structs and maps a
field that is NULL is left out. Texts and bytes carry their length, so no value can imitate a separator. Timestamps with
a zone are microseconds since the epoch in UTC; every NaN is one NaN, and -0.0 is 0.0.

Only nested values are hashed by this text; the others, which are nearly all, go the faster way of `words`, which draws
the same distinctions.
"""

from __future__ import annotations

from typing import Any

from pipelines.local.errors import BadInput

VERSION = 2
"""Version of this format: fingerprints of different versions are never compared."""

NARROW_INTEGERS = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"}
"""Integers that fit 64 bits with a sign."""

WIDE_INTEGERS = {"ubigint", "hugeint", "uhugeint"}
FLOATS = {"float", "double"}
INSTANTS = {
    "timestamp": "t", "timestamp_s": "t", "timestamp_ms": "t", "timestamp_ns": "t", "timestamp_us": "t",
    "timestamp with time zone": "z", "timestamp_tz": "z", "timestamptz": "z", "timestamptz_ns": "z",
}  # fmt: skip
"""Kind of each type of timestamp: `t` says a wall time, `z` a moment."""

TEXTS = {
    "varchar": "s", "char": "s", "enum": "s", "json": "s", "uuid": "u", "interval": "i", "bit": "o",
    "time with time zone": "y", "timetz": "y",
}  # fmt: skip
"""Kind of each type whose value is told exactly by its text."""

NESTED = {"list": "[", "array": "[", "struct": "{", "map": "<"}


def identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def value_text(value: str, kind: Any, depth: int = 0) -> str:
    """Build the SQL expression of one value's text; NULL stays NULL.

    Args:
        value: SQL expression of the value.
        kind: its DuckDB type.
        depth: how many lambdas surround it, so that their arguments get names of their own.
    """
    name = kind.id.lower()
    if name in NARROW_INTEGERS | WIDE_INTEGERS:
        return f"'n' || {value}"
    if name == "decimal":
        return f"'n' || {scale_free(value, kind)}"
    if name in FLOATS:
        return f"'f' || CASE WHEN isnan({value}) THEN 'nan' ELSE CAST(CAST({value} AS DOUBLE) + 0.0 AS VARCHAR) END"
    if name == "boolean":
        return f"'b' || {value}"
    if name == "date":
        return f"'d' || {value}"
    if name in INSTANTS:
        return f"'{INSTANTS[name]}' || {_micros(value, name)}"
    if name in {"time", "time_ns"}:
        return f"'h' || {_nanoseconds(f'epoch_us({value})', value, name)}"
    if name == "blob":
        return f"'x' || octet_length({value}) || ':' || hex({value})"
    if name in TEXTS:
        text = value if name == "varchar" else f"CAST({value} AS VARCHAR)"
        return f"'{TEXTS[name]}' || strlen({text}) || ':' || {text}"
    if name in NESTED:
        return _nested(value, kind, depth)
    if name == "null":
        return "CAST(NULL AS VARCHAR)"
    raise unknown(kind)


def unknown(kind: Any) -> BadInput:
    """Make the error for a type of which nothing here can tell when two values are the same."""
    return BadInput(
        f"columns of type {kind} have no fingerprint",
        where="fingerprint",
        remedy="leave the column out, or cast it to a type that has: numbers, text, dates, times, lists, structs, maps",
    )


def scale_free(value: str, kind: Any) -> str:
    """Build the text of a decimal: `1.50`, `1.5` and `1.500` are one value, and so are `2.00` and `2`."""
    precision, scale = dict(kind.children)["precision"], dict(kind.children)["scale"]
    text = f"CAST({value} AS VARCHAR)"
    if precision == scale:
        text = f"replace({text}, '.', '0.')"  # DuckDB leaves out the zero where there is no room for another digit
    return f"rtrim(rtrim({text}, '0'), '.')" if scale else text


def _nested(value: str, kind: Any, depth: int) -> str:
    name = kind.id.lower()
    if name == "struct":
        fields = [
            _field(field, f"struct_extract({value}, {literal(field)})", of, depth)
            for field, of in sorted(kind.children)
        ]
        return f"CASE WHEN {value} IS NOT NULL THEN concat('{{', {', '.join(fields)}, '}}') END"
    if name == "map":
        return _mapping(value, kind, depth)
    return _sequence(value, dict(kind.children)["child"], depth)


def _field(name: str, value: str, kind: Any, depth: int = 0) -> str:
    """Name and value; NULL (which `concat` skips) where the value is NULL."""
    return f"{literal(f'{len(name)}:{name}=')} || {value_text(value, kind, depth)} || ';'"


def _micros(value: str, name: str) -> str:
    """Microseconds since the epoch; infinities by name; nanoseconds only where they are not zero."""
    moment = "TIMESTAMPTZ" if INSTANTS[name] == "z" else "TIMESTAMP"
    instant = f"CAST({value} AS {moment})" if name.endswith("_ns") else value
    finite = f"CAST(epoch_us({instant}) AS VARCHAR)"
    micros = f"CASE WHEN isfinite({instant}) THEN {finite} ELSE CAST({instant} AS VARCHAR) END"
    return _nanoseconds(micros, value, name)


def _nanoseconds(micros: str, value: str, name: str) -> str:
    if not name.endswith("_ns"):
        return micros
    return f"({micros}) || coalesce('.' || nullif(epoch_ns({value}) % 1000, 0), '')"


def _sequence(value: str, kind: Any, depth: int) -> str:
    item = f"v{depth}"
    inner = f"coalesce({value_text(item, kind, depth + 1)}, 'N')"
    body = f"array_to_string(list_transform({value}, lambda {item}: {inner} || ','), '')"
    return f"'[' || len({value}) || ':' || {body} || ']'"


def _mapping(value: str, kind: Any, depth: int) -> str:
    """Entries in the order of their texts: a map has none of its own."""
    item = f"v{depth}"
    children = dict(kind.children)
    key = value_text(f"struct_extract({item}, 'key')", children["key"], depth + 1)
    found = value_text(f"struct_extract({item}, 'value')", children["value"], depth + 1)
    entry = f"coalesce({found}, 'N')"
    entries = f"list_sort(list_transform(map_entries({value}), lambda {item}: {key} || '>' || {entry} || ','))"
    return f"'<' || cardinality({value}) || ':' || array_to_string({entries}, '') || '>'"
