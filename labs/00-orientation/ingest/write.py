"""Step `write`: make the validated partitions visible, each in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.datatier.branch import branch_name
from pipelines.datatier.catalog import identifier, lake
from pipelines.datatier.job import Arguments, identity, logical_date, run
from pipelines.datatier.lineage import emitting, iceberg_dataset
from pipelines.datatier.publish import publish
from pipelines.ingest.tables import FLIGHTS, WEATHER


def main(argv: Sequence[str]) -> None:
    """Publish weather first: a day of flights that can be seen has its weather."""
    given = Arguments(__doc__).parse_args(argv)
    ds, catalog = logical_date(given), lake()
    with emitting("ingest.write") as lineage:
        for table in (WEATHER, FLIGHTS):
            done = publish(catalog, table, ds, branch_name("ingest", ds), identity(given).snapshot_properties())
            lineage.outputs.append(
                iceberg_dataset(catalog.load_table(identifier(table.name)), table.name, done.snapshot)
            )
            print(f"{table.name} {table.partition_of(ds)}: {done.rows} rows in snapshot {done.snapshot} ({done.how})")


if __name__ == "__main__":
    run(main)
