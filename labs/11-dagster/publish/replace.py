"""Step `replace`: put the day of every mart in place of what `reporting` holds of it, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.datatier.catalog import lake
from pipelines.datatier.errors import JobError
from pipelines.datatier.job import Arguments, logical_date, run
from pipelines.datatier.lineage import Dataset, emitting, iceberg_dataset, postgres_dataset
from pipelines.datatier.postgres import connect
from pipelines.publish.publication import PARTITION, TABLES, Publication, Rows, fingerprint, read_mart, sorted_by

if TYPE_CHECKING:
    import psycopg
    from pyiceberg.schema import Schema

    from pipelines.datatier.dates import LogicalDate

LOCK = "SELECT pg_advisory_xact_lock(hashtext('reporting'))"


def column_type(kind: Any) -> str:
    """Translate an Iceberg type to PostgreSQL's.

    Raises:
        JobError: a mart has a column of a type that is not published.
    """
    from pyiceberg.types import DecimalType

    if isinstance(kind, DecimalType):
        return f"numeric({kind.precision},{kind.scale})"
    names = {"date": "date", "string": "text", "long": "bigint", "int": "integer", "boolean": "boolean"}
    if str(kind) not in names:
        raise JobError(f"columns of type {kind} cannot be published")
    return names[str(kind)]


def create(target: psycopg.Connection, table: str, schema: Schema, key: Sequence[str]) -> None:
    """Create the table where it is missing, with the mart's columns and key."""
    columns = ", ".join(f"{field.name} {column_type(field.field_type)}" for field in schema.fields)
    target.execute(f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}")
    target.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({', '.join(key)}))")


def replace(target: psycopg.Connection, table: str, ds: LogicalDate, columns: Sequence[str], rows: Rows) -> Rows:
    """Delete the day, insert the rows, and return what the table now holds of the day."""
    listed = ", ".join(columns)
    target.execute(f"DELETE FROM {table} WHERE {PARTITION} = %s", (ds.day,))
    with target.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row(row)
    return list(target.execute(f"SELECT {listed} FROM {table} WHERE {PARTITION} = %s", (ds.day,)))


def publish(publication: Publication, ds: LogicalDate) -> tuple[list[Dataset], list[Dataset]]:
    """Replace the day in all tables, or in none.

    Returns:
        Datasets read and datasets written.

    Raises:
        JobError: what the database holds afterwards is not what was pinned; nothing is changed.
    """
    catalog = lake()
    inputs: list[Dataset] = []
    outputs: list[Dataset] = []
    held: dict[str, Rows] = {}
    with connect() as target:
        target.execute(LOCK)  # parallel backfills: CREATE … IF NOT EXISTS of two transactions can collide
        for mart, table in TABLES.items():
            source, rows, snapshot = read_mart(catalog, mart, ds, publication.snapshots[mart])
            columns = [field.name for field in source.schema().fields]
            key = source.properties["batchlab.key"].split(",")
            create(target, table, source.schema(), key)
            held[table] = replace(target, table, ds, columns, sorted_by(rows, columns, key))
            inputs.append(iceberg_dataset(source, mart, int(snapshot) if snapshot else None))
            outputs.append(postgres_dataset(table, columns={name: [(inputs[-1], name)] for name in columns}))
        if fingerprint(held) != publication.fingerprint:
            raise JobError(f"reporting would not hold what the marts hold of {ds}; nothing is changed")
    return inputs, outputs


def main(argv: Sequence[str]) -> None:
    """Publish what step `read` pinned."""
    parser = Arguments(__doc__)
    parser.add_argument("--publication", required=True, help="what step read put out")
    given = parser.parse_args(argv)
    ds, publication = logical_date(given), Publication.from_json(given.publication)
    with emitting("publish.replace") as lineage:
        lineage.inputs, lineage.outputs = publish(publication, ds)
    for mart, table in TABLES.items():
        print(f"{table}: {publication.rows[mart]} rows of {ds} from snapshot {publication.snapshots[mart] or '-'}")


if __name__ == "__main__":
    run(main)
