"""Step `build`: run `dbt build` for one day, models and tests, on the marts' audit branch.

dbt runs in this process, in the step's own Spark session: what the manifest configures (lineage, snapshot properties)
holds for dbt's commits too. What dbt writes is under the working directory, never beside the project.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.datatier.branch import branch_name, on_branch, restart
from pipelines.datatier.errors import JobError
from pipelines.datatier.job import Arguments, logical_date, run
from pipelines.datatier.session import spark_session
from pipelines.transform.tables import MARTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.datatier.dates import LogicalDate

PROJECT = Path(__file__).parent / "dbt"


def dbt_arguments(ds: LogicalDate, work: Path) -> list[str]:
    """Return the command line of dbt: reads the project, writes below `work` only."""
    return [
        "--no-use-colors",
        "--no-send-anonymous-usage-stats",
        "--no-version-check",
        "--log-level-file=none",
        "--no-partial-parse",  # every day has other vars, which makes any cache of the last run void
        "build",
        f"--project-dir={PROJECT}",
        f"--profiles-dir={PROJECT}",
        f"--target-path={work / 'target'}",
        f"--log-path={work / 'logs'}",
        f"--vars={json.dumps({'ds': str(ds)})}",
    ]


def build(spark: SparkSession, ds: LogicalDate, work: Path) -> None:
    """Build and test the marts' partitions of `ds` on their audit branch.

    Raises:
        JobError: a model or a test failed; its failing rows are in `lake.audit.dbt_failures`.
    """
    from dbt.cli.main import dbtRunner

    branch = branch_name("build", ds)
    for mart in MARTS:
        mart.create(spark)
        restart(spark, mart, branch)
    with on_branch(spark, branch):
        outcome = dbtRunner().invoke(dbt_arguments(ds, work))
    if outcome.exception is not None:
        raise JobError(f"dbt could not run: {outcome.exception}")
    if not outcome.success:
        failed = [f"{node.node.name} ({node.status})" for node in outcome.result if node.status in {"fail", "error"}]
        raise JobError(f"dbt build of {ds} failed, nothing is published: {', '.join(failed)}")


def main(argv: Sequence[str]) -> None:
    """Read the parameters, then build."""
    ds = logical_date(Arguments(__doc__).parse_args(argv))
    with spark_session() as spark:
        spark.sql("USE lake")
        build(spark, ds, Path.cwd())


if __name__ == "__main__":
    run(main)
