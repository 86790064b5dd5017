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

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-title", "locked": true, "schema_version": 3, "solution": false, "task": false}
# # Lab 11: the same in Dagster
#
# You have built pipelines for one orchestrator. Another one has other words, and the words decide what is easy. In this lab the same three pipelines run under **Dagster**, for real, and you say which of the two you would take, and when neither.
#
# In this lab you will
#
# 1. read the pipelines as *assets* and as a *job*, and say beforehand what Dagster knows about them,
# 2. repair three mistakes that the other orchestrator would have let you make as well,
# 3. run days, look at Dagster's own pages, and measure what orchestration costs,
# 4. write 400 words.
#
# Plan an evening. **Where you work:** this notebook lies in your own copy of the lab, beside `definitions.py` and the three pipelines. You edit `definitions.py` with any editor, and the cells below that ask for an answer. Dagster has an environment of its own: if
# the first cell says that it is missing, run `make dagster` once.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-words", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## The words
#
# | Argo Workflows | Dagster | |
# |---|---|---|
# | Workflow, template | job, op | steps in an order |
# | the tables that a step writes (in lineage, lab 8) | **asset** | what is made is declared, and the steps follow from it |
# | `ds`, a parameter | **partition** of an asset | the tool knows which days there are, and which are missing |
# | `depends` | `deps` of an asset, inputs of an op | |
# | `retryStrategy` with `backoff` | `RetryPolicy` | |
# | CronWorkflow | schedule | |
# | a pod for each step | a process for each step; a pod, if so configured | |
# | YAML, or Hera | Python | |
# | the controller | the daemon, a web server, a code server | what runs when nothing runs |
#
# In Argo the order is written down and the data follow. In Dagster the data are written down and the order follows.

# %%
from pathlib import Path

from grader.notebook import batchlab, sql

print(Path("definitions.py").read_text())

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-predict-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Predict (1 point)
#
# `definitions.py` declares three assets, `raw_flights`, `marts` and `reports`, and a job `daily` of three ops. Each runs one of your pipelines, as its Argo workflow. Somebody asks Dagster to materialize all three assets for 9 March 2013.
#
# Answer before you run anything. The point is for answers of the right kind.

# %% nbgrader={"grade": false, "grade_id": "l11-predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
first = ["raw_flights", "marts", "reports"]  # nothing says that one needs another
day_that_runs = "yesterday"  # run_pipeline looks at the clock
dagster_shows = "2013-03-09"  # it was asked for this partition, and the function returned
### END SOLUTION
# first: which of the assets may start at once, as a list of names?
# day_that_runs: which day do the pipelines run for, "2013-03-09" or "yesterday"?
# dagster_shows: which partition does Dagster show as made, "2013-03-09" or "yesterday"?

# %% nbgrader={"grade": true, "grade_id": "l11-predicted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert set(first) <= {"raw_flights", "marts", "reports"}, "first is a list of names of assets"
for answer in (day_that_runs, dagster_shows):
    assert answer in ("2013-03-09", "yesterday"), 'each is "2013-03-09" or "yesterday"'

# %%
batchlab("dagster definitions validate -f definitions.py")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-valid", "locked": true, "schema_version": 3, "solution": false, "task": false}
# It is valid. So was every manifest that you have repaired in this course. What it does is another question.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-order-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## An order (2 points)
#
# Read the decorators of the three assets. Dagster starts everything that nothing holds back: `marts` would be made from whatever the raw table held before. Say in `definitions.py` what each asset is made from: `deps=[…]`. The picture of lineage that Dagster draws comes from
# the same words.

# %% nbgrader={"grade": true, "grade_id": "l11-order", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import ast

tree = ast.parse(Path("definitions.py").read_text())
functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
decorated = {name: " ".join(ast.unparse(one) for one in each.decorator_list) for name, each in functions.items()}
assert "raw_flights" in decorated["marts"], "nothing says that marts are made from raw_flights"
assert "marts" in decorated["reports"], "nothing says that reports are made from marts"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-day-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A day (3 points)
#
# `run_pipeline` takes the day from the clock of the machine. Dagster asks for 9 March, the pipeline runs for yesterday, and the page says that 9 March is done. An orchestrator cannot see that a step did something else.
#
# The partition that is asked for is `context.partition_key`, in assets and in ops. Hand it to `run_pipeline`, and use nothing else.

# %% nbgrader={"grade": true, "grade_id": "l11-day", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
source = Path("definitions.py").read_text()
assert "today" not in source, "the clock of the machine still decides which day is run"
calls = [
    one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call) and ast.unparse(one.func) == "run_pipeline"
]
assert calls, "nothing runs a pipeline any more"
assert all("partition_key" in ast.unparse(call) for call in calls), (
    "a call of run_pipeline does not get the partition's day"
)

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-retry-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Retries (1 point)
#
# Ten retries, a second apart: you know this from lab 7. Let the waits grow.

# %% nbgrader={"grade": true, "grade_id": "l11-retry", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
source = Path("definitions.py").read_text()
assert "Backoff.EXPONENTIAL" in source, "the waits do not grow"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-run-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Look
#
# Now make the assets of a day. It takes about a minute. Each step is a process of Dagster's, which runs a workflow.

# %%
batchlab("data load")
batchlab("dagster asset materialize -f definitions.py --select * --partition 2013-03-09")

