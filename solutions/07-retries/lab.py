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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 7: retries with exponential backoff
#
# Something always fails: a pod is moved to another node, a database restarts, a webhook answers 503 for a minute. Most of these failures pass by
# themselves. A workflow that gives up at the first one wakes a person at night for nothing. A workflow that tries again at once, and for ever, keeps the
# other side from recovering, and nobody learns that something is wrong.
#
# In this lab you will
#
# 1. say beforehand when each attempt of a step starts, and watch it happen,
# 2. give the steps of `publish` waits that grow,
# 3. keep `ingest` from retrying what no retry can mend,
# 4. find the step that hides its failure, so that nothing retries it.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and the three pipelines. You edit
# `publish/workflow.py`, `publish/notify.py` and `ingest/workflow.py` with any editor, and the cells below that ask for an answer.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# A `retryStrategy` belongs to a template. Argo wraps each step of that template in a node of type **Retry**, and every attempt is a child of it: `notify(0)`,
# `notify(1)`, …
#
# ```yaml
# retryStrategy:
#   limit: 3                 # retries after the first attempt: four attempts in all
#   retryPolicy: Always      # OnFailure: exit codes; OnError: lost pods; Always: both
#   expression: '!(lastRetry.exitCode in [`2`, `3`])'   # retried only while this is true
#   backoff:
#     duration: 5s           # the first wait
#     factor: 2              # each wait is so many times the one before
#     cap: 1m                # but no longer than this
# ```
#
# - The wait before retry *n* is the smaller of `duration · factor^(n-1)` and `cap`. It begins when the attempt before it **ends**.
# - Without `factor` every wait is `duration`. Without `limit` there is no last attempt, and the backoff is ignored.
# - `expression` sees `lastRetry.exitCode`, `lastRetry.status`, `lastRetry.duration` and `lastRetry.message`. The values are texts: `2` stands in backquotes.
#
# *Exponential* backoff means that the waits grow by a factor. A short outage costs seconds, and a long one is not hammered: after a few attempts
# the other side sees one call per `cap`.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# `flaky.yaml` has a step with `limit: 5` and `backoff: {duration: 10s, factor: 3, cap: 2m}`. Suppose that every attempt fails at once, in no time.
#
# Answer before you run anything. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l07-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
attempts = 6
waits = [10, 30, 90, 120, 120]
### END SOLUTION
# attempts: how many attempts are there in all?
# waits: the seconds between them, as a list such as [1, 2, 3]

# %% nbgrader={"grade": true, "grade_id": "l07-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert type(attempts) is int, "attempts is a number, such as 4"
assert type(waits) is list, "waits is a list of seconds, such as [1, 2, 3]"
assert all(type(wait) in (int, float) for wait in waits), "each wait is a number of seconds"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-look-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `batchlab explain retry` reads the policies of a file and says when attempts start, if all fail. Compare it with your answer.

# %%
from grader.notebook import batchlab, draw

batchlab("explain retry flaky.yaml --attempt 0s")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-run-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Now run it. Its step fails in the first two attempts (`{{retries}}` is 0, then 1), and succeeds in the third. With `--virtual-time` the waits pass at once, and
# are recorded as if they had been waited for.

# %%
batchlab("run flaky.yaml --virtual-time")

# %%
draw("retry")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-read-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The dashed bars are waits. The last attempt decides: the Retry node has the phase of its last child, so the workflow succeeded although two attempts
# failed. In Argo's own pages you see the same tree.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-publish-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Waits that grow (3 points)
#
# All steps of `publish` share one policy. Read it, and what it means:

# %%
from pathlib import Path

print(next(line for line in Path("publish/workflow.py").read_text().splitlines() if "PATIENCE =" in line))
batchlab("explain retry publish/workflow.yaml")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-publish-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Eight retries, each fifteen seconds after the one before. If the database is away for ten minutes, all eight are over long before. If it is overloaded, every
# workflow comes back at the same pace at which it failed.
#
# Change `PATIENCE` in `publish/workflow.py`: waits that grow at least twofold, a cap, and a small number of retries. Then write the manifest anew from the
# code, and look at the policy again.

