"""The environments beside `.venv`: notebooks, and the other orchestrator of lab 11."""

from __future__ import annotations

from pathlib import Path

import grader
from pipelines.local.errors import BadInput

CHECKOUT = Path(grader.__file__).parent.parent


def program(environment: str, name: str) -> Path:
    """Find a program of an environment.

    Args:
        environment: `course` or `dagster`.
        name: such as `jupyter`.

    Raises:
        BadInput: it was not made yet.
    """
    path = CHECKOUT / f".venv-{environment}" / "bin" / name
    if not path.is_file():
        raise BadInput(f"{name} is not installed", where=str(path), remedy=f"`make {environment}`")
    return path


def variables(root: Path, before: dict[str, str]) -> dict[str, str]:
    """Give the environment of such a program: it finds this checkout's `batchlab`, and the same state directory.

    Args:
        root: of the state directory.
        before: the environment so far.
    """
    return {**before, "BATCHLAB_HOME": str(root), "BATCHLAB": str(CHECKOUT / ".venv" / "bin" / "batchlab")}
