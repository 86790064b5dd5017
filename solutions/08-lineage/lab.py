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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 8: lineage
#
# On Monday somebody asks: "This number in the report is wrong. Where does it come from?" On Tuesday: "The weather of 9 March was wrong at the source. What have we told people that is wrong because of it?" Both are one question, asked
# in two directions, and the answer is not in anybody's head. It has to be recorded by the steps themselves, at the time when they read and write.
#
# In this lab you will
#
# 1. say beforehand what a table is made from, and look,
# 2. repair an edge that is not true, a snapshot that does not say who made it, and a column that does not exist,
# 3. ask what a bad input has spoiled.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit `transform/audit.py`, `transform/workflow.py` and `publish/replace.py` with any editor, and the
# cells below that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# | word | what it is |
# |---|---|
# | dataset | a table, as lineage names it: `lake.raw.flights`, `ops.weather` |
# | job, run | a step, such as `transform.curate`; one time that it ran |
# | event | what a run says of itself: START, then COMPLETE or FAIL, with its inputs and outputs. OpenLineage is the format |
# | edge | "this dataset was made from that one", with the run that said so |
# | column edge | the same of a column |
# | parent | the workflow and the node in whose name a run ran |
# | snapshot summary | what a commit says of itself, in the table: here `batchlab.workflow`, `batchlab.node`, `batchlab.ds`, `batchlab.code` |
#
# So there are two witnesses. The *events* say what was read and written. The *snapshots* say who committed what is in the table now. If they agree, and every edge is one that the code explains, one can rely on it.
#
# The trap is not the lineage that is missing: one sees that. It is the lineage that was written by hand, and was true when it was.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# Spark, dbt and Python write the tables of this course: `ingest` brings `ops.*` into `lake.raw.*`, `transform` makes `lake.curated.flights` with Spark and the marts from it with dbt, `publish` copies the marts into `reporting.*`.
#
# Answer before you look. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l08-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
made_from = ["lake.curated.flights"]
sources = 4  # ops.flights and ops.weather by way of the raw tables, ops.airlines and ops.airports directly
### END SOLUTION
# made_from: from which datasets is lake.marts.carrier_daily made directly, as a list of names?
# sources: how many tables of the operational database (ops.*) does it come from in the end?

# %% nbgrader={"grade": true, "grade_id": "l08-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(made_from) is list, "made_from is a list of names, such as ['lake.raw.flights']"
assert all(type(name) is str for name in made_from), "each is a name, such as 'lake.raw.flights'"
assert type(sources) is int, "sources is a number"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-look-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# Run the first of your days, with your copy of the code, then have it drawn.

# %%
from grader.notebook import batchlab, check, draw, sample, sql

mine = sample()
print(mine)
batchlab("data load")
batchlab(f"run --submission . --name daily -p ds={mine.first}")

# %%
draw("lineage", "lake.marts.carrier_daily")

# %%
batchlab("lineage lake.marts.carrier_daily")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-edges-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## An edge that is not true (3 points)

# %%
check("M08-edges")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-edges-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The check compares what the events say with what dbt's manifest and the workflow's own steps explain. One edge has nobody who could have made it.
#
# Two steps write lineage by hand, because they are plain Python: what they say is what somebody wrote. Read `transform/audit.py`, the lines after `emitting`. What does this step really read? It makes visible what is staged on a branch of the same
# table; the step that *made* the rows, `build`, has told where they are from. Repair it.

# %% nbgrader={"grade": true, "grade_id": "l08-edges", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M08-edges", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-snapshots-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A snapshot that does not say who made it (3 points)

# %%
sql("""
SELECT committed_at, summary['batchlab.workflow'] AS workflow,
       summary['batchlab.node'] AS node, summary['batchlab.ds'] AS day
FROM lake.curated.flights.snapshots ORDER BY committed_at DESC LIMIT 3
""")

# %%
check("M08-snapshots")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-snapshots-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# *Spark did it* is no answer at three in the morning. Argo knows the node's name at run time: `{{node.name}}`. The kit's `spark_step` hands it to Spark, and `signed` in `transform/workflow.py` replaces it. Repair that, render the manifest, and run
# the day again.

