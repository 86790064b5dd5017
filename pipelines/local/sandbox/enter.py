"""Run one program in a stranger's room: `python -m pipelines.local.sandbox.enter ROOM PROGRAM ARG…`.

For servers that handle what strangers tell them. `ROOM` is JSON, made by `Isolation.command`. Standard input, output
and error are the caller's; the program ends when this process does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from pipelines.local.sandbox import strict
from pipelines.local.sandbox.starting import CannotStartError, code_of, start


def main(room: str, argv: list[str]) -> int:
    """Become the door of the room; returns the program's exit code."""
    spec: dict[str, Any] = {**json.loads(room), "argv": argv, "env": dict(os.environ)}
    try:
        strict.isolate()
        strict.furnish(spec)
        child = start(spec, (1, 2))
    except (OSError, CannotStartError) as error:
        print(f"the room cannot be made: {error}", file=sys.stderr)
        return 126
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    while True:
        try:
            return code_of(os.waitpid(child, 0)[1])
        except InterruptedError:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
