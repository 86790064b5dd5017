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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 6: a day, every day
#
# A schedule starts a pipeline once a day. That sounds like one line. It is five decisions: at which time, on whose clock, what happens when the run before is
# still at work, what happens when nobody was there at that time, and, above all, **which day a run is for**.
#
# In this lab you will
#
# 1. say beforehand when a schedule fires around the days on which clocks change,
# 2. move a schedule away from an hour that does not exist every day,
# 3. make a run be for the day before it was *due*, not for yesterday by the clock on the wall,
# 4. keep runs from overlapping, and catch up what was missed.
#
# **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit `ingest/workflow.py` and
# `transform/workflow.py` with any editor, and the cells below that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# ```yaml
# apiVersion: argoproj.io/v1alpha1
# kind: CronWorkflow
# spec:
#   schedules: ['0 7 * * *']          # minute hour day month weekday
#   timezone: America/New_York        # whose clock; without it, the controller's, usually UTC
#   concurrencyPolicy: Forbid         # Allow (the default): beside the running one; Replace: in its place
#   startingDeadlineSeconds: 3600     # how long a missed start is made up for; without it, never
#   workflowSpec:
#     workflowTemplateRef: {name: ingest}
#     arguments:
#       parameters: [{name: ds, value: '{{= … }}'}]
# ```
#
# - The **scheduled time** is when a run is due. Argo hands it to the run as `workflow.scheduledTime`, in UTC.
# - The **logical date** (`ds`) is the day that a run is for: the partition that it writes. A nightly run is for the day before, because that day is over.
# - **Wall-clock time** is when it really runs. A run that was delayed, retried or caught up runs later than it was due, and a backfill runs days later. Its logical
#   date must not move with it.
#
# The flights of this course are those that left New York, and their `flight_date` is New York's.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# In 2013 the clocks of New York went forward on 10 March (from 02:00 to 03:00) and back on 3 November (from 02:00 to 01:00). How often do these two schedules
# fire, in New York's time?
#
# Answer before you run anything. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l06-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
march = 0  # 02:30 does not exist on that day
november = 2  # 01:30 comes twice
### END SOLUTION
# march: how often does '30 2 * * *' fire on 10 March 2013?
# november: how often does '30 1 * * *' fire on 3 November 2013?

# %% nbgrader={"grade": true, "grade_id": "l06-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(march) is int, "march is a number, such as 3"
assert type(november) is int, "november is a number, such as 3"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-look-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `batchlab cron … --plan` plays a schedule on a virtual clock, and says which run each time would start. Look at the days around both changes.

# %%
from grader.notebook import batchlab

batchlab("cron early.yaml --from 2013-03-09 --to 2013-03-11 --plan")

# %%
batchlab("cron late.yaml --from 2013-11-02 --to 2013-11-04 --plan")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-look-after", "locked": true, "schema_version": 3, "solution": false, "task": false}
# A day without a run is a partition that nobody writes. A day with two runs is harmless if the run is idempotent (lab 3), and costs a run. Keep away from 01:00 to
# 02:59 in a zone whose clocks change, and look at the zone's rules: some change at midnight.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-schedule-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A time that exists (2 points)
#
# `ingest` has such a schedule. See what it would do in March:

# %%
batchlab("cron ingest/workflow.yaml --from 2013-03-09 --to 2013-03-11 --plan")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-schedule-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Change `Schedule(…)` in `ingest/workflow.py` to a time that every day has once, late enough for the day in New York to be over. Then write the manifest anew, and look
# again.

# %%
batchlab("render ingest --submission .")
batchlab("cron ingest/workflow.yaml --from 2013-03-09 --to 2013-03-11 --plan")

# %% nbgrader={"grade": true, "grade_id": "l06-schedule", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M06-schedule", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-wall-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The day that a run is for (3 points)
#
# `transform` says for itself which day it is for, near the end of `transform/workflow.py`:

# %%
from pathlib import Path

lines = Path("transform/workflow.py").read_text().splitlines()
print("\n".join(line for line in lines if "YESTERDAY" in line))

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-wall-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# `now()` is the clock on the wall, and Argo evaluates it when the workflow starts. As long as runs start on time, nothing is wrong with the result. Say to yourself what happens
# to the run of a Friday night that the controller starts on Monday morning, and to the run that you submit again on Wednesday because it had failed.
#
# Make the date depend on `workflow.scheduledTime`, in New York's zone. Expressions have `date(text)`, which reads a time; ``.In(timezone(`…`))``; `.AddDate(years,
# months, days)`; and ``.Format(`2006-01-02`)``, in which the digits of that one day in 2006 stand for year, month and day. `yearShift` is 0 here; it lets a cluster's clock be in the
# present while the data are of 2013. The simplest repair is to leave the helper `cron_workflow` alone: it does all this.

# %%
batchlab("render transform --submission .")
batchlab("cron transform/workflow.yaml --from 2013-03-09 --to 2013-03-11 --plan")

# %% nbgrader={"grade": true, "grade_id": "l06-wall", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M06-wall-clock", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-overlap-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Overlaps and missed starts (2 points)
#
# Two more words of `ingest`'s schedule are wrong: a run may start while the one before is at work, and a start is made up for within ten seconds only, which is less than a
# controller needs to move to another node. What does each cost? Repair both in the same line, and render.

# %%
batchlab("render ingest --submission .")

# %% nbgrader={"grade": true, "grade_id": "l06-overlap", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M06-concurrency", points=1)

# %% nbgrader={"grade": true, "grade_id": "l06-missed", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M06-catch-up", points=1)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)
#
# The same for all pipelines, and one thing more: what a run *wrote* is the day that it was for.

# %% nbgrader={"grade": true, "grade_id": "l06-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M06", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# The CronWorkflows that you have edited are the very objects that a cluster gets. There the clock is in the present: `yearShift` is -13, so that a run of today is for a day of
# 2013. `kubectl -n batch get cronworkflows` shows when each fired last; the Argo server's pages show the workflows that it made, with their scheduled time as an annotation.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M06 --target cluster --days 1 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Yesterday's flights belong into yesterday's partition. Tonight's run finds five flights of three days ago that were reported late. Into which partition do they belong, and which run
#    should write them?
# 2. Why can you clear and run again any past day of this pipeline, and not of one that uses `now()`?
# 3. `Forbid`, `Replace`, or a lock: choose one for a run that usually takes ten minutes and once took thirty hours. Say what you give up.

# %% [markdown] nbgrader={"grade": true, "grade_id": "l06-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Into the partition of the day on which they were to fly, three days ago. Tonight's run is for yesterday and must not touch it; the run of that day is started again, and replaces the
#    partition with what the source says now. Within the allowed lateness a schedule does it by itself; later, a person decides.
# 2. Because a run depends on its parameters and the source only. Given the date, it reads that day and replaces that partition, whenever it runs. With `now()` every repetition is for the
#    day before the repetition, and the past can only be rewritten by changing the code.
# 3. A lock per day together with Forbid: the next day waits or is skipped, and nothing is written by two at once. What is given up is time: a run that hangs holds up those after it until its
#    deadline. Replace would end the long run each night, and it would never finish.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l06-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Argo's documentation: *Cron Workflows*, with its table of what fires when clocks change; *Variables* for `workflow.scheduledTime`.
# - The anti-pattern of this lab has a name, *left-pad*: a run of today that also writes yesterday, so that whoever repairs a day breaks its neighbour. The check
#   `M03-untouched` finds it.
# - Write down for a schedule of your own: its zone, its logical date, and what becomes of a start that was missed.
# - Lab 10 runs a range of past days.
