"""Tolerant readers: a report may be partial, and what workflows put into it is untrusted text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

_BIDI = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
# Lone surrogates cannot be written as UTF-8; controls and direction overrides could make a page lie.
_UNSAFE = dict.fromkeys((*_CONTROLS, *_BIDI, *range(0xD800, 0xE000)), "\N{REPLACEMENT CHARACTER}") | {0x0D: None}


def mapping(value: Any) -> Mapping[str, Any]:
    """Give the mapping, or an empty one where it is anything else."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Give the list, or an empty one where it is anything else."""
    return value if isinstance(value, (list, tuple)) else ()


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Give the mappings of a list, leaving out what is none."""
    return [entry for entry in sequence(value) if isinstance(entry, Mapping)]


def text(value: Any, default: str = "") -> str:
    """Give printable text: strings cleaned, structures as JSON, None as the default."""
    if value is None:
        return default
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Mapping, list, tuple)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return str(value).translate(_UNSAFE)


def number(value: Any) -> float | None:
    """Give a finite number, or None."""
    if isinstance(value, bool):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if abs(result) < float("inf") else None


def moment(value: Any) -> datetime | None:
    """Give a point in time with a zone (UTC where none is written), or None."""
    if not isinstance(value, str) or not value:
        return None
    try:
        result = datetime.fromisoformat(value)
    except ValueError:
        return None
    return result if result.tzinfo else result.replace(tzinfo=timezone.utc)


def seconds_between(start: Any, end: Any) -> float | None:
    """Give the seconds from one time to another, never negative; None where either is missing."""
    first, last = moment(start), moment(end)
    return max(0.0, (last - first).total_seconds()) if first and last else None
