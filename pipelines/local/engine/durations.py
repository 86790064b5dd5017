"""Durations as Go parses them, and as Argo shows them to people."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
_SIZES = ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def parse_go(text: str) -> float:
    """Parse a Go duration such as `1h30m`; seconds.

    Raises:
        ValueError: with the text that Go gives.
    """
    quoted = f'time: invalid duration "{text}"'
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0.0
    if not body:
        raise ValueError(quoted)
    total, position = 0.0, 0
    while position < len(body):
        match = _PART.match(body, position)
        if not match:
            raise ValueError(quoted)
        number, unit = match.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _UNITS[unit]
        position = match.end()
    return -total if text.startswith("-") else total


def parse(text: str) -> float:
    """Parse Argo's durations: a bare integer is seconds, anything else is a Go duration.

    Raises:
        ValueError: with the text that Argo gives.
    """
    if re.fullmatch(r"[+-]?\d+", text):
        return float(int(text))
    try:
        return parse_go(text)
    except ValueError as error:
        raise ValueError(f"unable to parse {text} as a duration: {error}") from error


def humanize(seconds: float) -> str:
    """Show a duration with up to two units, as in `Backoff for 1 minute 30 seconds`."""
    if seconds < 60:
        return _single(seconds)
    if seconds < 3600:
        return f"{_single(seconds)} {int(seconds % 60)} seconds"
    if seconds < 86400:
        return f"{_single(seconds)} {int(seconds / 60 % 60)} minutes"
    return f"{_single(seconds)} {int(seconds / 3600 % 24)} hours"


def _single(seconds: float) -> str:
    if seconds < 1:
        return "0 seconds"
    for size, unit in _SIZES:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "0 seconds"
