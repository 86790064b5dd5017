"""What grading one submission may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.local.sandbox.limits import Limits as StepLimits

_MIB, _GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What grading one submission may use. Sizes in bytes.

    Args:
        seconds: from start to end.
        memory: of all processes together: the platform's servers, the grader, the steps.
        processes: and threads, at one time.
        disk: of the grader's own files: database, run store, logs. They are kept in memory.
        tables: of the tables' files, which steps write.
        submission: of the submission's folder.
        result: of the verdict.
        log: kept of what the grader prints.
        step: what each step and each driver may use.
    """

    seconds: float = 3600
    memory: int = 8 * _GIB
    processes: int = 8192
    disk: int = 2 * _GIB
    tables: int = 2 * _GIB
    submission: int = 256 * _MIB
    result: int = 16 * _MIB
    log: int = 256 << 10
    step: StepLimits = field(default_factory=StepLimits)
