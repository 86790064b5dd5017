"""Values that the language helper gives, and two small functions of Go's that need no helper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Value:
    """The value of an expression.

    `value` is its JSON form (None where it has none), `text` what Go's `%v` prints, which is what Argo puts into a
    parameter, `type` its Go type.
    """

    value: Any
    text: str
    type: str


@dataclass(frozen=True, kw_only=True)
class LoopItem:
    """One item of withItems, withParam or withSequence.

    `suffix` follows the step's name (`(0:val)`), `values` are the tags `item` and `item.<key>`, `json` is its text.
    """

    suffix: str
    values: Mapping[str, str]
    json: str


@dataclass(frozen=True, kw_only=True)
class Tag:
    """What stands between `{{` and `}}`; of an expression, what follows the `=`."""

    text: str
    expression: bool


def quote_json(value: Any) -> str:
    """Write a value as Go's `json.Marshal` does: compact, keys sorted, `<`, `>`, `&` and line separators escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def fnv32a(text: str) -> int:
    """Hash a text as Argo does for node ids (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8", "surrogateescape"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value