# %%
batchlab("render transform --submission .")
batchlab(f"run --submission . --name daily -p ds={mine.first}")
sql("""
SELECT committed_at, summary['batchlab.workflow'] AS workflow,
       summary['batchlab.node'] AS node, summary['batchlab.ds'] AS day
FROM lake.curated.flights.snapshots ORDER BY committed_at DESC LIMIT 3
""")

# %% nbgrader={"grade": true, "grade_id": "l08-snapshots", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M08-snapshots", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-columns-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A column that does not exist (2 points)
#
# `publish` says of each column of the report which column of the mart it is copied from. Once, the averages had other names.

# %%
check("M08-columns")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-columns-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The names of a list that is kept by hand grow old. The step has the columns at hand, from the table itself; say in `publish/replace.py` that each is copied from the one of the same name.

# %% nbgrader={"grade": true, "grade_id": "l08-columns", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M08-columns", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-taint-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## What is spoiled? (2 points)
#
# Now ask in the other direction. Suppose that the temperatures of your first day turn out to be wrong. (Your repaired pipelines have run by now, if you ran the cells above; if not, run the day again first.)

# %%
batchlab(f"run --submission . --name daily -p ds={mine.first}")
batchlab(f"taint lake.raw.weather --partition flight_date={mine.first}")

# %%
batchlab(f"taint lake.raw.weather --partition flight_date={mine.first} --column temp")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-taint-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Compare the two answers, then fill in.

# %% nbgrader={"grade": false, "grade_id": "l08-taint", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
whole_row = [
    "lake.curated.flights",
    "lake.marts.carrier_daily",
    "lake.marts.route_daily",
    "reporting.carrier_daily",
    "reporting.route_daily",
]
only_temp = ["lake.curated.flights"]
### END SOLUTION
# whole_row: the datasets that hold something computed from the weather of that day, as a list of names
# only_temp: the datasets that hold something computed from its column temp

# %% nbgrader={"grade": true, "grade_id": "l08-tainted", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert set(only_temp) < set(whole_row), "what comes from one column is less than what comes from the whole row"
assert "lake.curated.flights" in only_temp, "the temperature itself is in a column of the curated flights"
assert not any("marts" in name for name in only_temp), "no measure of a mart is computed from a temperature"
assert sum("marts" in name for name in whole_row) == 2, "both marts count something that depends on the weather's rows"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)
#
# The other checks of it are about runs: every edge names the workflow and the node, events and snapshots match one to one, and no edge is said only by a run whose rows are gone.

# %% nbgrader={"grade": true, "grade_id": "l08-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M08", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# There the events go by HTTP to a receiver in the namespace `platform`, and parents name real workflows: `batchlab grade M08 --target cluster` compares them with the nodes that Argo has, and prints a link to the run in Argo's pages.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M08 --target cluster --days 1 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Somebody repairs yesterday's partition by hand, with a notebook, and everything is right again. What do the two witnesses say, and what will the next person believe?
# 2. Why are edges compared with what dbt and the workflow explain, and not simply believed?
# 3. The source corrects the temperatures of one day. Which runs do you start, in which order, and which ones not?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l08-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. The snapshot has no workflow and no node in its summary, and no event tells of the write. Whoever looks sees rows that nobody made; the graph still says that the last run's inputs explain them, which is no longer true.
# 2. An event says what a step says of itself. A step that was copied, or whose code has changed, says what was true of another one. What dbt's manifest and the order of the workflow explain is derived from what really runs.
# 3. `ingest` for that day, then `transform` for it, because the curated flights hold temperatures. `publish` need not run: no published number depends on a temperature, and running it would do no harm but tell nobody anything new. No
#    other day, since nothing of that day is read for another one.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l08-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - OpenLineage's documentation: *The Object Model*, *Column-level lineage*, *Parent run facet*; the Spark integration's *Configuration*.
# - Argo's: *Workflow Variables* (`node.name`, `workflow.name`). dbt's: *About manifest.json*.
# - Write down, for a number that you publish: its sources, and how you would find out which of its past values a wrong input has spoiled.
# - Lab 10 runs the days that such an answer names.
