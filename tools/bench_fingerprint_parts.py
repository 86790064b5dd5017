"""What `bench_fingerprint.py` measures: each part runs in a process of its own and says how long it took.

A part gets a job: `folder` (all that is written), `home` (state directory), `copies` (of the year's flights), `before`
and `after` (data files of both snapshots), `snapshots` and `days` (to run anew). Only the part itself imports what it
needs, for one of them runs in another environment.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

TABLE = "lake.bench.flights"
SHORT = "bench.flights"
KEY = ("flight_date", "carrier", "flight", "origin")
BATCH_ROWS = 100_000

Job = dict[str, Any]


def stream(job: Job) -> Job:
    """DuckDB gives all columns as Arrow record batches; nobody looks at them."""
    import duckdb

    con = duckdb.connect()
    begun = time.monotonic()
    batches = con.sql(f"FROM {_parquet(job['before'])}").to_arrow_reader(BATCH_ROWS)
    return {"rows": sum(batch.num_rows for batch in batches), "seconds": time.monotonic() - begun}


def cold(job: Job) -> Job:
    """Fingerprints before and after a rerun, nothing cached."""
    lake = open_lake(job)
    begun = time.monotonic()
    before = lake.fingerprint(TABLE, job["snapshots"][0])
    _require_same(before, lake.fingerprint(TABLE, job["snapshots"][1]))
    return {"seconds": time.monotonic() - begun, "rows": before.total.rows}


def rerun(job: Job) -> Job:
    """Fingerprint after a rerun, all that it did not write cached; the median of several reruns."""
    lake = open_lake(job)
    before = lake.fingerprint(TABLE)
    times = []
    for day in job["days"]:
        rewrite(lake, job, day)
        begun = time.monotonic()
        after = lake.fingerprint(TABLE)
        times.append(time.monotonic() - begun)
        _require_same(before, after)
    return {"seconds": statistics.median(times)}


def duckdb(job: Job) -> Job:
    """`EXCEPT ALL` both ways."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{job['folder']}/spill'")
    con.execute("SET max_temp_directory_size = '20GB'")
    begun = time.monotonic()
    for one, other in ((job["before"], job["after"]), (job["after"], job["before"])):
        ((found,),) = con.execute(
            f"SELECT count(*) FROM (FROM {_parquet(one)} EXCEPT ALL FROM {_parquet(other)})"
        ).fetchall()
        _require_none(found)
    return {"seconds": time.monotonic() - begun}


def datacompy(job: Job) -> Job:
    """Two polars frames, joined on the key."""
    try:
        import polars as pl
        from datacompy import PolarsCompare
    except ImportError:
        sys.exit("not installed: pip install '.[bench]' in an environment of its own, and --datacompy PYTHON")
    begun = time.monotonic()
    one, other = (pl.read_parquet(job[which], hive_partitioning=False) for which in ("before", "after"))
    _require_none(not PolarsCompare(one, other, join_columns=list(KEY)).matches())
    return {"seconds": time.monotonic() - begun}


def spark(job: Job) -> Job:
    """`exceptAll` both ways, in a session that is up."""
    from pyspark.sql import SparkSession

    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 21
    settings = {
        "spark.driver.memory": f"{half}m", "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
        "spark.local.dir": f"{job['folder']}/spill",
    }  # fmt: skip
    session = SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
    session.range(1000).count()
    begun = time.monotonic()
    one, other = session.read.parquet(*job["before"]), session.read.parquet(*job["after"])
    _require_none(one.exceptAll(other).count() + other.exceptAll(one).count())
    return {"seconds": time.monotonic() - begun}


PARTS: dict[str, Callable[[Job], Job]] = {
    part.__name__: part for part in (stream, cold, rerun, duckdb, datacompy, spark)
}


def _parquet(paths: Sequence[str]) -> str:
    return f"read_parquet({list(paths)}, hive_partitioning = false)"


def _require_none(differences: int) -> None:
    if differences:
        sys.exit("the snapshots differ, though the rerun wrote the same rows")


