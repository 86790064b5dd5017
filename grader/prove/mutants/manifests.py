"""Mutants of the manifests: retries, Spark resources, schedules, and what a snapshot says of its run."""

from __future__ import annotations

from grader.prove.model import Case, Edit

INGEST, TRANSFORM, PUBLISH, DAILY = (f"{name}/workflow.yaml" for name in ("ingest", "transform", "publish", "daily"))
_BACKOFF = """        backoff:
          cap: 1m
          duration: 5s
          factor: 2
"""
_EXPRESSION = "        expression: '!(lastRetry.exitCode in [`2`, `3`])'\n"
_SUCCESS = "        successCondition: status.applicationState.state == COMPLETED\n"
_FAILURE = "        failureCondition: status.applicationState.state == FAILED\n"
_DS = (
    "'{{= date(workflow.scheduledTime).In(timezone(`America/New_York`))"
    ".AddDate(int(workflow.parameters.yearShift), 0, -1).Format(`2006-01-02`) }}'"
)
_OWN = "{{= sprig.trunc(10, sprig.sha1sum(workflow.uid + `/` + node.name)) }}-{{retries}}"
_STATE = "status.applicationState.state"
_SNAPSHOT = "              spark.sql.iceberg.snapshot-property.batchlab."


def _strategy(limit: int) -> str:
    return f"      retryStrategy:\n{_BACKOFF}{_EXPRESSION}        limit: {limit}\n        retryPolicy: Always\n"


def _retries(name: str, title: str, old: str, new: str, *, file: str = INGEST) -> Case:
    """Change the retry strategy of every container step of a pipeline."""
    return Case(
        id=f"retry-{name}", title=title, edits=(Edit(file=file, old=old, new=new, every=True),),
        check="M07-attempts", scope=(file.partition("/")[0],),
    )  # fmt: skip


def _conditions(name: str, title: str, *pairs: tuple[str, str]) -> Case:
    """Change how a Spark step sees that its application has ended."""
    edits = tuple(Edit(file=INGEST, old=old, new=new) for old, new in pairs)
    return Case(id=f"spark-{name}", title=title, edits=edits, check="M05-conditions", scope=("ingest",))


def _cron(name: str, title: str, check: str, *pairs: tuple[str, str], file: str = DAILY) -> Case:
    """Change a CronWorkflow, or the template that it runs."""
    scope = (file.partition("/")[0],) if file != DAILY else ("ingest",)
    return Case(
        id=f"cron-{name}", title=title, edits=tuple(Edit(file=file, old=old, new=new) for old, new in pairs),
        check=check, scope=scope,
    )  # fmt: skip


_RETRIES = (
    _retries("without-limit", "Failed steps are retried without end, for there is no limit.", "        limit: 3\n", ""),
    _retries("without-backoff", "Failed steps are retried at once, without any wait.", _BACKOFF, ""),
    _retries(
        "constant", "The wait between retries is always the same, for the factor is missing.",
        "          duration: 5s\n          factor: 2\n", "          duration: 5s\n",
    ),
    _retries(
        "capped-at-once", "The cap is the first wait, so that the waits never grow.",
        "          cap: 1m\n", "          cap: 5s\n",
    ),
    _retries(
        "without-cap", "Nothing caps the waits, which soon take hours.",
        f"{_BACKOFF}{_EXPRESSION}        limit: 3\n",
        _BACKOFF.replace("          cap: 1m\n", "").replace("5s", "1m").replace("factor: 2", "factor: 10")
        + f"{_EXPRESSION}        limit: 4\n",
    ),
    _retries("limit-zero", "A limit of 0 retries nothing.", "        limit: 3\n", "        limit: 0\n"),
    _retries("limit-one", "Steps are retried once only.", "        limit: 3\n", "        limit: 1\n"),
    _retries(
        "cut-short", "The time for all attempts, maxDuration, is over before the first retry is due.",
        "          duration: 5s\n          factor: 2\n",
        "          duration: 5s\n          factor: 2\n          maxDuration: 3s\n",
    ),
    _retries(
        "on-error", "The policy OnError retries lost pods only, not steps that end with an exit code.",
        "        retryPolicy: Always\n", "        retryPolicy: OnError\n",
    ),
    _retries(
        "inverted", "The expression is turned round: only what no retry can mend is retried.",
        "'!(lastRetry.exitCode in [`2`, `3`])'", "'lastRetry.exitCode in [`2`, `3`]'",
    ),
    Case(
        id="retry-none", title="No step of a pipeline has a retry strategy.", check="M07-attempts", scope=("publish",),
        edits=tuple(Edit(file=PUBLISH, old=_strategy(limit), every=True) for limit in (3, 5)),
    ),
    Case(
        id="retry-parameter", title="A parameter that is no date is retried like an outage.", check="M07-final",
        scope=("publish",), edits=(Edit(file=PUBLISH, old=_EXPRESSION, every=True),),
    ),
)  # fmt: skip

