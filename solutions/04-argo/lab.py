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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 4: Argo Workflows, and steps with an order
#
# A pipeline is steps and an order. Written as one script, the order is the order of its lines, and when line 40 fails, somebody reads lines 1 to 39 to find out what may be run again. Written as a workflow, each step is an object of its own,
# with a beginning, an end and an outcome, and an **orchestrator** decides what may run now.
#
# In this lab you will
#
# 1. say beforehand what an orchestrator does with five tasks, when all goes well and when one fails,
# 2. repair an installation of Argo, as Flux sees it,
# 3. give a workflow the order that it needs,
# 4. give its pods the right that they need.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml`, `diamond.yaml` and `flux/`, a tree as in lab 1. You edit four of its files, and the cells below that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# `diamond.yaml` has five tasks: `join` needs `flights` and `weather`; `report` needs `join` and `airlines`.

# %%
from pathlib import Path

from grader.notebook import batchlab, check, draw

print(Path("diamond.yaml").read_text())

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-predict-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Answer before you run it. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l04-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
at_once = ["flights", "weather", "airlines"]
last = "report"
if_weather_fails = {"flights": "Succeeded", "airlines": "Succeeded", "join": "Omitted", "report": "Omitted"}
### END SOLUTION
# at_once: names of the tasks that may run at the same time at the beginning, as a list
# last: name of the task that is the last to run
# if_weather_fails: what becomes of the other four, as {"flights": "Succeeded", ...}: Succeeded, Failed or Omitted

# %% nbgrader={"grade": true, "grade_id": "l04-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
tasks = {"flights", "weather", "airlines", "join", "report"}
assert set(at_once) <= tasks, "at_once is a list of names of tasks"
assert last in tasks, "last is the name of a task"
assert set(if_weather_fails) == tasks - {"weather"}, "if_weather_fails says what becomes of the other four tasks"
assert set(if_weather_fails.values()) <= {"Succeeded", "Failed", "Omitted"}, "each is Succeeded, Failed or Omitted"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-run-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look

# %%
batchlab("run diamond.yaml")
draw("run")

# %%
batchlab("run diamond.yaml -p fails=weather")
draw("run")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-decides", "locked": true, "schema_version": 3, "solution": false, "task": false}
# `airlines` ran although `weather` had failed: nothing that it depends on had. `join` is *Omitted*: its condition can no longer become true. The run as a whole is *Failed*.
#
# The orchestrator decided **when** each task may start, **how many** run at once, and what becomes of the rest when one fails. It knows nothing about flights. That `join` needs `weather` is yours to say: left out, everything works as
# long as `weather` happens to be quicker.
#
# | | what is written | what Argo does |
# |---|---|---|
# | `dag` with `depends` | what each task needs: `flights && weather`, `a.Succeeded \|\| b.Skipped` | starts whatever is free |
# | `steps` | groups, one after another; within a group all at once | waits for each group |
# | `parallelism` | how many at once, of a workflow or a template | holds the others back |

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-tree-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The installation (3 points)
#
# Argo is installed by Flux, as the Spark Operator was in lab 1. Read the layers, then ask the check.

# %%
batchlab("flux flux")

# %%
check("M04-release")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-release-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Repair both: the version in `infra/controllers/argo-workflows.yaml`, and what `apps` must wait for in `clusters/local/apps.yaml`.
#
# Why does an order between *layers* matter, when Flux tries again until it works? Because then nobody can tell an installation that is not ready yet from one that is broken.

# %% nbgrader={"grade": true, "grade_id": "l04-release", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M04-release", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-workflow-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Three steps, one after another (3 points)
#
# `apps/hello/workflow.yaml` has three steps that belong together: one measures, one doubles, one tells. Whoever wrote it did not know how to pass a value on, and wrote the values down.

# %%
print(Path("flux/apps/hello/workflow.yaml").read_text())
batchlab("run flux/apps/hello/workflow.yaml --again")
draw("run")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-workflow-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# (The workflow has a name of its own, which can be taken once; `--again` forgets the run before. With `generateName` each run gets another.)
#
# All three ran at once. It looks right, because the numbers are right today. Let `double` depend on `measure` and use what it printed: `{{tasks.measure.outputs.result}}`; and `tell` likewise what `double` gave. Run it again and look at the picture.
#
# The trap: a task that *refers* to another one's result without depending on it is refused when it is submitted, so use both. `batchlab lint` says so before you do.

# %%
batchlab("lint flux/apps/hello/workflow.yaml")
batchlab("run flux/apps/hello/workflow.yaml --again")
draw("run")

# %% nbgrader={"grade": true, "grade_id": "l04-workflow", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M04-workflow", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-rbac-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## What a pod may do (2 points)
#
# Each step is a pod, with an account. Beside your container, Argo runs one of its own in the pod, which reports what the step printed and how it ended: it writes an object of kind `WorkflowTaskResult`. Without the right to do so,
# a step runs, ends well, and its workflow waits for ever or fails with a message about permissions. Here, without pods, it would run. So the check reads the roles.

# %%
check("M04-rbac")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-rbac-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The role is in `infra/configs/workflow.yaml`. Give it that right and no more: this account is what every line of code of every pipeline runs as.

# %% nbgrader={"grade": true, "grade_id": "l04-rbac", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M04-rbac", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)

# %% nbgrader={"grade": true, "grade_id": "l04-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M04", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# `kubectl -n batch get workflows` lists runs, `kubectl -n batch get pods` their steps, and `batchlab cluster up` prints the address of Argo's own pages, where a run looks like the picture above. What differs: a step takes about ten seconds, most
# of which its pod needs to start; a step's output travels through that `WorkflowTaskResult`; and a node without room makes a step *Pending*, which here does not happen.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M04 --target cluster --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Five tasks with shared dependencies: which three questions does the orchestrator answer while they run, and which one can it not answer for you?
# 2. Why does every task get a container of its own? Name one price.
# 3. In `diamond.yaml`, `report` shall run even if `weather` failed, with a note that weather is missing. What do you change, and what must `join` be able to cope with?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l04-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. What may start now, how many at once, and what becomes of the rest when one fails. It cannot say what depends on what: that is knowledge about the data.
# 2. Tasks differ in image, resources, rights and secrets; one that runs out of memory takes no other along; each is retried alone. The price is some seconds for each pod, and that values have to be passed through parameters or
#    files in a store.
# 3. `join` gets `depends: flights && (weather.Succeeded || weather.Failed)`. It must do without the weather's output: a parameter of a failed task may not exist, so it needs a default, or `join` reads the table and finds it empty. The
#    run as a whole then succeeds, because the last tasks did: the note in the report is the only place where somebody learns of the failure.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l04-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Argo's documentation: *DAG*, *Enhanced Depends Logic*, *Steps*, *Parameters*, *Service Accounts*, *Workflow RBAC*.
# - Write down, for a script of yours: its steps, what each needs, and which of them could run at once.
# - Lab 5 lets a step start a Spark job. Lab 7 says what to do when a step fails.
