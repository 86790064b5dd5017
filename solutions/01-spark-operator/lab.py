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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 1: the Spark Operator, installed by Flux
#
# A Spark job on Kubernetes needs three things: something that knows how to start it, something that installed that, and a job. Each can be done by hand, once. The second time, on another
# cluster, by somebody else, after a year, it cannot. So all three are written down as objects in Git, and a controller keeps the cluster equal to what is written.
#
# In this lab you will
#
# 1. read a tree of such objects in the order in which they are applied,
# 2. say beforehand what happens when the order is wrong,
# 3. repair the installation of the operator, a first SparkApplication, and one on a schedule.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `submission.toml` and `flux/`, the tree. You edit four of its files with any editor, and the cells below that ask for
# an answer. Nothing needs a cluster: the tree is rendered and checked here as Flux and the API server would do it, and the small application really runs.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# | word | what it is |
# |---|---|
# | operator | a controller for a kind of object of its own: the Spark Operator for `SparkApplication` |
# | CRD | the definition of such a kind. Before it is installed, the API server refuses objects of the kind |
# | Helm chart, release | a package of objects with values to fill in; one installation of it |
# | `HelmRelease` | says to Flux: this chart, in this version, with these values |
# | `kustomization.yaml` | a list of files that belong together, for the tool kustomize |
# | `Kustomization` of Flux | says to Flux: apply this folder, then look at what became of it |
# | `dependsOn` | this Kustomization is applied when those are Ready |
# | `wait` | a Kustomization is Ready when everything that it applied is Ready, not already when it is applied |
# | reconcile | compare what is with what is written, and make it so; every few minutes, for ever |

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-tree-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# `batchlab flux` shows what Flux would apply, layer by layer. First comes what somebody applies by hand, once. Everything else follows from it.

# %%
from pathlib import Path

from grader.notebook import batchlab, check

batchlab("flux flux")

# %%
print(Path("flux/clusters/local/infra.yaml").read_text())

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# Read the two Kustomizations above. `infra-controllers` applies a HelmRelease for the operator; its chart brings the CRD of `SparkApplication`, which takes a minute to install. `apps` applies a SparkApplication, and depends, over
# `infra-configs`, on `infra-controllers`.
#
# Answer before you go on. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l01-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
ready_after = "applied"  # without wait: as soon as the HelmRelease object is there
first_try_of_apps = "fails"  # no matches for kind "SparkApplication"
ends_well_later = True  # retryInterval: it is tried again until the CRD is there
### END SOLUTION
# ready_after: infra-controllers is Ready when its HelmRelease is "applied" or "installed"?
# first_try_of_apps: "works" or "fails"?
# ends_well_later: will Flux get there by itself in the end, True or False?

# %% nbgrader={"grade": true, "grade_id": "l01-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert ready_after in ("applied", "installed"), 'ready_after is "applied" or "installed"'
assert first_try_of_apps in ("works", "fails"), 'first_try_of_apps is "works" or "fails"'
assert type(ends_well_later) is bool, "ends_well_later is True or False"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-release-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The release (3 points)
#
# An installation should give the same operator today and in a year, and be complete before anything uses it.

# %%
check("M01-release")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-release-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Two repairs, in two files of the tree: `infra/controllers/spark-operator.yaml` and `clusters/local/infra.yaml`.
#
# - *A range of versions* is resolved when Flux looks, every day anew. Some night a new minor version is installed, and nobody changed anything. With an exact version the change is a commit, with a date and an author.
# - *Ready* must mean that the types are there. An order that works because something is tried again until it works looks the same as an order that works, until it takes longer than a timeout.

# %% nbgrader={"grade": true, "grade_id": "l01-release", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M01-release", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-watches-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Who is watched (1 point)
#
# An operator may do in a namespace what its roles say. So it is told in which ones it works. An application elsewhere is accepted, and nothing ever happens to it: no state, no event, no pod.

# %%
check("M01-watches")

# %% nbgrader={"grade": true, "grade_id": "l01-watches", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M01-watches", points=1)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-application-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A first application (3 points)
#
# `hello` in `apps/hello/application.yaml` counts to a hundred with one executor. It exists to show that image, rights and operator fit together, before a large job is debugged. Read it, then have it checked: it runs
# here, as it would there.

