# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Batch lab
#     language: python
#     name: batchlab
# ---

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 2: Spark on Iceberg
#
# A table of a data lake is a folder of files. What makes a table of it is an agreement about which files count. Iceberg is such an agreement: every change writes new files and a new list of files, and one pointer says
# which list counts now. From this come commits, time travel, and a second run that harms nobody.
#
# In this lab you will
#
# 1. look at a table as Iceberg sees it: snapshots, files, partitions, earlier contents,
# 2. say beforehand what a join does to a day that has no weather,
# 3. repair a transformation that loses rows, a type that cannot be trusted, and a table without partitions,
# 4. measure three ways to correct a day, and fill a table with your own numbers.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit four files of `transform/` with any editor, and the cells below that ask
# for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# | word | what it is |
# |---|---|
# | data file | Parquet, with some rows of one partition. It is never changed |
# | snapshot | a list of the data files that make up the table after one commit |
# | commit | the moment in which the catalog's pointer moves to a new snapshot: all or nothing |
# | partition spec | which column decides which rows share files: here the flight date, one partition for each day |
# | delete file | says which rows of a data file no longer count, so that the file need not be written anew |
# | metadata table | what Iceberg knows of a table, as a table: `.snapshots`, `.files`, `.partitions`, `.refs`, `.history` |

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-look-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# Bring a day into the lake, twice. (If the platform is not running, it is started, which takes a minute.)

# %%
from grader.notebook import batchlab, check, draw, sql

batchlab("data load")
batchlab("run --submission . --name ingest -p ds=2013-03-09")
batchlab("run --submission . --name ingest -p ds=2013-03-09")

# %%
sql("""
SELECT committed_at, snapshot_id, operation, summary['batchlab.ds'] AS day,
       summary['added-records'] AS added, summary['deleted-records'] AS deleted
FROM lake.raw.flights.snapshots ORDER BY committed_at
""")

# %%
sql("SELECT partition.flight_date, record_count, file_size_in_bytes, file_path FROM lake.raw.flights.files")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-travel-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The second run wrote the same rows into a new file, and made a snapshot that lists it in place of the old one. The old file is still there, for whoever reads the old snapshot:

# %%
((first,),) = sql("SELECT snapshot_id FROM lake.raw.flights.snapshots ORDER BY committed_at LIMIT 1")
sql(f"SELECT flight_date, count(*) AS flights FROM lake.raw.flights VERSION AS OF {first} GROUP BY flight_date")

# %%
draw("history", "lake.raw.flights")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# `transform` joins each flight with the weather at its hour (`curate.py`). On 31 December 2013, 776 flights left New York. The source has no weather for that day at all.
#
# Read the joins in the next cell, then answer before you run anything. The point is for answers of the right kind.

# %%
from pathlib import Path

text = Path("transform/curate.py").read_text()
print(text[text.index("    joined = (") : text.index("    return with_instants")])

# %% nbgrader={"grade": false, "grade_id": "l02-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
curated = 0  # an inner join keeps only flights for which there is an observation
run_succeeds = True  # nothing expects as many rows as there were
### END SOLUTION
# curated: how many rows does lake.curated.flights have for 31 December after a run?
# run_succeeds: does the run succeed, True or False?

# %% nbgrader={"grade": true, "grade_id": "l02-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(curated) is int, "curated is a number of rows, such as 100"
assert type(run_succeeds) is bool, "run_succeeds is True or False"

# %%
batchlab("run --submission . --name ingest -p ds=2013-12-31")
batchlab("run --submission . --name transform -p ds=2013-12-31")

