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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 0: orientation
#
# You will run a workflow in the next five minutes, bring a day of real flights into a table in ten, and then know where everything is. Nothing here needs Docker, a cluster or an account. Plan
# three quarters of an hour.
#
# **How a notebook works.** A cell with code is run by *Shift + Enter*. What it says appears below it. Cells that ask for an answer can be edited; the others are read-only. Run the cells from top to
# bottom. Anything may be run twice: making that true of pipelines as well is what this course is about.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-first-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A first run
#
# A **workflow** is a list of steps with an order, written down as a Kubernetes object. Here is a small one. It lies beside this notebook, as `hello.yaml`.

# %%
from pathlib import Path

from grader.notebook import batchlab, draw, sql

print(Path("hello.yaml").read_text())

# %%
batchlab("run hello.yaml")

# %%
draw("run")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Two steps ran, each in a process of its own, and the second one used what the first one had printed.
#
# | word | what it means | in the file |
# |---|---|---|
# | Workflow | what is to be run, once | the whole file |
# | template | how something is run: a container, a script, a graph of other templates | `main`, `python` |
# | task | one use of a template in a graph | `measure`, `double` |
# | `depends` | which tasks must have ended well before | `depends: measure` |
# | node | a task that was run, with its phase: Running, Succeeded, Failed … | a box in the picture |
#
# On a cluster, Argo's controller reads this object and starts a *pod* for each step: a container of its own on some machine. Here, the kit's **executor** reads the very same file and starts a process
# for each step. It was compared with the real controller, workflow by workflow, and does what that does.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-task-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Change it (2 points)
#
# Open `hello.yaml` in an editor (in JupyterLab: a click on it in the list of files on the left). Add a third task, `tell`, that runs after `double` and prints a sentence with the result of `double` in it.
# Save the file, run it, and look at the picture again.

# %%
batchlab("run hello.yaml")
draw("run")

# %% nbgrader={"grade": true, "grade_id": "l00-task", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import yaml

templates = yaml.safe_load(Path("hello.yaml").read_text())["spec"]["templates"]
tasks = {task["name"]: task for one in templates if "dag" in one for task in one["dag"]["tasks"]}
assert "tell" in tasks, "there is no task named tell in hello.yaml yet"
assert "double" in tasks["tell"].get("depends", ""), "tell does not say what it depends on"
assert "tasks.double.outputs.result" in str(tasks["tell"]), "tell does not use the result of double"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-wrong-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## When something is wrong
#
# Every command of the kit checks its input before it starts anything. Misspell `depends` in your file, save, and run the next cell. Then put it back.

# %%
batchlab("lint hello.yaml")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-data-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The data
#
# The course works on every flight that left New York in 2013: 336,776 of them, with the weather at the three airports, the airlines and the aircraft. They are real, with all that real data have: flights that never departed,
# landings after midnight, a day with 23 hours, an anemometer that reported 1048 miles an hour.
#
# They lie in PostgreSQL, as an airline's operational database would have them. The next cell starts it, and a catalog of tables, on this machine only; the first time that takes a minute or two.

# %%
batchlab("data load")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-ingest-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The pipeline `ingest` brings one day from there into a table of the **lake**: files of columns in a folder, with a catalog that knows which files make up a table now. It is a workflow like the one above, with Spark in one of its
# steps. You have a copy of its code in `ingest/`. `ds` is the day that the run is *for*, its **logical date**.
#
# Checks grade your pipelines on two days. They are the same for everybody, unless your course gives each of you days of their own; `sample()` says which.

# %%
from grader.notebook import sample

mine = sample()
print(mine)

# %%
batchlab(f"run --submission . --name ingest -p ds={mine.first}")

# %%
sql(f"""
SELECT origin, count(*) AS flights FROM lake.raw.flights
WHERE flight_date = DATE'{mine.first}' GROUP BY origin ORDER BY origin
""")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-find-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Find out (3 points)
#
# `sql()` runs Spark SQL on your tables. The questions are about your first day, `mine.first`. A flight that never departed has no `dep_time`. Ask the table, and write the answers down.
#
# The columns are `flight_date`, `carrier`, `flight`, `origin`, `dest`, `tailnum`, `sched_dep_time`, `dep_time`, `dep_delay`, `sched_arr_time`, `arr_time`, `arr_delay`, `air_time`, `distance`.

# %%
sql("SELECT * FROM lake.raw.flights LIMIT 5")

