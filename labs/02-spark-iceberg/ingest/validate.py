"""Step `validate`: check what is staged against its expectations and against the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.datatier.audit import audit, read_partition
from pipelines.datatier.branch import branch_name
from pipelines.datatier.catalog import lake
from pipelines.datatier.dates import LogicalDate, whole_number
from pipelines.datatier.expectations import one_of
from pipelines.datatier.job import Arguments, logical_date, run
from pipelines.datatier.postgres import connect
from pipelines.ingest.tables import FLIGHTS, WEATHER, ZONE, flight_expectations, weather_expectations

if TYPE_CHECKING:
    import psycopg

KEYS = """SELECT count(*) FROM (
    SELECT DISTINCT carrier, flight, origin FROM ops.flights
    WHERE flight_date = %s AND recorded_at <= %s AND recorded_at <= coalesce(%s::timestamptz, 'infinity')) AS keys"""
DROPPED = "SELECT count(*) FROM ops.flights WHERE flight_date = %s AND recorded_at > %s"


def source_keys(source: psycopg.Connection, ds: LogicalDate, watermark: datetime, newest: datetime | None) -> int:
    """Count the flights that the source holds up to the watermark.

    Args:
        source: the operational database.
        ds: flight date.
        watermark: what is recorded later does not count.
        newest: the latest `recorded_at` that was staged; what came after the extract is not its fault.
    """
    row = source.execute(KEYS, (ds.day, watermark, newest)).fetchone()
    return int(row[0]) if row else 0


def main(argv: Sequence[str]) -> None:
    """Read the parameters, then check both tables."""
    parser = Arguments(__doc__)
    parser.add_argument("--allowed-lateness", default="30", help="days after the flight date during which rows count")
    parser.add_argument("--min-rows", default="0", help="fewest flights a day may have")
    parser.add_argument("--max-rows", default="1000000", help="most flights a day may have")
    given = parser.parse_args(argv)
    ds = logical_date(given)
    watermark = ds.watermark(allowed_lateness=whole_number(given.allowed_lateness, "allowed-lateness"), zone=ZONE)
    least, most = whole_number(given.min_rows, "min-rows"), whole_number(given.max_rows, "max-rows")
    branch, catalog = branch_name("ingest", ds), lake()
    staged = read_partition(catalog, FLIGHTS, ds, branch=branch)
    newest = max(staged["recorded_at"].to_pylist(), default=None)
    with connect() as source:
        keys = source_keys(source, ds, watermark, newest)
        dropped = source.execute(DROPPED, (ds.day, watermark)).fetchone()
        carriers = [code for (code,) in source.execute("SELECT carrier FROM ops.airlines ORDER BY 1")]
    print(f"{dropped[0] if dropped else 0} rows recorded after {watermark.isoformat()} are left out")
    expectations = flight_expectations(least=least, most=most, source_keys=keys)
    audit(catalog, FLIGHTS, ds, branch, [*expectations, one_of("carrier", carriers)])
    audit(catalog, WEATHER, ds, branch, weather_expectations())


if __name__ == "__main__":
    run(main)
