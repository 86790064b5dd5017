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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 5: a step that runs Spark
#
# A workflow step is a container that runs a command. A Spark job is not: it is a driver that asks for executors, and all of them are pods of their own. So a step does not *run* Spark. It
# creates an object, a **SparkApplication**, and then looks at it until it is over. What *over* means, you have to say.
#
# In this lab you will
#
# 1. run the smallest Spark job as a workflow step, and follow it from the object to the executors,
# 2. say beforehand what a step must make of each state of an application,
# 3. repair a step that is over too early,
# 4. repair a name that meets its predecessor.
#
# **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit `transform/workflow.py` with any editor, and
# the cells below that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-walk", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## From the object to the executors
#
# 1. The step's template has `resource: {action: create, manifest: …}`. Argo's pod for it creates the object and does nothing else but look at it, about every five seconds.
# 2. The **Spark Operator** sees a new SparkApplication. It runs `spark-submit` in its own pod, and sets the state to `SUBMITTED`.
# 3. `spark-submit` asks Kubernetes for the **driver** pod. The scheduler finds a node with room for it. The state becomes `RUNNING`.
# 4. The driver starts, and asks Kubernetes for **executor** pods. Each gets tasks from the driver.
# 5. The driver ends. The operator writes `COMPLETED` or `FAILED`, the only two states that are final, or submits it again if its `restartPolicy` says so.
# 6. Argo finds one of its two conditions true, and the step ends.
#
# The **operator** decides that something is to run, and keeps the object's status true. The **scheduler** decides on which node a pod runs. Neither knows what the job does.
#
# On this machine the same manifests run without pods: the executor plays the operator, with the same states, and the driver is a process with its executors inside.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-run-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `hello.yaml` is a workflow of one such step. Read it, then run it.

# %%
from pathlib import Path

from grader.notebook import batchlab, draw

print(Path("hello.yaml").read_text())

# %%
batchlab("run hello.yaml")

# %%
draw("run")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# Three states, one step. What must the step do while the application is in this state: `"wait"`, `"succeed"` or `"fail"`?
#
# Answer before you go on. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l05-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
running = "wait"
submission_failed = "wait"  # the operator may still submit it again
no_state_yet = "wait"
### END SOLUTION
# running: the driver runs
# submission_failed: spark-submit has failed (SUBMISSION_FAILED)
# no_state_yet: the object is there, and the operator has not looked at it

# %% nbgrader={"grade": true, "grade_id": "l05-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
for answer in (running, submission_failed, no_state_yet):
    assert answer in ("wait", "succeed", "fail"), 'each answer is "wait", "succeed" or "fail"'

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-conditions-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A step that is over too early (3 points)
#
# The step `curate` of `transform` has conditions of its own. The check asks the conditions of every Spark step about all states that the operator has.

# %%
from grader.notebook import check

check("M05-conditions")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-conditions-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# `successCondition` and `failureCondition` are looked at together, each time. The first one that is true ends the step. Without any condition a step ends as soon as the object is
# created.
#
# Here the trap is not the job that fails. It is the job that works: `curate` is over as soon as its driver has started, and `build` reads the day that is not yet written. Nothing
# fails. The marts hold what the run before left, and nobody is told.
#
# Look at `followed` in `transform/workflow.py`, and let the step succeed on the one state in which the job is done, and fail on the one in which it has failed. The helper `spark_step` knows
# both: the simplest repair is not to change what it says. Then render.

# %%
batchlab("render transform --submission .")

# %% nbgrader={"grade": true, "grade_id": "l05-conditions", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M05-conditions", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-names-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A name that is taken (3 points)
#
# Objects have names, and a name can be taken once. What does the second attempt of a step find, if it has the same name as the first?

# %%
from grader.notebook import check

check("M05-names")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-names-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# - `create` of a name that is taken fails with *AlreadyExists*. The retry fails at once, and so does every further one.
# - `apply` of an object that is there with the same content changes nothing. The old `COMPLETED` is still in its status, so the step succeeds, and no job runs.
#
# A name is safe if no other attempt of any run has it. `{{retries}}` counts the attempts of a step, `workflow.uid` is of one run. Repair the second line of `followed`, and render.

# %%
batchlab("render transform --submission .")

# %% nbgrader={"grade": true, "grade_id": "l05-names", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M05-names", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)
#
# Now the pipelines really run: applications are created, they complete, and each step ends after its own. It takes some minutes.

# %% nbgrader={"grade": true, "grade_id": "l05-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M05", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# What differs: a driver and an executor are pods, which the scheduler must find room for. `kubectl -n batch get sparkapplications -w` shows the states as they change; `kubectl -n batch get pods` the driver and
# its executors; Spark's history server shows the stages of jobs that are over. A volume or an image that does not exist leaves an application `SUBMITTED` for ever, which is
# why every Spark step of the kit has an `activeDeadlineSeconds`.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M05 --target cluster --days 1 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (4 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. A container step that calls `spark-submit` itself works as well. What is lost?
# 2. Why does each task of a workflow get a container of its own, and not all of them one?
# 3. The workflow is stopped while the driver runs. What becomes of the Spark job, and what would you have to do about it?
# 4. Read the three files `workflow.yaml`. Of which kind is the template of each step of `ingest`, `transform` and `publish`, and why of that kind?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l05-explain", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. Nothing on the cluster knows that it is a Spark job: no object with its state, its driver and its attempts; no defaults and limits of the operator; no restart policy, no metrics. The step's
#    pod is the client, and if it is lost, nobody knows whether the job still runs.
# 2. Tasks differ in their images, resources, rights and secrets, and in how they fail. One that runs out of memory takes nobody along, and each is retried alone, on another node if need be. The price is
#    some seconds for each pod.
# 3. Stopping ends the pod that looks, not the job: the application goes on, and may still commit. An exit handler can delete the application; and because its commit is one atomic replacement
#    of a partition, a job that does go on does no harm.
# 4. `extract`, `curate` and `build` are resource templates: they create a SparkApplication and look at it, because Spark needs pods of its own. `check`, `validate`, `write`, `audit`, `read`, `replace` and `notify` are containers: one Python program each, whose exit code says how it ended.
#    `main` is a DAG, which runs nothing itself. What runs on exit is a container too, behind a `when`.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l05-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Argo's documentation: *Kubernetes Resources*. The Spark Operator's: *Working with SparkApplications*, with its states.
# - `spec.sparkConf` of the application is where lineage and snapshot properties come from. Lab 8 reads them.
# - Write down, for a job of yours that another system starts: how does the one who waits know that it is over, and what would make it believe so too early?
