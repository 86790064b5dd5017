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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 9: dbt as a step, and tests that gate
#
# dbt builds tables from SQL, knows which is made from which, and tests them. In a workflow it is one step among others: it gets a date, it ends well or it does not, and what comes after it
# depends on that. Two things go wrong with it more than all others. Its tests are there and stop nothing. And it builds everything anew each night, because that was the easiest way to begin.
#
# In this lab you will
#
# 1. say beforehand what a failing test does to the tables,
# 2. make the tests stop the build, and keep the rows that fail,
# 3. make a run build its own day and leave the others alone.
#
# **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit files of `transform/dbt/` with any editor, and the cells below
# that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# | word | what it is here |
# |---|---|
# | model | a query in `models/`, which dbt makes a table of: `carrier_daily`, `route_daily` |
# | materialization | how: `table` builds it anew, `incremental` puts the query's rows into what is there, `ephemeral` only pastes its text into others |
# | incremental strategy | what happens to what is there: `append` adds, `merge` updates by a key, `insert_overwrite` replaces partitions |
# | data test | a query that must return no row: `unique_key`, `no_nulls`, the files in `tests/` |
# | severity | what a test that finds rows does: `error` fails the build, `warn` is printed |
# | `dbt build` | models and tests in the order of their dependencies; what depends on something that failed is skipped |
#
# The step `build` calls dbt for one day. Before that it starts an **audit branch** of each mart, and dbt writes there. The step `audit` makes both branches visible when `build` has ended well.
# So a failing test has something to keep from being seen.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# On a day, Spark has put a row into `curated.flights` twice, and dbt runs for that day. The test on the mart's key finds the carrier that is counted too often. Suppose that its severity is `warn`.
#
# Answer before you run anything. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l09-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
build_succeeds = True  # a warning is printed, and dbt ends with 0
visible = True  # audit makes the branch visible: nothing failed
### END SOLUTION
# build_succeeds: does the step `build` end well, True or False?
# visible: do readers see the wrong rows afterwards, True or False?

# %% nbgrader={"grade": true, "grade_id": "l09-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(build_succeeds) is bool, "build_succeeds is True or False"
assert type(visible) is bool, "visible is True or False"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-gates-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Tests that gate (3 points)
#
# Read how this project is set up, then ask what its tests would stop.

# %%
from pathlib import Path

print(Path("transform/dbt/dbt_project.yml").read_text())

# %%
from grader.notebook import check

check("M09-gates")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-gates-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# A test that warns is read by whoever reads logs. Let every test of the project fail the build. A single test may keep another severity where you can say why, as a check of freshness
# that pages nobody at night.

# %% nbgrader={"grade": true, "grade_id": "l09-gates", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M09-gates", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-blocks-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## And the rows that fail (2 points)
#
# The play behind the next check puts wrong rows between Spark and dbt: it is the day of your prediction. The run must fail, the marts must stay as they were, and whoever looks at it in the
# morning must find **the rows**, not only their number.

# %%
from grader.notebook import check

check("M09-blocks")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-blocks-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Where does dbt put the rows that fail a test? One line of the project decides it. This project brings a materialization for tests of its own (`macros/failures.sql`): failing rows of all tests go into
# `lake.audit.dbt_failures`, partitioned by day and test, and only where there are some. Say what it is asked for.

# %% nbgrader={"grade": true, "grade_id": "l09-blocks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M09-blocks", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-incremental-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A day, and not the year (3 points)
#
# Each run rewrites every day. With one month of flights nobody notices. With ten years, a night is not long enough, and a late correction of one day gives all the others new files, snapshots
# and doubts.

# %%
from grader.notebook import check

check("M09-incremental")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-incremental-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Two places make it so: how the marts are materialized, and what the staging model lets through. `{{ ds() }}` is the day of this run. The strategy `insert_overwrite` and the partition column are there already.
#
# A trap that occurs with these data: what dbt-spark brings for `insert_overwrite` replaces the partitions **of which the query has rows**. A day that lost all its rows would keep the old ones. The
# project's own macro names the day that goes (`macros/insert_overwrite.sql`), as you did in lab 3.

# %% nbgrader={"grade": true, "grade_id": "l09-incremental", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M09-incremental", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)

# %% nbgrader={"grade": true, "grade_id": "l09-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M09", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# There dbt runs in the driver of the step's SparkApplication, in the same image as the rest; the profile is `session`, so dbt needs no server. What it said is in the driver's log.

# %%
from grader.notebook import batchlab

TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M09 --target cluster --days 2 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. What do dbt's tests see that the expectations of `ingest` (lab 3) do not, and the other way round?
# 2. Full rebuild, incremental by partition, incremental by merge: for each, name a table that you would build so.
# 3. dbt's step failed in the night. What do readers see in the morning, and which three things do you look at, in which order?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l09-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. The expectations look at one source's rows before anybody sees them: keys, bounds, as many as the source has. dbt's tests look at what was made of several tables: sums that must agree, keys of a mart, a
#    join that lost flights. A wrong row that is wrong in itself is found by the first, a wrong relation by the second.
# 2. Rebuild: a list of airports, small and without history. By partition: daily facts, where a run owns its day. By merge: customers or orders whose rows change at any age, found by their key.
# 3. They see what the last good run left, because the branch was not made visible. First the workflow's failed node and its message, then the failing rows in `lake.audit.dbt_failures` for that day and test,
#    then the lineage upstream: which step wrote the rows, and from what.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l09-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - dbt's documentation: *Incremental models*, *Data tests*, *severity*, *store_failures*; dbt-spark's *insert_overwrite*.
# - Write down, for a table of yours: which of its tests may wake somebody, and which rows that person would want to see.
# - Lab 10 rebuilds a range of days, in any order, with what you have repaired here.
