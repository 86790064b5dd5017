"""`batchlab fingerprint`: the content of a table as one hash per partition."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("table")
@click.option("--snapshot", metavar="ID", help="A snapshot id, or a branch or tag; by default the table as it is now.")
@click.option("--no-cache", is_flag=True, help="Read every data file, also those that were read before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fingerprint(table: str, snapshot: str | None, no_cache: bool, as_json: bool) -> None:
    """Print a table's content as rows and 128 bits per partition, whatever the order of rows and files.

    \b
    Example:
      batchlab fingerprint lake.raw.flights
      batchlab fingerprint reporting.carrier_daily --json
    """  # noqa: D301
    from grader.fingerprint.lake import Lake
    from pipelines.local.state import StateDir

    found = Lake.open(StateDir.locate(), cached=not no_cache).fingerprint(table, snapshot)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    print(f"{found.table}" + (f" at snapshot {found.snapshot}" if found.snapshot else ""))
    for name, digest in sorted(found.partitions.items()):
        print(f"  {name:<28} {digest.rows:>9} rows  {digest.hash}")
    print(f"  {'total':<28} {found.total.rows:>9} rows  {found.total.hash}")
    if found.files:
        print(f"  {found.files_read} of {found.files} data files were read, the others are known from before")
