"""One command at a time changes a state directory's servers."""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.local.errors import BadInput


@contextmanager
def exclusive(path: Path, *, patience: float = 300.0) -> Iterator[None]:
    """Hold the lock on a file; the OS lets go of it when the holder dies.

    Raises:
        BadInput: another command holds it for longer than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    with path.open("a") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES}:
                    raise
                if time.monotonic() > deadline:
                    raise BadInput(
                        "another command is still starting or stopping the platform",
                        where=str(path),
                        remedy="wait for it to end",
                    ) from error
            time.sleep(0.05)
        yield