# %%
batchlab("runs")
sql("""
SELECT flight_date, count(*) AS carriers, sum(scheduled_flights) AS flights
FROM lake.marts.carrier_daily GROUP BY flight_date ORDER BY flight_date
""")

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-ui-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Its pages
#
# In a terminal, in this folder:
#
# ```
# batchlab dagster dev -f definitions.py -h 127.0.0.1 -p 3000
# ```
#
# Open `http://127.0.0.1:3000`; what it offers first, you may *Skip*. Look for: the graph of assets; the calendar of partitions of one of them, with the day that you have made; its metadata (rows, fingerprint, the workflow's name); *Materialize* with a range of days, which is a backfill; the job `daily`, which has the same order
# and no calendar of what was made. End it with Ctrl-C.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-measure-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Measure (2 points)
#
# What does orchestration cost? The same day, once as Argo's workflow `daily` by the kit's executor, once as Dagster's job `daily`. Both do the same work.

# %%
from time import monotonic

begun = monotonic()
batchlab("run --submission . --name daily -p ds=2013-03-09")
print(f"--- Argo's workflow, by the kit's executor: {monotonic() - begun:.0f} s")

# %%
begun = monotonic()
batchlab("""dagster job execute -f definitions.py -j daily --tags '{"dagster/partition": "2013-03-09"}'""")
print(f"--- Dagster's job: {monotonic() - begun:.0f} s")

# %% nbgrader={"grade": false, "grade_id": "l11-measure", "locked": false, "schema_version": 3, "solution": true, "task": false}
### BEGIN SOLUTION
argo_seconds = 20
dagster_seconds = 45
from_where = "Dagster starts a process for itself and one for each op, and each op starts an executor with a platform check of its own; the work inside is the same"
### END SOLUTION
# argo_seconds, dagster_seconds: what you measured
# from_where: a sentence about where the difference comes from

# %% nbgrader={"grade": true, "grade_id": "l11-measured", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
assert all(type(number) in (int, float) and number > 0 for number in (argo_seconds, dagster_seconds)), "seconds"
assert len(str(from_where).split()) >= 8, "from_where is a sentence"

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-cluster-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## On a cluster
#
# Dagster's web server, daemon and code server would be Deployments, and a step a Kubernetes Job (`k8s_job_executor`), beside Argo or in its place. The kit installs none of that: this lab is about words. What runs here calls `batchlab run`; on a cluster the same asset would submit a Workflow and
# wait for it, which is a common way to live with two orchestrators.

# %%
TARGET = "local"  # there is no other in this lab

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-table-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## A table of three (3 points)
#
# A person reads this. Write a table with a column for each of Argo Workflows, Dagster and Airflow, and a few words in each field. Airflow is not run in this course; use what its documentation says, and say where you are not sure. The rows: what is declared; where a
# step runs; how it knows the day; what a backfill is; what it knows about tables; what runs when nothing runs; who can change a pipeline.

# %% [markdown] nbgrader={"grade": true, "grade_id": "l11-table", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# | | Argo Workflows | Dagster | Airflow |
# |---|---|---|---|
# | what is declared | steps and their order, as Kubernetes objects | assets and what they are made from | tasks and their order, in Python; datasets as a trigger |
# | where a step runs | a pod for each | a process; a pod if configured | a worker; a pod if configured |
# | how it knows the day | a parameter, from the scheduled time | the partition key | the logical date (data interval) of the DAG run |
# | a backfill is | a workflow for each day, made by somebody | a selection of partitions | a command, or a selection of DAG runs |
# | what it knows about tables | nothing; lineage is told by the steps | which partitions are made, with metadata | which datasets a task says it updates |
# | what runs when nothing runs | one controller | daemon, web server, code servers, a database | scheduler, DAG processor, web server, triggerer, a database |
# | who can change a pipeline | who may apply an object; any language in the image | who writes Python and deploys a code server | who writes Python into the DAG folder |

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-reflect-text", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Reflect, in 400 words (6 points)
#
# A person reads this, with the rubric that your instructor has. Write about 400 words: three paragraphs are enough.
#
# 1. Which of this course's ten items became easier in Dagster, which harder, which stayed the same because no orchestrator does it for you? Name what you saw, not what you read.
# 2. A team of three has twenty nightly jobs, half of them Spark, on a Kubernetes that somebody else runs. Which one do you recommend, and what would change your mind?
# 3. When does Airflow win?

# %% [markdown] nbgrader={"grade": true, "grade_id": "l11-reflect", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# A model answer has these points. *Easier*: partitions are known to the tool, so what is missing is seen at a glance, and a backfill is a selection (M10); lineage between assets is drawn from the declarations (M08), although not column by column and not the snapshots. *Harder*: a step that is a
# Kubernetes object of another operator (M05), because Dagster's process must submit it and wait, with its own idea of when it is over; and the isolation of a container per step has to be added. *The same*: run twice, identical (M03); tests that gate (M09); what a retry may mend (M07). The
# wall clock in `run_pipeline` passed both orchestrators.
#
# For the team: Argo where the steps are containers in several languages, where the cluster is the given thing, and nobody wants to run a database and three services for the orchestrator; Dagster where most steps are Python over tables and the question of every morning is "which days are missing".
# The mind changes with who is on call, with how often ranges are run again, and with whether the platform team offers one of them.
#
# Airflow wins where it is already there and works: its operators for other systems are many, people who know it are easy to find, managed offers exist, and a DAG of calls to systems that do the work themselves is what it is best at. It wins too where schedules depend on each other across many teams.
# It loses where data partitions and not times are the unit of thought.

# %% [markdown] nbgrader={"grade": false, "grade_id": "l11-end", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Where to go on
#
# - Dagster's documentation: *Assets*, *Partitions and backfills*, *Retry policies*, *Kubernetes*. Airflow's: *DAG runs*, *Backfill*, *Assets*.
# - Write down: what you would miss tomorrow if you had to change.
# - The exit test asks for all ten items in two and a half hours, from memory. You have done each of them.
