"""How a submission's steps are kept in bounds: limits in practice, a box of strangers' code in autograding."""

from __future__ import annotations

from grader.autograde import isolation
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.sandbox.limits import Limits


def isolation_here() -> Isolation:
    """Give the isolation of the box that this process is in; outside of one, limits only."""
    return isolation() or Isolation(limits=Limits())