# %%
batchlab("render publish --submission .")
batchlab("explain retry publish/workflow.yaml")

# %% nbgrader={"grade": true, "grade_id": "l07-attempts", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M07-attempts", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-final-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## What no retry mends (2 points)
#
# `batchlab` runs a pipeline for any date that you give it. 30 February is none. Predict in your head how many attempts there will be, then run it:

# %%
batchlab("run --submission . --name ingest -p ds=2013-02-30 --virtual-time")
draw("retry")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-final-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The first step, `check`, reads the parameters. It ended with exit code 2 each time, the kit's code for a parameter that is wrong; 3 stands for data that does
# not meet its expectations, 1 for everything else. The date will not be a date in the next attempt either. Such a retry costs time, hides the message behind
# its repetitions, and delays whoever waits for the answer.
#
# The other steps of the pipelines leave these codes out. In `ingest/workflow.py` somebody took that away from `check`. Put it back, render, and run
# it once more.

# %%
batchlab("render ingest --submission .")
batchlab("run --submission . --name ingest -p ds=2013-02-30 --virtual-time")

# %% nbgrader={"grade": true, "grade_id": "l07-final", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M07-final", points=2)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-deaf-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The failure that nobody sees (3 points)
#
# A policy retries what **fails**. The play behind the next check lets the webhook answer 503 once, as services do while they restart.

# %%
from grader.notebook import check

check("M07-transient")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-deaf-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The step ended well, and nobody was told. Its log says so, but a log is not a failure: Argo looks at the exit code. Read `publish/notify.py`, and let the step
# fail when the webhook does. The retry is safe: the call has an idempotency key, so a call that did arrive has no second effect.

# %% nbgrader={"grade": true, "grade_id": "l07-transient", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M07-transient", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)
#
# The same check for all three pipelines, with one more: a step that fails makes its run fail, and nothing of it becomes visible.

# %% nbgrader={"grade": true, "grade_id": "l07-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M07", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# With a cluster (`batchlab cluster up`), the same folder is pushed and graded there. What differs: a pod takes some seconds to start, so a wait of one second is
# longer than it says; a pod that is deleted counts as an *error*, which `OnFailure` does not retry and `Always` does; and a Spark step has two places that may
# retry, the workflow and the SparkApplication (`restartPolicy`), whose numbers multiply. The kit's applications have `restartPolicy: Never` for this reason.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("grade M07 --target cluster --days 1 --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. A task of a pipeline fails. Name one failure for each answer: retry it, skip it, fail the run. Who decides which it is?
# 2. Argo retries a step three times, and its SparkApplication has `restartPolicy: {type: OnFailure, onFailureRetries: 3}`. How often may the driver start? Why is one
#    place enough?
# 3. Why must a step that is retried be idempotent? Which of the steps of `publish` would do harm if it were not?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l07-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Retry: a webhook that answers 503, a lost pod. Skip: a step whose work is not due, such as an alert when nothing failed; `when` decides it before the
#    step starts. Fail: a date that is none, or data that does not meet its expectations. The author of the step decides, by its exit code and its policy;
#    the orchestrator only carries it out.
# 2. Sixteen times: four attempts of the step, and in each four starts of the driver. The workflow is the better place, because its attempts are visible as nodes,
#    with waits that grow and an expression that leaves some failures out.
# 3. A retry is a second run: the first attempt may have done its work before it was lost. `replace` would add the day's rows again if it did not replace the day in
#    one transaction, and `notify` would tell everybody twice if the call had no idempotency key.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l07-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Argo's documentation: *Retries* and *Fields → RetryStrategy, Backoff*. `maxDuration` ends all attempts after a time; `affinity` sends the next attempt to
#   another node.
# - Write down, for a pipeline of your own: which failures pass by themselves, how long they usually last, and who has to know when they do not.
# - Lab 3 is why all this is allowed. Lab 8 shows which attempt wrote what.
