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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 3: run twice, identical
#
# A batch job is run more often than it is planned. A step fails and is retried. A laptop sleeps in the middle and the run is
# resumed. Last month is backfilled while tonight's run is under way. Somebody presses *run* twice. You cannot prevent a
# second run, so the second run must do no harm.
#
# In this lab you get a pipeline that does harm when it is run twice. You will
#
# 1. say beforehand what its second run will do,
# 2. let the checks run it twice and look at the rows,
# 3. repair it with one line,
# 4. explain why the repair holds.
#
# It takes an evening: about an hour of reading and thinking, and three runs of the checks, each of which takes some minutes.
#
# **Where you work.** This notebook lies in your own copy of the lab. Beside it are `submission.toml`, which says what you hand in, and your copy
# of the three pipelines: `ingest/`, `transform/` and `publish/`. You edit one file of `ingest/` with any editor, and the cells below that ask
# for an answer. Cells with checks are read-only. The released copy in `labs/` stays as it is: to begin again, copy it once more.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-idempotent", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The property
#
# A run for a logical date is **idempotent** if running it once and running it several times leave the same content behind.
#
# - *Content* means the rows of every table, as a set with multiplicities: the same rows, each the same number of times. Order does not count.
#   Files do not count either: a second run may write new Parquet files and a new snapshot that hold the same rows.
# - *Left behind* means everywhere: in the tables of the lake, in the reporting database, and in calls to other systems.
# - *The same* means the same as the first run left it, and also **right**: twice the same wrong answer is not a pass. The checks compare with an
#   answer that is computed from the source in another way.
#
# In this course a day (`ds`, a flight date such as `2013-03-09`) is one partition of every table. So the property reads: **a run for a day makes
# the partition of this day be what it should be, whatever was in it before, and changes no other partition.**

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-writes", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Three ways to write a day
#
# Say a table holds two flights of 9 March, and a run writes these two flights again. What does the table hold afterwards?
#
# | in Spark | what the commit does | flights of 9 March afterwards |
# |---|---|---|
# | `frame.writeTo(t).append()` | adds the frame's rows to what is there | 4 |
# | `frame.writeTo(t).overwritePartitions()` | replaces every partition of which the frame has at least one row | 2 |
# | `frame.writeTo(t).overwrite(condition)` | removes the rows that meet the condition and adds the frame's rows, in one commit | 2 |
#
# The last two differ on a day that has become empty. Suppose that the source has withdrawn both flights, so that the frame has no rows.
# `overwritePartitions()` then finds no partition to replace, and the two old flights stay in the table. `overwrite(condition)` with the
# condition "the flight date is 9 March" removes them. This is why the pipelines of this course name the partition that they replace.
#
# *In one commit* matters as well. Deleting first and appending afterwards are two commits: whoever reads between them sees a day without
# flights, and a crash between them leaves it so.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-pipeline", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The pipeline
#
# `ingest` brings one day from the airline's operational database into the table `lake.raw.flights` in three steps:
#
# | step | file | what it does |
# |---|---|---|
# | `extract` | `ingest/extract.py` | reads the day and writes it to an **audit branch** of the table |
# | `validate` | `ingest/validate.py` | checks what is on the branch: no key twice, as many flights as the source has, values within bounds |
# | `write` | `ingest/write.py` | makes the branch's partition visible in the table itself, the branch `main` |
#
# A branch of an Iceberg table is a name for a snapshot, as a branch in Git is a name for a commit. The audit branch of a day begins as a copy of
# what `main` is at that moment; copying a name copies no data. Readers read `main`, so they see nothing of a day before `validate` has let it
# pass. This order is called *write, audit, publish*.
#
# The code that you got differs from the reference in `extract.py`. Read it now; the function `stage_day` is where the rows are written.

# %%
from pathlib import Path

print(Path("ingest/extract.py").read_text())

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# The next cell says on which days your pipelines are graded, and how many flights left New York on the first of them. The table is empty at
# first. The pipeline runs for this first day, and the run succeeds. Then it runs for it a second time; nothing has changed in the source.

