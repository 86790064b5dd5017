"""One text per row that says its content and nothing else, as DuckDB SQL.

The text of a value starts with its kind, so that the number 1, the text "1" and true differ, while types that only
differ in width or scale agree: `smallint 1`, `bigint 1` and `decimal(9,2) 1.00` are all `n1`. A column that is NULL is
left out, so a row from before the column existed equals a row that says NULL. Texts and bytes carry their length, so no
value can imitate a separator. Timestamps with a zone are microseconds since the epoch in UTC; every NaN is one NaN, and
-0.0 is 0.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

VERSION = 1
"""Version of this format: fingerprints of different versions are never compared."""

_INTEGERS = {
    "tinyint", "smallint", "integer", "bigint", "hugeint",
    "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
}  # fmt: skip
_INSTANTS = {
    "timestamp": "t", "timestamp_s": "t", "timestamp_ms": "t", "timestamp_ns": "t", "timestamp_us": "t",
    "timestamp with time zone": "z", "timestamp_tz": "z", "timestamptz": "z",
}  # fmt: skip


def identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def row_text(columns: Sequence[tuple[str, Any]]) -> str:
    """Build the SQL expression that gives a row's text.

    Args:
        columns: name and DuckDB type of each column, in any order.
    """
    parts = [_field(name, identifier(name), kind) for name, kind in sorted(columns, key=lambda column: column[0])]
    return f"concat({', '.join(parts)})" if parts else "''"


def row_hash(columns: Sequence[tuple[str, Any]]) -> str:
    """Build the SQL expression of a row's 128-bit hash (UHUGEINT)."""
    return f"md5_number({row_text(columns)})"


def value_text(value: str, kind: Any, depth: int = 0) -> str:
    """Build the SQL expression of one value's text; NULL stays NULL.

    Args:
        value: SQL expression of the value.
        kind: its DuckDB type.
        depth: how many lambdas surround it, so that their arguments get names of their own.
    """
    name = kind.id.lower()
    if name in _INTEGERS:
        return f"'n' || {value}"
    if name == "decimal":
        return f"'n' || {_scale_free(value, kind)}"
    if name in {"float", "double"}:
        return f"'f' || CASE WHEN isnan({value}) THEN 'nan' ELSE CAST(CAST({value} AS DOUBLE) + 0.0 AS VARCHAR) END"
    if name == "boolean":
        return f"'b' || {value}"
    if name == "date":
        return f"'d' || {value}"
    if name in _INSTANTS:
        return f"'{_INSTANTS[name]}' || {_micros(value, name)}"
    if name == "time":
        return f"'h' || epoch_us({value})"
    if name == "uuid":
        return f"'u' || {value}"
    if name == "blob":
        return f"'x' || octet_length({value}) || ':' || hex({value})"
    if name in {"list", "array"}:
        return _sequence(value, dict(kind.children)["child"], depth)
    if name == "struct":
        fields = [
            _field(field, f"struct_extract({value}, {literal(field)})", of, depth)
            for field, of in sorted(kind.children)
        ]
        return f"CASE WHEN {value} IS NOT NULL THEN concat('{{', {', '.join(fields)}, '}}') END"
    if name == "map":
        return _mapping(value, kind, depth)
    text = value if name in {"varchar", "enum"} else f"CAST({value} AS VARCHAR)"
    return f"'s' || strlen({text}) || ':' || {text}"


def _field(name: str, value: str, kind: Any, depth: int = 0) -> str:
    """Name and value; NULL (which `concat` skips) where the value is NULL."""
    return f"{literal(f'{len(name)}:{name}=')} || {value_text(value, kind, depth)} || ';'"


def _scale_free(value: str, kind: Any) -> str:
    """`1.50`, `1.5` and `1.500` are one value, and so are `2.00` and `2`."""
    scale = dict(kind.children)["scale"]
    text = f"CAST({value} AS VARCHAR)"
    return f"rtrim(rtrim({text}, '0'), '.')" if scale else text


def _micros(value: str, name: str) -> str:
    """Microseconds since the epoch; infinities by name; nanoseconds only where they are not zero."""
    if name == "timestamp_ns":
        rest = f"'.' || nullif(epoch_ns({value}) % 1000, 0)"
        return f"concat({_micros(f'CAST({value} AS TIMESTAMP)', 'timestamp')}, {rest})"
    return f"CASE WHEN isfinite({value}) THEN CAST(epoch_us({value}) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"


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
