"""Step `audit`: compare the built marts with the flights they count, then make them visible."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.datatier.audit import audit, read_partition
from pipelines.datatier.branch import branch_name
from pipelines.datatier.catalog import identifier, lake
from pipelines.datatier.expectations import Expectation, not_null, unique
from pipelines.datatier.job import Arguments, identity, logical_date, run
from pipelines.datatier.lineage import emitting, iceberg_dataset
from pipelines.datatier.publish import publish, staged_branch
from pipelines.transform.tables import CURATED, MARTS

PARTS = ("completed", "cancelled", "diverted")


def total(column: str, expected: int) -> Expectation:
    """The column's sum over the day is what the curated flights say."""
    return Expectation(
        name=f"{column} sums to {expected}",
        query=f"SELECT s FROM (SELECT coalesce(sum({column}), 0) AS s FROM {{relation}}) AS summed "
        f"WHERE s <> {expected}",
    )


def main(argv: Sequence[str]) -> None:
    """Check both marts, then publish both: a mart that fails keeps the other back too."""
    given = Arguments(__doc__).parse_args(argv)
    ds, catalog = logical_date(given), lake()
    branch, properties = branch_name("build", ds), identity(given).snapshot_properties()
    statuses = read_partition(catalog, CURATED, ds)["status"].to_pylist()
    totals = [total(f"{part}_flights", statuses.count(part)) for part in PARTS]
    for mart in MARTS:
        staged = staged_branch(catalog, mart, ds, branch, properties)
        audit(catalog, mart, ds, staged, [*not_null(*mart.key), unique(*mart.key), *totals])
    with emitting("transform.audit") as lineage:
        for mart in MARTS:
            done = publish(catalog, mart, ds, branch, properties)
            lineage.outputs.append(iceberg_dataset(catalog.load_table(identifier(mart.name)), mart.name, done.snapshot))
            print(f"{mart.name} {mart.partition_of(ds)}: {done.rows} rows in snapshot {done.snapshot} ({done.how})")


if __name__ == "__main__":
    run(main)
