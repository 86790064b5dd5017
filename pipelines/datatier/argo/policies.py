"""When to run, and when to run again."""

from __future__ import annotations

from dataclasses import dataclass

from hera.workflows import RetryStrategy
from hera.workflows.models import Backoff as ArgoBackoff

# Exit codes of `pipelines.datatier.errors` that no retry mends: a bad parameter, data that fails its expectations
FINAL = ("2", "3")


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Retries with exponentially growing waits: `duration · factor^(n-1)`, at most `cap`.

    Args:
        limit: retries after the first attempt. Without a limit Argo ignores the rest.
        duration: first wait.
        factor: a whole number.
        cap: longest wait.
        final: exit codes that are not retried; a resource step has no exit code of its own and is retried always.
    """

    limit: int = 3
    duration: str = "5s"
    factor: int = 2
    cap: str = "1m"
    final: tuple[str, ...] = FINAL

    def strategy(self) -> RetryStrategy:
        """Return Argo's form of it: failed containers and errors of the cluster (lost pods) are retried."""
        codes = ", ".join(f"`{code}`" for code in self.final)
        return RetryStrategy(
            limit=self.limit,
            retry_policy="Always",
            expression=f"!(lastRetry.exitCode in [{codes}])" if codes else None,
            backoff=ArgoBackoff(duration=self.duration, factor=self.factor, cap=self.cap),
        )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a CronWorkflow runs.

    Args:
        cron: five fields. Keep away from 01:00 to 02:59 in a zone with daylight saving: one day a year has that hour
            twice, and one has it not.
        timezone: whose clock the fields are read by.
        concurrency: `Forbid`, `Replace` (terminates the running one) or `Allow`.
        starting_deadline: seconds for which a missed start is caught up.
    """

    cron: str
    timezone: str = "America/New_York"
    concurrency: str = "Forbid"
    starting_deadline: int = 3600

    def logical_date(self) -> str:
        """Return the expression of the day before the scheduled one, on the schedule's clock, `yearShift` years off."""
        return (
            f"{{{{= date(workflow.scheduledTime).In(timezone(`{self.timezone}`))"
            ".AddDate(int(workflow.parameters.yearShift), 0, -1).Format(`2006-01-02`) }}"
        )