# %%
sql(
    "SELECT (SELECT count(*) FROM lake.raw.flights WHERE flight_date = DATE'2013-12-31') AS raw, "
    "(SELECT count(*) FROM lake.curated.flights WHERE flight_date = DATE'2013-12-31') AS curated"
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-content-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Rows that are lost (3 points)
#
# A run that succeeds and a table that is wrong: this is the usual way. The check compares every table with an answer that DuckDB computes from the source, in another way. Its source has a day on which one airport
# reported nothing for an hour.

# %%
check("M02-content")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-content-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Two repairs, in two files:
#
# - `transform/curate.py`: a flight without weather is still a flight. The columns `weather_missing` and `temp` … are made for it.
# - `transform/tables.py`: `curated_expectations` is given the number of raw rows, and does not use it. An expectation that the curated day has exactly that many would have stopped the run. `row_count(least, most)` makes one, and is
#   imported already.
#
# Then run the day again.

# %%
batchlab("run --submission . --name transform -p ds=2013-12-31")
sql("""
SELECT count(*) AS curated, count_if(weather_missing) AS without_weather
FROM lake.curated.flights WHERE flight_date = DATE'2013-12-31'
""")

# %% nbgrader={"grade": true, "grade_id": "l02-content", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M02-content", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-types-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A type that cannot be trusted (2 points)

# %%
check("M02-types")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-types-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# A sum of floats depends on the order in which they are added, and Spark adds in whatever order its tasks end. The last digit of an average then differs between two runs over the same rows, and "run twice, identical" is lost in
# a digit that nobody looks at. Counts are integers, measurements are decimals of a fixed scale, and an average is rounded once, at the end. Repair the type in `transform/tables.py`.
#
# A table that is there keeps its columns: the code creates tables only where they are missing. The checks begin with empty ones; your own need `DROP TABLE` or `ALTER TABLE`.

# %% nbgrader={"grade": true, "grade_id": "l02-types", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M02-types", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-partitions-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A table without partitions (2 points)

# %%
check("M02-partitions")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-partitions-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The marts of this project are made by hand in `transform/build.py`, and dbt is not told about partitions either (`dbt_project.yml`, `+partition_by`). A day of an unpartitioned table can be replaced as well, but Iceberg has to rewrite every
# file that holds a row of the day, and read all of them to find out. In a partitioned table the day *is* its files.
#
# Repair both. `mart.partition` is the name of the column.

# %% nbgrader={"grade": true, "grade_id": "l02-partitions", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M02-partitions", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)

# %% nbgrader={"grade": true, "grade_id": "l02-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M02", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-measure-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Measure: three ways to correct a day (3 points)
#
# The incremental strategies, with numbers. The next cell makes a table of sixty days, each a copy of 9 March, and corrects the delays of one airline on one of them, in three ways:
#
# 1. the whole table is written anew (`INSERT OVERWRITE`),
# 2. the partition is replaced (`INSERT … REPLACE WHERE`),
# 3. merge-on-read: the rows that change are written, and a delete file says which old ones no longer count (`UPDATE`).

# %%
one_day = "flight_date = DATE'2013-04-01'"
corrected = f"CASE WHEN {one_day} AND carrier = 'UA' THEN arr_delay + 1 ELSE arr_delay END"
columns = f"flight_date, carrier, flight, origin, dest, dep_delay, {corrected} AS arr_delay, distance"
sql(
    "CREATE NAMESPACE IF NOT EXISTS lake.scratch",
    "DROP TABLE IF EXISTS lake.scratch.days",
    """
    CREATE TABLE lake.scratch.days USING iceberg PARTITIONED BY (flight_date) AS
    SELECT date_add(flight_date, n) AS flight_date, carrier, flight, origin, dest,
           dep_delay, arr_delay, distance
    FROM lake.raw.flights LATERAL VIEW explode(sequence(0, 59)) days AS n
    WHERE flight_date = DATE'2013-03-09'
    """,
    f"INSERT OVERWRITE lake.scratch.days SELECT {columns} FROM lake.scratch.days",
    f"""
    INSERT INTO lake.scratch.days REPLACE WHERE {one_day}
    SELECT {columns} FROM lake.scratch.days WHERE {one_day}
    """,
    "ALTER TABLE lake.scratch.days SET TBLPROPERTIES ('write.update.mode' = 'merge-on-read')",
    f"UPDATE lake.scratch.days SET arr_delay = arr_delay + 1 WHERE {one_day} AND carrier = 'UA'",
    """
    SELECT operation, summary['added-records'] AS rows_written,
           summary['added-data-files'] AS data_files_added,
           summary['deleted-data-files'] AS data_files_removed,
           summary['added-delete-files'] AS delete_files_added,
           summary['added-files-size'] AS bytes_written
    FROM lake.scratch.days.snapshots ORDER BY committed_at
    """,
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-measure-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The first line is how the table was made; the other three are the three ways. Fill in what you measured. (`NULL` means 0.)

# %% nbgrader={"grade": false, "grade_id": "l02-measure", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
rewrite = {"rows": 45900, "data_files": 60, "delete_files": 0}
replace = {"rows": 765, "data_files": 1, "delete_files": 0}
merge_on_read = {"rows": 133, "data_files": 1, "delete_files": 1}
### END SOLUTION
# each as {"rows": rows written, "data_files": data files added, "delete_files": delete files added}

# %% nbgrader={"grade": true, "grade_id": "l02-measured", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
for way in (rewrite, replace, merge_on_read):
    assert set(way) == {"rows", "data_files", "delete_files"}, "rows, data_files and delete_files"
    assert all(type(number) is int for number in way.values()), "each of them is a number"
assert rewrite["rows"] == 60 * replace["rows"], "sixty equal days: the whole table is sixty times one of them"
assert rewrite["data_files"] == 60 * replace["data_files"], "one file for each partition"
assert merge_on_read["rows"] < replace["rows"], "merge-on-read writes only the rows that change"
assert rewrite["delete_files"] == replace["delete_files"] == 0, "only merge-on-read leaves rows to be skipped"
assert merge_on_read["delete_files"] > 0, "only merge-on-read leaves rows to be skipped"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# There the files lie in an object store (`s3://`), the catalog is a pod, and Spark's driver and executors are pods too. Nothing in the code says so: the address of catalog and warehouse comes from the ConfigMap `lake`, and with it from the
# workflow. `batchlab cluster compare` shows that a table has the same fingerprint here and there.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M02 --target cluster --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (4 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Two tables about a trade-off. First, for *whole table*, *partition overwrite* and *merge-on-read*: what is cheap, what is dear, and when would you choose it? Use your numbers, and say who pays for merge-on-read, and when.
# 2. Then for the engine: one process that reads all files (DuckDB), Spark on one machine, Spark on a cluster. The year of flights is some 30 MB. At about which size, and for which other reason than size, would you change from one
#    to the next?
# 3. Why is a delete and a write of the same partition the canonical form for a daily job, and not an update of rows?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l02-explain", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. Whole table: simple, no state to trust; here 60 times the rows for one day. For small tables and for what has no partition. Partition overwrite: one file for one day, readers notice nothing; the whole day is written although few rows
#    changed. For facts of which a run owns a day. Merge-on-read: 133 rows and a delete file; every reader from now on reads both and takes one from the other, until somebody compacts the table. For frequent small changes to large
#    partitions.
# 2. DuckDB as long as the data of a run fit on one machine, tens of GB and more. Spark on one machine seldom pays by size; it pays where the job must be the same as on the cluster, as in this course. Spark on a cluster when one
#    machine cannot read or shuffle the data in the time that there is, when many jobs share the machines, or when a job must survive the loss of one.
# 3. The run for a day knows the whole answer for the day, so it need not know what was there. Twice the same run gives the same partition; rows that are gone from the source are gone; and the commit is one. An update must find the
#    rows that changed, and does nothing about those that should no longer be there.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l02-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Iceberg's documentation: *Table Spec* (the overview), *Spark Queries* (metadata tables, time travel), *Spark Writes* (overwrite modes), *Maintenance* (expire snapshots, compaction).
# - Spark's: *Join hints*, *Decimal precision*.
# - Write down, for a table that you know: what its partition is, who owns one, and how an old content could be read again.
# - Lab 3 runs the same day twice, on purpose.
