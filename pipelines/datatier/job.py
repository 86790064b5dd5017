"""The frame of every job: its arguments, its identity, and how its failures become exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from pipelines.datatier.dates import LogicalDate
from pipelines.datatier.errors import BadParameter, JobError


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which step of which run this is; goes into every Iceberg commit.

    Args:
        workflow: the Argo workflow's name.
        node: the node's name.
        ds: logical date.
        code: the image that holds the code.
    """

    workflow: str
    node: str
    ds: str
    code: str

    def snapshot_properties(self) -> dict[str, str]:
        """Return the summary entries that every commit carries."""
        return {f"batchlab.{name}": getattr(self, name) for name in ("workflow", "node", "ds", "code")}


class Arguments(argparse.ArgumentParser):
    """A parser whose complaints are `BadParameter`s, with the arguments that all jobs share."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description)
        self.add_argument("--ds", required=True, help="logical date, YYYY-MM-DD")
        self.add_argument("--first-day", default="0001-01-01", help="first logical date of the data")
        self.add_argument("--last-day", default="9999-12-31", help="last logical date of the data")
        self.add_argument("--workflow", default="local", help="name of the workflow")
        self.add_argument("--node", default="local", help="name of the workflow's node")
        self.add_argument("--code", default="local", help="image that holds this code")

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a usage text and exiting."""
        raise BadParameter("arguments", message)


def logical_date(given: argparse.Namespace) -> LogicalDate:
    """Read `--ds` and check it against the data's first and last day.

    Raises:
        BadParameter: no date, or outside the data.
    """
    return LogicalDate.parse(
        given.ds,
        first=LogicalDate.parse(given.first_day, name="first-day").day,
        last=LogicalDate.parse(given.last_day, name="last-day").day,
    )


def identity(given: argparse.Namespace) -> Identity:
    """Collect who is running from the shared arguments."""
    return Identity(workflow=given.workflow, node=given.node, ds=given.ds, code=given.code)


def run(main: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None) -> NoReturn:
    """Run a job and end the process: 0 done, 1 failed (one line says why), 2 bad parameter.

    What is not a `JobError` keeps its traceback: it is a bug, or an outage whose details matter.
    """
    try:
        main(sys.argv[1:] if argv is None else argv)
    except JobError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(error.exit_code)
    sys.exit(0)


def required(environment: Mapping[str, str], name: str) -> str:
    """Read an environment variable that the manifest must set.

    Raises:
        BadParameter: it is missing or empty.
    """
    value = environment.get(name, "")
    if not value:
        raise BadParameter(name, "is not set; the manifest sets it from ConfigMap lake or Secret lake-credentials")
    return value