# %% nbgrader={"grade": false, "grade_id": "l00-find", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
day = f"FROM lake.raw.flights WHERE flight_date = DATE'{mine.first}'"
flights = mine.flights  # sql(f"SELECT count(*) {day}") says the same
never_departed = 9  # sql(f"SELECT count(*) {day} AND dep_time IS NULL")
to_puerto_rico = 26  # sql(f"SELECT count(*) {day} AND dest IN ('SJU', 'BQN', 'PSE', 'STT')")
### END SOLUTION
# flights: how many flights of your first day does the table have?
# never_departed: how many of them never departed?
# to_puerto_rico: how many of them went to SJU, BQN or PSE, or to STT in the Virgin Islands?

# %% nbgrader={"grade": true, "grade_id": "l00-found", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import sample

answers = [flights, never_departed, to_puerto_rico]
assert all(type(answer) is int for answer in answers), "each answer is a number, such as 12"
assert sample().right(answers), "at least one number is not what the table says"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-twice-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Run it again
#
# Run the same day once more, and count again. The number must be what it was. Everybody who runs pipelines runs days twice, mostly without meaning to.

# %%
batchlab(f"run --submission . --name ingest -p ds={mine.first}")
sql(f"SELECT count(*) AS flights FROM lake.raw.flights WHERE flight_date = DATE'{mine.first}'")

# %%
draw("history", "lake.raw.flights")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-targets", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Two places, one set of files
#
# | | on this machine | on a cluster |
# |---|---|---|
# | what you need | Python and Java | Docker and kind, or any Kubernetes |
# | begin | nothing: it starts by itself | `make cluster` |
# | run | `batchlab run FILE` | `batchlab cluster push`, then Argo does |
# | Argo | the kit's executor | the controller |
# | Spark Operator | played, with the same states | the operator |
# | a step | a process | a pod |
# | tables | Iceberg, in a folder | Iceberg, in an object store |
# | where to look | `batchlab runs`, `draw("run")` | Argo's pages, `kubectl` |
# | grade | `batchlab grade` | `batchlab grade --target cluster` |
#
# Every lab has a section on the cluster. All of them can be done without one.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-items", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## What you will be able to do
#
# Ten items, each of which is graded by what your pipelines do. The list below is yours; it fills as you go.

# %%
batchlab("progress")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-plan", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A plan
#
# Two evenings a week are enough. The labs build on each other in this order.
#
# | week | labs | in short |
# |---|---|---|
# | 1 | 0, 1 | where everything is; an operator installed by Flux |
# | 2 | 2, 3 | Spark writes tables; running twice does no harm |
# | 3 | 4, 5 | workflows with an order; a step that runs Spark |
# | 4 | 6, 7 | every day by itself; retries that help |
# | 5 | 8 | what was made from what, and by whom |
# | 6 | 9, 10 | dbt as a step; a past range |
# | 7 | 11 | the same in another orchestrator |
# | 8 | all | once more from memory, against the clock |
#
# Each lab is begun by `batchlab start NUMBER`, which makes a copy in `work/`. `batchlab reset NUMBER` begins it again and keeps what you had. `batchlab hint CHECK` gives one hint after another, from a question to
# nearly the answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-reading", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## To read
#
# Not now. Each lab ends with the pages that belong to it.
#
# - Argo Workflows: *Core Concepts*, *DAG*, *Retries*, *Cron Workflows*.
# - Spark Operator: *Quick Start Guide*, *Working with SparkApplications*.
# - Apache Iceberg: *Table Spec* (the overview), *Spark Writes*, *Branching and Tagging*.
# - dbt: *Incremental models*, *Data tests*.
# - Flux: *Core Concepts*, *Kustomization*, *HelmRelease*.
# - OpenLineage: *The Object Model*.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-write-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Write down (2 points)
#
# A person reads this. Double-click on the cell below to edit it. A few sentences are enough.
#
# 1. You ran one day twice, and the table held the same afterwards. Name a job that you know where that would not be so.
# 2. What do you want to be able to do at the end that you cannot do now?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l00-write", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# 1. For example: a script that appends a day's exports to a file each night. Run twice after a failure, the day is in the file twice, and whoever sums it up does not see why.
# 2. For example: run a whole past month again after a correction, while the nightly run goes on, and say afterwards exactly which days changed.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l00-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# `batchlab start 1`, or stay here and look around: `batchlab --help` lists what there is, and each command has an example.
