"""Manifests as Go's structs would hold them: no nulls, and texts where numbers may be written for texts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelines.local.manifest.schema import types


def normal(value: Any, type_name: str) -> Any:
    """Give a value of a type without nulls, with parameter values as texts."""
    if type_name == "AnyString":
        return any_string(value)
    if type_name.startswith("[]") and isinstance(value, list):
        return [_element(each, type_name[2:]) for each in value]
    if not isinstance(value, Mapping):
        return value
    if type_name.startswith("{}"):
        return {key: _element(each, type_name[2:]) for key, each in value.items()}
    fields = types()[type_name].fields if type_name in types() else {}
    return {key: normal(each, fields.get(key, "any")) for key, each in value.items() if each is not None}


def _element(value: Any, type_name: str) -> Any:
    """Give an element of a list or mapping; null is the empty value of its type there."""
    if value is not None:
        return normal(value, type_name)
    if type_name.startswith("[]"):
        return []
    if type_name in ("string", "AnyString"):
        return ""
    return {} if type_name.startswith("{}") or type_name in types() else None


def any_string(value: Any) -> str:
    """Give the text that Argo makes of a value: numbers without exponent, `true`, and nothing for what is no scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(Decimal(repr(float(value) if isinstance(value, float) else value)), "f")
    return value if isinstance(value, str) else ""