_SPARK = (
    _conditions(
        "running-is-done", "The step succeeds as soon as the application runs.",
        (_SUCCESS, _SUCCESS.replace("COMPLETED", "RUNNING")),
    ),
    _conditions(
        "not-failed-is-done", "The step succeeds in every state that is not FAILED.",
        (_SUCCESS, _SUCCESS.replace("== COMPLETED", "!= FAILED")),
    ),
    _conditions(
        "no-conditions", "Without conditions the step ends when the application is created.",
        (_SUCCESS, ""), (_FAILURE, ""),
    ),
    _conditions("no-failure", "Without a failureCondition the step of a failed application waits on.", (_FAILURE, "")),
    _conditions(
        "not-completed-is-failed", "The step fails in every state that is not COMPLETED, such as RUNNING.",
        (_FAILURE, _FAILURE.replace("== FAILED", "!= COMPLETED")),
    ),
    _conditions(
        "wrong-path", "The conditions look at a field that the operator does not write.",
        (_SUCCESS, _SUCCESS.replace(_STATE, "status.state")), (_FAILURE, _FAILURE.replace(_STATE, "status.state")),
    ),
    _conditions(
        "other-word", "The success condition waits for a state that the operator does not have.",
        (_SUCCESS, _SUCCESS.replace("COMPLETED", "SUCCEEDED")),
    ),
    _conditions(
        "submission-failed", "The step fails on SUBMISSION_FAILED, which the operator may still submit again.",
        (_FAILURE, _FAILURE.replace("== FAILED", "in (FAILED,SUBMISSION_FAILED)")),
    ),
    Case(
        id="spark-apply", title="The step applies its SparkApplication, and so meets the one of an earlier run.",
        edits=(Edit(file=INGEST, old="        action: create\n", new="        action: apply\n"),),
        check="M05-names", scope=("ingest",),
    ),
    Case(
        id="spark-fixed-name", title="The SparkApplication has the same name in every run.", check="M05-names",
        edits=(Edit(file=TRANSFORM, old=f"            name: build-{_OWN}\n", new="            name: build\n"),),
        scope=("transform",),
    ),
    Case(
        id="spark-name-of-day", title="The SparkApplication is named after the day alone: a rerun meets the first one.",
        edits=(Edit(file=INGEST, old=f"extract-{_OWN}", new="extract-{{inputs.parameters.ds}}-{{retries}}"),),
        check="M05-names", scope=("ingest",),
    ),
    Case(
        id="spark-name-of-run", title="All attempts of a Spark step have one name: a retry meets the failed one.",
        edits=(Edit(file=INGEST, old=f"name: extract-{_OWN}", new="name: extract-{{workflow.name}}"),),
        check="M05-names", scope=("ingest",),
    ),
)  # fmt: skip


def _plain(name: str) -> str:
    """Give a template that submits a Spark job from a container of its own, unseen by the operator."""
    conf = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "rest",
        "spark.sql.catalog.lake.uri": "{{workflow.parameters.catalogUri}}",
        "spark.sql.catalog.lake.warehouse": "{{workflow.parameters.warehouse}}",
        "spark.sql.defaultCatalog": "lake",
    }
    options = "".join(f"          - --conf={key}={value}\n" for key, value in conf.items())
    return f"""    - name: plain-{name}
      inputs:
        parameters:
          - name: ds
      container:
        image: '{{{{workflow.parameters.image}}}}'
        command: [spark-submit]
        args:
          - --master=local[1]
{options}          - '{{{{workflow.parameters.codeRoot}}}}/pipelines/transform/{name}.py'
          - --ds={{{{inputs.parameters.ds}}}}
          - --workflow={{{{workflow.name}}}}
          - --node={{{{node.name}}}}
{_strategy(2)}"""