# %%
print(Path("flux/apps/hello/application.yaml").read_text())
check("M01-application")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-application-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# - `OnFailure` without a number: the operator then does not restart at all. Write what you mean: `Never`, or how often and how long between.
# - The **driver** is a pod that asks the API server for pods: the executors. Which account it has decides whether it may. Without a word it has the namespace's `default` account, which may do nothing. The tree has an account for it, in
#   `infra/configs/spark.yaml`.
#
# `spark-submit` from a shell asks for a driver in the same way, and then it is on its own. The operator does what somebody at that shell would have to do: hold the state, restart, clean up, publish metrics,
# refuse nonsense before a pod starts, and do all of it again after the shell is closed.

# %% nbgrader={"grade": true, "grade_id": "l01-application", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M01-application", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-scheduled-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a schedule (1 point)
#
# A `ScheduledSparkApplication` makes applications at times. This one is meant for the night, New York time.

# %%
check("M01-scheduled")

# %%
batchlab("cron flux/apps/hello/scheduled.yaml --from 2013-03-09 --to 2013-03-11 --plan")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-scheduled-task", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The trap is in the calendar: on 10 March 2013 the clocks in New York went from 02:00 to 03:00. What is due at 02:30 is due at a time that does not exist. In November, 01:30 comes twice. Choose another hour, and say what
# happens when the application of the day before is still there.
#
# | | ScheduledSparkApplication | CronWorkflow with a Spark step |
# |---|---|---|
# | what is started | one application | a graph of steps |
# | a missed start | is lost | is made up for within `startingDeadlineSeconds` |
# | the day that a run is for | the job must work it out from the clock | derived from the time at which it was due, `cronworkflow.scheduledTime` |
# | retries | `restartPolicy` of the application | `retryStrategy`, with waits that grow |
# | overlap | `concurrencyPolicy`, to be given | `concurrencyPolicy`, `Allow` by default |
#
# For one job without a date it is enough. Lab 6 shows what a date needs.

# %% nbgrader={"grade": true, "grade_id": "l01-scheduled", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M01-scheduled", points=1)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-whole-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The whole item (3 points)

# %% nbgrader={"grade": true, "grade_id": "l01-item", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from grader.notebook import check

check("M01", points=3)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# `batchlab cluster up` makes one, and Flux installs everything from the reference tree. Then look at what you have read:
#
# - `kubectl -n flux-system get kustomizations`: the layers, and what each waits for.
# - `kubectl -n spark-operator get helmreleases`: the operator, with its version.
# - `kubectl -n batch get sparkapplications`: `hello`, with its state.
# - `kubectl -n batch delete sparkapplication hello`: gone, and back after at most an interval. That is reconciling.
#
# What differs there: a driver and an executor are pods that need room on a node, and the operator's answers take seconds. `batchlab cluster status` says in one screen what Flux waits for, and why.

# %%
TARGET = "local"  # "cluster": on the one that `batchlab cluster up` made

if TARGET == "cluster":
    batchlab("cluster status")
    batchlab("grade M01 --target cluster --submission .")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-explain-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explain (3 points)
#
# A person reads this answer. A few sentences are enough; double-click on the cell below to edit it.
#
# 1. Somebody scales the operator's Deployment to zero by hand, at night, to stop a job. What happens next, and what should they have done?
# 2. Why an operator, and not `spark-submit` in a container? Name two things that the operator does after the job was submitted.
# 3. Walk from the SparkApplication to the executors: who creates what, and whose account is used at each step?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l01-explain", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. At the next reconciliation Flux finds the Deployment different from the release and puts it back, if drift detection is on; without it, at the next upgrade. The change is in nobody's history. They should have suspended the
#    schedule, or deleted the application, and written the change down where the tree is.
# 2. It keeps the application's state where everybody can read it, restarts by the policy that is written down, removes what is left, and refuses a wrong application before it starts. A container with `spark-submit` ends when it
#    ends, and nobody looks after it.
# 3. Flux creates the SparkApplication, with the rights of its own controller. The operator sees it and runs `spark-submit`, which creates the driver pod with the operator's account. The driver creates the executor pods
#    with the account that the application names, `spark`. The executors need no rights.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l01-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Flux's documentation: *Kustomization* (`wait`, `dependsOn`, `healthChecks`), *HelmRelease* (`chart.spec.version`, drift detection).
# - The Spark Operator's: *Working with SparkApplications* (restart policy), *Running Spark Applications on a Schedule*.
# - Write down, for something that you have installed by hand: where its version is written, and who would notice that it is not what is written.
# - Lab 4 installs Argo in the same way. Lab 5 has a workflow start the applications.
