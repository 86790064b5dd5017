"""JSON and numbers as Go writes them, because Argo's templating works on that text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", chr(0x2028): "\\u2028", chr(0x2029): "\\u2029"})
_PARAMETER_FIELDS = ("name", "default", "value", "valueFrom", "globalName", "enum", "description")
_ANY_STRINGS = ("value", "default", "description")


def compact(value: Any) -> str:
    """Write JSON without spaces; non-ASCII text stays as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def marshal(value: Any) -> str:
    """Write JSON exactly as Go's `json.Marshal` does for strings, lists and maps (keys sorted, HTML escaped)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_HTML)


def marshal_parameters(parameters: list[dict[str, Any]]) -> str:
    """Write a list of parameters with the fields in the order of Argo's struct; an absent list is `null`."""
    if not parameters:
        return "null"
    ordered = [{key: p[key] for key in _PARAMETER_FIELDS if key in p} for p in parameters]
    return compact(ordered).translate(_HTML)


def any_string(value: Any) -> str:
    """Turn a YAML scalar into the text that Argo's `AnyString` makes of it (numbers pass through a 64-bit float)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_float(float(value))
    return value if isinstance(value, str) else ""


def format_float(number: float) -> str:
    """Write a float as Go's `FormatFloat(x, 'f', -1, 64)`: shortest digits, never an exponent."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sprint_float(number: float) -> str:
    """Write a float as Go's `fmt.Sprint` (`%v`): shortest digits, an exponent from 1e21."""
    if number and not 1e-4 <= abs(number) < 1e21:
        mantissa, _, exponent = repr(number).partition("e")
        if exponent:
            mantissa = mantissa.removesuffix(".0")
            return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
    return format_float(number)


def normalize(value: Any) -> Any:
    """Bring a manifest into the form that Go's structs would give it.

    Parameter values become texts, nulls vanish, whole floats become integers. Items of `withItems` keep their types.
    """
    if isinstance(value, Mapping):
        return {key: _field(key, item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [normalize(item) for item in value]
    return value


def _field(key: str, value: Any) -> Any:
    if key == "withItems":
        return value
    if key == "parameters" and isinstance(value, list):
        return [_parameter(item) if isinstance(item, Mapping) else item for item in value]
    return normalize(value)


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    fixed: dict[str, Any] = {key: normalize(item) for key, item in parameter.items() if item is not None}
    for key in _ANY_STRINGS:
        if key in fixed:
            fixed[key] = any_string(fixed[key])
    if isinstance(fixed.get("enum"), list):
        fixed["enum"] = [any_string(item) for item in fixed["enum"]]
    source = fixed.get("valueFrom")
    if isinstance(source, dict) and "default" in source:
        source["default"] = any_string(source["default"])
    return fixed


def squeeze(text: str) -> str:
    """Drop white space outside strings and escape HTML, as Go does with JSON that it passes through."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    return "".join(p if p.startswith('"') else re.sub(r"[ \t\n\r]+", "", p) for p in parts).translate(_HTML)


def remarshal(text: str) -> str:
    """Read JSON into Go's generic values and write it again: numbers become floats, keys are sorted."""
    return _write(json.loads(text, parse_int=float))


def _write(value: Any) -> str:
    if isinstance(value, float):
        return sprint_float(value) if abs(value) >= 1e-6 or not value else repr(value).replace("e-0", "e-")
    if isinstance(value, list):
        return f"[{','.join(_write(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{marshal(key)}:{_write(value[key])}" for key in sorted(value)) + "}"
    return marshal(value)
