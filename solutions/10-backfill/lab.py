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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 10: backfill
#
# A rule has changed, a source was corrected, or a table is new: a month of days has to be run again. It is done while tonight's run goes on, several days at once because time is short, and in whatever order they come. Afterwards each of those days must be
# what it would be if everything had always been right, and every other day must be as it was.
#
# In this lab you will
#
# 1. say beforehand which order a backfill takes, and whether it matters,
# 2. repair a day that depends on the days that ran before it,
# 3. repair a run that touches a day which is not its own,
# 4. backfill three days of your own, shuffled, two at once, and prove that nothing changed.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit `transform/curate.py` and `publish/replace.py` with any editor, and the cells below that ask for an
# answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-property", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The property
#
# A backfill of a range is right if
#
# - **order plays no part**: the days in their order, backwards, or several at once give the same tables;
# - **nothing else is touched**: partitions outside of the range have the content that they had;
# - **it may be done again**: a second backfill of the range changes nothing.
#
# The third is lab 3. The first two follow from one rule: *a run reads inputs of its logical date, and writes the partition of its logical date.* Each exception must be argued. (One of the reference is that `transform` looks for weather a day around: an hour is an
# instant, and a flight near midnight may find its observation in the neighbour's partition. That reads what `ingest` wrote from the source, and not what another run of `transform` left.)
#
# A run of today that also writes, shifts or completes *yesterday* is the *left-pad* of lab 6: everybody's result then depends on a run that nobody asked for.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# Three days, two at once, shuffled: `--from 2013-03-09 --to 2013-03-11 --parallel 2 --shuffle 7`. With the code as you got it, `curate.py` fills a missing gust of wind with the strongest that the table has of this airport, from other days.
#
# Answer before you run anything. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l10-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
same_for_a_seed = True  # the shuffle is drawn from the seed
first_day_alone = "missing"  # no other day is in the table
first_day_backfilled = "filled"  # now two other days are
### END SOLUTION
# same_for_a_seed: does --shuffle 7 give the same order each time, True or False?
# first_day_alone: 9 March runs first, into an empty table. Is a gust that nobody measured "missing" or "filled"?
# first_day_backfilled: 9 March runs again when 10 and 11 March are there. "missing" or "filled"?

# %% nbgrader={"grade": true, "grade_id": "l10-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(same_for_a_seed) is bool, "same_for_a_seed is True or False"
for answer in (first_day_alone, first_day_backfilled):
    assert answer in ("missing", "filled"), 'each answer is "missing" or "filled"'

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-plan-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `--plan` says what would run, and starts nothing. Each day is run for the time at which its own schedule would have started it.

# %%
from grader.notebook import batchlab, check, draw

batchlab("backfill --submission . --name daily --from 2013-03-09 --to 2013-03-11 --parallel 2 --shuffle 7 --plan")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-order-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A day that depends on others (4 points)

# %%
check("M10-order")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-order-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The rows that differ are named, with their number before and after; the content differs in a column that is filled from what happens to be there. Whoever wrote it wanted fewer gaps. Every run gives a plausible table, and no two orders give the same.
#
# Repair `transform/curate.py`: a gust that nobody measured is unknown. (If gaps had to be filled, what would it have to be filled from, so that order plays no part?)

# %% nbgrader={"grade": true, "grade_id": "l10-order", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M10-order", points=4)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-range-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A run that touches another day (3 points)

# %%
check("M10-range")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-range-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# A running total. Each run adds its day to a row that belongs to the month, so each backfill adds its days once more, and the row is right exactly as long as nobody ever runs anything twice. What the reader wants, the month's number of flights,
# is a sum that can be made from the days whenever it is asked for: as a view, or as a table of months whose run owns the month.
#
# Repair `publish/replace.py`: what is not the run's own partition is not the run's to write.

# %% nbgrader={"grade": true, "grade_id": "l10-range", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M10-range", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-own-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Your own range (2 points)
#
# Now for real, on your own tables: three days in their order, their fingerprints, and then the backfill. A fingerprint is a hash of a partition's rows, whatever their order and files. It takes about two minutes.

# %%
batchlab("data load")
batchlab("backfill --submission . --name daily --from 2013-03-09 --to 2013-03-11")
batchlab("fingerprint lake.marts.carrier_daily")

# %%
batchlab("backfill --submission . --name daily --from 2013-03-09 --to 2013-03-11 --parallel 2 --shuffle 7")
batchlab("fingerprint lake.marts.carrier_daily")

# %%
draw("partitions", "lake.marts.carrier_daily")

# %% nbgrader={"grade": false, "grade_id": "l10-own", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
rewritten = 3
changed = 0
### END SOLUTION
# rewritten: how many partitions of lake.marts.carrier_daily did the backfill write again?
# changed: how many of them have another content than before?

# %% nbgrader={"grade": true, "grade_id": "l10-owned", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert {type(rewritten), type(changed)} == {int}, "both are numbers"
assert rewritten == 3, "the range has three days, and each run writes its own"
assert changed == 0, "compare the two lists of fingerprints"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)

# %% nbgrader={"grade": true, "grade_id": "l10-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M10", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# `batchlab cluster backfill --from 2013-03-09 --to 2013-03-10 --parallel 2` makes one Workflow for each day, as Argo's own `backfill` does, and waits. What differs: the days share the nodes, so two at once may be slower than one; and the nightly CronWorkflow goes on
# meanwhile, which is where `concurrencyPolicy` does *not* help: it counts only the workflows that the schedule itself made.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M10 --target cluster --days 2 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Two days of a backfill commit to the same table at the same moment. Why does neither lose its rows, and what does Iceberg do with the second one?
# 2. A seven-day average per route is wanted in the mart. Which partitions does a run for a day have to read, which may it write, and how far does a corrected day reach?
# 3. The nightly run and a backfill are for the same day, at the same time. What can go wrong, and what makes it harmless here?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l10-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Each commit is a compare-and-swap of the table's pointer. The second one finds that the table has moved on, sees that the first one changed other partitions, and applies its own files on top of the new state. Both partitions are there.
# 2. It reads seven days of the inputs and writes its own. A corrected day reaches the seven days from it on: those have to be backfilled, and nothing before.
# 3. Both write the same partition. If both have read the same source, they write the same, and who is second does no harm. If the source changed in between, the one that read the older source may commit last; the kit's `publish` refuses when the
#    partition has changed since it was staged, so that one fails, and is run again.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l10-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Argo's documentation: *Cron Backfill*, *Synchronization* (a mutex per day). Iceberg's: *Concurrent write operations*, *Spark Writes*.
# - `batchlab taint` (lab 8) names the days that a bad input has spoiled: that is the range.
# - Write down, for a job of yours: what it reads besides its own day, and how far back you could run it today.
# - Lab 11 does the same in another orchestrator, where partitions and backfills are words of the tool.
