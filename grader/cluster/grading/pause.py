"""A cluster on which nothing runs but what is graded: schedules are paused, and what runs already may end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.cluster.commands import Kubectl
from grader.cluster.grading.live import KINDS
from grader.cluster.workflows import ENDED, NAMESPACE
from pipelines.local.errors import BadInput

PATIENCE = 1800.0
_STEP = 5.0


@contextmanager
def paused(kubectl: Kubectl, say: Callable[[str], None], *, patience: float = PATIENCE) -> Iterator[None]:
    """Pause every CronWorkflow for the time of a `with` block; where that is cut off, Flux puts them back.

    Raises:
        BadInput: a workflow still runs when time is up.
    """
    plural = KINDS["CronWorkflow"]
    active = [
        each["metadata"]["name"]
        for each in kubectl.items(plural, "-n", NAMESPACE)
        if not (each["spec"].get("suspend") or False)
    ]
    try:
        for name in active:
            _suspend(kubectl, plural, name, suspend=True)
        _wait(kubectl, say, patience)
        yield
    finally:
        for name in active:
            _suspend(kubectl, plural, name, suspend=False)


def _wait(kubectl: Kubectl, say: Callable[[str], None], patience: float) -> None:
    deadline = time.monotonic() + patience
    while running := [
        str(each["metadata"]["name"])
        for each in kubectl.items("workflows.argoproj.io", "-n", NAMESPACE)
        if (each.get("status") or {}).get("phase") not in ENDED
    ]:
        if time.monotonic() > deadline:
            raise BadInput(
                f"still runs after {patience:.0f} s: {', '.join(running[:3])}", where=f"namespace {NAMESPACE}",
                remedy=f"let it end, or end it: kubectl -n {NAMESPACE} delete workflow NAME",
            )  # fmt: skip
        say(f"waiting for {', '.join(running[:3])}, which would write beside what is graded")
        time.sleep(_STEP)


def _suspend(kubectl: Kubectl, plural: str, name: str, *, suspend: bool) -> None:
    change = {"spec": {"suspend": True if suspend else None}}
    kubectl("patch", plural, name, "-n", NAMESPACE, "--type=merge", f"--patch={json.dumps(change)}", check=suspend)