# %%
from grader.notebook import sample

mine = sample()
print(mine)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-predict-answer", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Answer before you run anything. The point is for answers of the right kind, not for right answers: a wrong prediction that you can
# explain afterwards is worth more than a right one that you looked up.

# %% nbgrader={"grade": false, "grade_id": "l03-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
staged = 2 * mine.flights  # the branch begins with main's rows, and append() adds the same number
visible = mine.flights  # validate fails, so write never runs and main stays as it was
second_run_succeeds = False  # validate finds every key twice
### END SOLUTION
# staged: how many flights of the first day does the audit branch hold after `extract` of the second run?
# visible: how many flights of the first day does a reader of the table see after the second run?
# second_run_succeeds: does the second run succeed, True or False?

# %% nbgrader={"grade": true, "grade_id": "l03-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(staged) is int, "staged is a number of flights, such as 100"
assert type(visible) is int, "visible is a number of flights, such as 100"
assert type(second_run_succeeds) is bool, "second_run_succeeds is True or False"
assert min(staged, visible) >= 0, "a number of flights is 0 or more"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-look-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `check("M03-keys")` runs your pipelines in a sandbox of their own, twice for each of two days, and then looks for keys that occur more than once:
# in what readers see and on every branch. Your own tables are not touched. It takes about three minutes, because Spark really runs. What was
# run before with the same code is not run again, so later checks are quicker.
#
# It plays both of your days, and shows the one that it finds first; the same happens to both. Compare the table, the branch, the number of keys and
# the rows that it shows with your prediction.

# %%
from grader.notebook import check

check("M03-keys")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-repair-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Repair
#
# The audit did its work: no reader ever saw a flight twice. But every second run fails now, and it will fail until somebody repairs the
# code. A gate keeps bad data from being seen. It does not make a job idempotent.
#
# Change `ingest/extract.py` so that a run for a day **replaces** this day on the branch, whatever the branch holds, in one commit, and so that it
# leaves an empty day empty. One line is enough. The name of the partition column is `table.partition`, the day is `ds.day`, and
# `F.col(…) == F.lit(…)` makes a condition of them.
#
# Save the file, then run the checks below. Each part of the checks that passes gives a part of the points. You may run them as often as you like.
# As long as your files do not change, a check that was made before answers at once.

# %% nbgrader={"grade": true, "grade_id": "l03-keys", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M03-keys", points=3)

# %% nbgrader={"grade": true, "grade_id": "l03-item", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M03", points=5)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. Three or four sentences are enough; double-click on the cell below to edit it.
#
# 1. The process is killed while Spark is writing the day's files, before the commit. Why is nothing wrong when the run is repeated?
# 2. Late data arrives for a day, and the day is run again. Content changes. Is the pipeline still idempotent? Say why.
# 3. Name a write that you have seen or made outside this course that is not idempotent, and what would make it so.

# %% [markdown] nbgrader={"grade": true, "grade_id": "l03-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Files that no snapshot refers to are not part of the table. The commit is the one moment at which the partition changes, and it had not
#    happened. The repeated run writes new files and replaces the partition; the old files are garbage that maintenance removes.
# 2. Yes. The run's result depends on the logical date and on the source, and the source has changed. Run twice *after* the late data, the day is the
#    same both times: what it should be for this source.
# 3. For example: an `INSERT` of a day's totals into a reporting table. A `DELETE` of the day before it, in the same transaction, makes it
#    idempotent; so does a unique key on day and carrier with `ON CONFLICT … DO UPDATE`, unless a row must disappear.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l03-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - `M03-effects` looks outside the lake: the webhook is called with a key made of pipeline, day and the fingerprint of what was published. Why would a
#   key with the time in it be wrong?
# - Read `replace_partition` in `pipelines/datatier/partition.py`. It does what you did, and refuses a frame that holds a row of another day. What would
#   happen to such a row without that check, at the next run of the other day?
# - Lab 10 runs a range of days in any order and several at once. What you have repaired here is what makes that possible.