_PLAIN = Case(
    id="spark-container", title="Spark is submitted from containers: no SparkApplication shows its state.",
    check="M05-submits", scope=("transform",),
    edits=(
        Edit(file=TRANSFORM, old="    - name: main\n", new=_plain("curate") + _plain("build") + "    - name: main\n"),
        Edit(file=TRANSFORM, old="            template: curate\n", new="            template: plain-curate\n"),
        Edit(file=TRANSFORM, old="            template: build\n", new="            template: plain-build\n"),
    ),
)  # fmt: skip
_SEVEN = "    - 0 7 * * *\n"
_SCHEDULES = (
    _cron("no-zone", "Without a time zone the schedule is the controller's.", "M06-schedule",
          ("  timezone: America/New_York\n", "")),
    _cron("utc", "The schedule is in UTC.", "M06-schedule",
          ("  timezone: America/New_York\n", "  timezone: UTC\n")),
    _cron("skipped-hour", "At 02:30 nothing fires on the day when the clocks go forward.", "M06-schedule",
          (_SEVEN, "    - 30 2 * * *\n")),
    _cron("doubled-hour", "At 01:30 the schedule fires twice on the day when the clocks go back.", "M06-schedule",
          (_SEVEN, "    - 30 1 * * *\n")),
    _cron("hourly", "The schedule fires every hour.", "M06-schedule", (_SEVEN, "    - 0 * * * *\n")),
    _cron("weekdays", "The schedule leaves out Saturdays and Sundays.", "M06-schedule",
          (_SEVEN, "    - 0 7 * * 1-5\n")),
    _cron("twice", "Two schedules fire twice a day.", "M06-schedule", (_SEVEN, f"{_SEVEN}    - 0 19 * * *\n")),
    _cron("wall-clock", "The day is taken from when the run starts, not from when it was due.", "M06-wall-clock",
          ("date(workflow.scheduledTime)", "date(workflow.creationTimestamp.RFC3339)")),
    _cron("now", "The day is yesterday by the clock of whoever evaluates the expression.", "M06-wall-clock",
          ("date(workflow.scheduledTime)", "now()")),
    _cron("same-day", "The run is for the day on which it fires, which is not over.", "M06-logical-date",
          (", 0, -1)", ", 0, 0)")),
    _cron("day-before", "The run is for two days before.", "M06-logical-date", (", 0, -1)", ", 0, -2)")),
    _cron("utc-day", "Fired late in the evening, the run takes its day from UTC, where it is tomorrow.",
          "M06-logical-date", (_SEVEN, "    - 0 22 * * *\n"), (".In(timezone(`America/New_York`))", "")),
    _cron("fixed-day", "Every run is for the same day, as it was written for a test.", "M06-logical-date",
          (_DS, "'2013-03-09'")),
    _cron("other-format", "The day is written as DD-MM-YYYY.", "M06-logical-date", ("`2006-01-02`", "`02-01-2006`")),
    _cron("overlap", "Runs of one schedule may overlap, and nothing locks.", "M06-concurrency",
          ("  concurrencyPolicy: Forbid\n", "  concurrencyPolicy: Allow\n"),
          ("      synchronization:\n        mutexes:\n          - name: daily-{{inputs.parameters.ds}}\n", "")),
    _cron("overlap-default", "Without a policy runs of one schedule may overlap, and nothing locks.", "M06-concurrency",
          ("  concurrencyPolicy: Forbid\n", ""),
          ("      synchronization:\n        mutexes:\n          - name: publish-{{inputs.parameters.ds}}\n", ""),
          file=PUBLISH),
    _cron("no-catch-up", "A start that was missed is never made up for.", "M06-catch-up",
          ("  startingDeadlineSeconds: 3600\n", "")),
    _cron("short-catch-up", "A start is made up for within ten seconds only.", "M06-catch-up",
          ("  startingDeadlineSeconds: 3600\n", "  startingDeadlineSeconds: 10\n")),
    _cron("suspended", "The schedule is suspended.", "M06-catch-up",
          ("  timezone: America/New_York\n", "  timezone: America/New_York\n  suspend: true\n"), file=TRANSFORM),
)  # fmt: skip

_SUMMARIES = (
    Case(
        id="summary-without-day", title="Snapshots do not say for which day they were made.", check="M08-snapshots",
        edits=(Edit(file=INGEST, old=f"{_SNAPSHOT}ds: '{{{{inputs.parameters.ds}}}}'\n"),), scope=("ingest",),
    ),
    Case(
        id="summary-other-day", title="Snapshots say a day that is not their run's.", check="M06-aggregates",
        edits=(Edit(file=INGEST, old=f"{_SNAPSHOT}ds: '{{{{inputs.parameters.ds}}}}'",
                    new=f"{_SNAPSHOT}ds: '{{{{workflow.parameters.lastDay}}}}'"),),
        scope=("ingest",),
    ),
    Case(
        id="summary-pipeline", title="Snapshots name the pipeline, not the run that made them.", check="M08-snapshots",
        edits=(Edit(file=INGEST, old=f"{_SNAPSHOT}workflow: '{{{{workflow.name}}}}'",
                    new=f"{_SNAPSHOT}workflow: ingest"),),
        scope=("ingest",),
    ),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_RETRIES, *_SPARK, _PLAIN, *_SCHEDULES, *_SUMMARIES)
