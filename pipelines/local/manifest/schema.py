"""The types and fields that manifests may have: Argo's schema and Spark Operator's CRDs, kept in schema.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "schema.json"


@dataclass(frozen=True, kw_only=True)
class Type:
    """An object type: its fields' types, the required ones, which values some texts may have, whose type it is.

    A field's type is a scalar's name, the name of another type, `[]T` (list) or `{}T` (mapping from text).
    """

    name: str
    fields: Mapping[str, str]
    required: frozenset[str]
    enums: Mapping[str, tuple[str, ...]]
    kubernetes: bool


@cache
def types() -> Mapping[str, Type]:
    """Give every type by name."""
    content = json.loads(FILE.read_text())
    return {
        name: Type(
            name=name,
            fields=each["fields"],
            required=frozenset(each.get("required", ())),
            enums={field: tuple(values) for field, values in each.get("enums", {}).items()},
            kubernetes=each.get("kubernetes", False),
        )
        for name, each in content["types"].items()
    }


@cache
def sources() -> Mapping[str, str]:
    """Give the module versions that the table was read from."""
    content: dict[str, dict[str, str]] = json.loads(FILE.read_text())
    return content["sources"]
