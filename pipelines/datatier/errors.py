"""What a job can fail of, and the exit code that its step reports."""

from __future__ import annotations


class JobError(Exception):
    """A job cannot do its work; its message is for a person. Exit code 1: a retry may help."""

    exit_code = 1


class BadParameter(JobError):  # noqa: N818 - named for what it tells
    """A parameter that no retry will mend. Exit code 2.

    Args:
        name: the parameter as the user gave it, such as `ds`.
        what: what is wrong with it.
    """

    exit_code = 2

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        self.what = what
        super().__init__(f"{name}: {what}")


class ExpectationFailed(JobError):  # noqa: N818
    """Staged data does not meet its expectations; nothing became visible. Exit code 3: no retry mends data.

    Args:
        table: the table whose audit branch was checked.
        branch: the branch that keeps the rows for inspection.
        failures: one sentence per failed expectation.
    """

    exit_code = 3

    def __init__(self, table: str, branch: str, failures: list[str]) -> None:
        self.table = table
        self.branch = branch
        self.failures = failures
        listed = "; ".join(failures)
        super().__init__(f"{table} (branch {branch}, not published): {listed}")


class Superseded(JobError):  # noqa: N818
    """Another run replaced the same partition after this one had staged its own. Exit code 3: stage it again.

    Args:
        table: the table.
        partition: the partition that both wrote, such as `flight_date=2013-03-09`.
    """

    exit_code = 3

    def __init__(self, table: str, partition: str) -> None:
        self.table = table
        self.partition = partition
        super().__init__(f"{table} {partition} was replaced by another run since it was staged here; run again")
