"""Waiting for what a cluster does, by looking at it."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(what: str, seen: Callable[[], bool], patience: float = 300.0) -> None:
    """Look once a second until something is so; `what` says what was not."""
    deadline = time.monotonic() + patience
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(1)
