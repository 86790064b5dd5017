"""What the operator hands to the process that runs a driver."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """One driver.

    `java` is the command of a new JVM up to the main class, `submit` spark-submit's options, `program` the Python file
    and its arguments (empty for a Java program, which is then part of `submit`). `properties` is what the options come
    to inside a JVM, for one that runs already; `state` the state directory whose warm JVMs may be used, "" for none.
    `limits` is what it may use, as `sandbox.limits.Limits` has it, None for no limits, or where others see to them.
    """

    java: list[str]
    submit: list[str]
    program: list[str]
    env: dict[str, str]
    cwd: str
    log: str
    properties: dict[str, str]
    state: str
    limits: dict[str, Any] | None = None

    def save(self, path: Path) -> None:
        """Write it where only its owner reads it: the environment has passwords."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(asdict(self), stream)

    @classmethod
    def load(cls, path: Path) -> Request:
        """Read and remove it."""
        fields: dict[str, Any] = json.loads(path.read_text())
        path.unlink()
        return cls(**fields)