def _require_same(before: Any, after: Any) -> None:
    if before.partitions != after.partitions or after.files_read != 1:
        sys.exit("the fingerprints differ, or more was read than the rerun wrote")


def open_lake(job: Job) -> Any:
    """Open the tables, with an empty cache for digests."""
    from grader.fingerprint.cache import DigestCache
    from grader.fingerprint.lake import Lake
    from pipelines.local.state import StateDir

    lake = Lake.open(StateDir(root=Path(job["home"])), cached=False)
    lake.cache = DigestCache(Path(job["folder"]) / f"cache-{os.getpid()}.db")
    return lake


def make_table(lake: Any, job: Job) -> list[str]:
    """Write the table, a file for each day; returns the days."""
    con = _flights(Path(job["folder"]))
    days = [str(day) for (day,) in con.execute("SELECT DISTINCT flight_date FROM flights ORDER BY 1").fetchall()]
    lake.catalog.create_namespace_if_not_exists("bench")
    if lake.catalog.table_exists(SHORT):
        lake.catalog.drop_table(SHORT)
    table = lake.catalog.create_table(SHORT, schema=con.sql("FROM flights LIMIT 0").to_arrow_table().schema)
    with table.update_spec() as spec:
        spec.add_identity("flight_date")
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for day in days:
            append.append_data_file(_day(con, table, job, day, "first"))
    return days


def rewrite(lake: Any, job: Job, day: str) -> None:
    """Commit what an idempotent rerun of a day does: a new file with the same rows, in another order."""
    table = lake.catalog.load_table(SHORT)
    old = next(task.file for task in table.scan(f"flight_date == '{day}'").plan_files())
    new = _day(_flights(Path(job["folder"])), table, job, day, str(time.time_ns()))
    with table.transaction() as transaction, transaction.update_snapshot().overwrite() as overwrite:
        overwrite.delete_data_file(old)
        overwrite.append_data_file(new)


def _day(con: Any, table: Any, job: Job, day: str, name: str) -> Any:
    """Write a day's rows into a new file; the copies of a flight have other numbers, as those of `data grow`."""
    from pyarrow.parquet import read_metadata
    from pyiceberg.manifest import DataFile, FileFormat
    from pyiceberg.typedef import Record

    path = Path(job["folder"]) / "data" / f"{day}-{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    ids = ", ".join(f"{field.name}: {field.field_id}" for field in table.schema().fields)
    rows = (
        "SELECT * EXCLUDE (n) REPLACE (CAST(flight + 10000 * n AS INTEGER) AS flight) FROM flights, "
        f"(SELECT unnest(range({job['copies']})) AS n) WHERE flight_date = DATE '{day}' "
        f"ORDER BY n, dep_time {'ASC' if name == 'first' else 'DESC'}"
    )
    con.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {{{ids}}})")
    file = DataFile.from_args(
        file_path=str(path), file_format=FileFormat.PARQUET, record_count=read_metadata(path).num_rows,
        partition=Record((date.fromisoformat(day) - date(1970, 1, 1)).days), file_size_in_bytes=path.stat().st_size,
    )  # fmt: skip
    file.spec_id = table.spec().spec_id
    return file


def _flights(folder: Path) -> Any:
    """The package's flights in DuckDB, types as in `ops.flights`."""
    import duckdb

    from grader.data import source
    from grader.data.schema import FLIGHTS

    path = source.folder() / FLIGHTS.file
    with zipfile.ZipFile(path) as archive:
        archive.extract(path.stem, folder)
    kinds = {"carrier": "VARCHAR", "tailnum": "VARCHAR", "origin": "VARCHAR", "dest": "VARCHAR"}
    kinds["time_hour"] = "TIMESTAMPTZ"
    types = ", ".join(f"'{name}': '{kinds.get(name, 'INTEGER')}'" for name in FLIGHTS.columns)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(
        "CREATE TABLE flights AS SELECT *, make_date(year, month, day) AS flight_date "
        f"FROM read_csv('{folder / path.stem}', header = true, nullstr = 'NA', columns = {{{types}}})"
    )
    return con


if __name__ == "__main__":
    answer = PARTS[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    print(json.dumps({**answer, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))
