"""The smallest Spark job: it reads nothing, computes something small, and prints it."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.datatier.errors import BadParameter, JobError
from pipelines.datatier.job import run
from pipelines.datatier.session import spark_session

COUNT = 1000


def main(argv: Sequence[str]) -> None:
    """Add up some numbers on an executor, in two groups so that there is a shuffle; a wrong sum fails the job."""
    if argv:
        raise BadParameter("arguments", f"there are none, found {' '.join(argv)}")
    with spark_session() as spark:
        rows = spark.range(COUNT).selectExpr("id % 2 AS odd", "id").groupBy("odd").sum("id").collect()
        found = sum(row[1] for row in rows)
        if found != COUNT * (COUNT - 1) // 2:
            raise JobError(f"the numbers below {COUNT} add up to {found}")
        print(f"hello from Spark {spark.version}: the numbers below {COUNT} add up to {found}")


if __name__ == "__main__":
    run(main)
