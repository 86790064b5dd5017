"""Keep tables small: one file per partition, and no snapshots older than needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, kw_only=True)
class Maintained:
    """Files that compaction replaced, and snapshots' files that expiry deleted."""

    rewritten_files: int
    deleted_files: int


def compact(spark: SparkSession, table: str, *, least_files: int = 2) -> int:
    """Merge the files of each partition that has at least `least_files`; content stays. Returns files replaced.

    The procedure retries on conflict and commits partition by partition, so it may run beside pipelines.
    """
    catalog, _, name = table.partition(".")
    options = f"'min-input-files', '{least_files}', 'partial-progress.enabled', 'true'"
    row = spark.sql(f"CALL {catalog}.system.rewrite_data_files(table => '{name}', options => map({options}))").first()
    return int(row["rewritten_data_files_count"]) if row else 0


def expire(spark: SparkSession, table: str, *, before: datetime, keep: int = 10) -> int:
    """Forget snapshots older than `before`, but never the last `keep`; returns data and metadata files deleted.

    Branches and tags keep what they refer to.

    Args:
        spark: session with the catalog.
        table: its full name.
        before: an aware instant, in the past.
        keep: snapshots that stay whatever their age.
    """
    catalog, _, name = table.partition(".")
    moment = before.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    row = spark.sql(
        f"CALL {catalog}.system.expire_snapshots(table => '{name}', older_than => TIMESTAMP '{moment}', "
        f"retain_last => {keep})"
    ).first()
    return sum(int(value or 0) for value in row.asDict().values()) if row else 0


def maintain(
    spark: SparkSession, table: str, *, days: int = 7, keep: int = 10, now: datetime | None = None
) -> Maintained:
    """Compact, then expire what is older than `days`.

    The only place that may look at the clock: snapshots are dated by when they were committed.
    """
    rewritten = compact(spark, table)
    moment = (now or datetime.now(timezone.utc)) - timedelta(days=days)
    return Maintained(rewritten_files=rewritten, deleted_files=expire(spark, table, before=moment, keep=keep))
