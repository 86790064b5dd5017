"""Templates of one step each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from hera.workflows import Container, Env, Parameter, Resource, SecretEnv
from hera.workflows.models import ValueFrom

from pipelines.datatier.argo.parameters import RUN_ID, SECRET, given, inputs, workflow
from pipelines.datatier.argo.policies import Backoff
from pipelines.datatier.argo.render import to_yaml

SPARK_VERSION = "4.1.4"
COMPLETED = "status.applicationState.state == COMPLETED"
FAILED = "status.applicationState.state == FAILED"
_LOGIN = {"POSTGRES_USER": "postgresUser", "POSTGRES_PASSWORD": "postgresPassword"}
Need = Literal["catalog", "postgres", "webhook", "lineage"]
_RUN_FILE = f"{workflow('openlineageLocation')}/{given(RUN_ID)}.ndjson"
_NEEDS: dict[Need, dict[str, str]] = {
    "catalog": {"CATALOG_URI": workflow("catalogUri"), "WAREHOUSE": workflow("warehouse")},
    "postgres": {
        "POSTGRES_HOST": workflow("postgresHost"),
        "POSTGRES_PORT": workflow("postgresPort"),
        "POSTGRES_DATABASE": workflow("postgresDatabase"),
    },
    "webhook": {"WEBHOOK_URL": workflow("webhookUrl")},
    "lineage": {
        "OPENLINEAGE_TYPE": workflow("openlineageType"),
        "OPENLINEAGE_LOCATION": _RUN_FILE,
        "OPENLINEAGE_URL": workflow("openlineageUrl"),
        "OPENLINEAGE_PARENT_ID": f"batchlab/{{{{workflow.name}}}}.{{{{node.name}}}}/{given(RUN_ID)}",
    },
}
SHARED = [
    "--ds",
    given("ds"),
    "--first-day",
    workflow("firstDay"),
    "--last-day",
    workflow("lastDay"),
    "--workflow",
    "{{workflow.name}}",
    "--node",
    "{{node.name}}",
    "--code",
    workflow("image"),
]


def spark_step(
    name: str,
    *,
    job: str,
    main: str,
    arguments: Sequence[str] = (),
    conf: Mapping[str, str] | None = None,
    deadline: int = 1800,
    backoff: Backoff | None = None,
) -> Resource:
    """Run a Python main on Spark: create a SparkApplication and follow it until it completes or fails.

    The application's name is new for every attempt, so a retry does not meet its predecessor's; the driver runs once
    per attempt (`restartPolicy: Never`), so that retries do not multiply; the deadline ends a wait for a pod that never
    starts; the workflow owns the application, and its deletion takes it along.

    Args:
        name: template name, at most 20 characters: it is part of the application's name.
        job: the job's stable name in lineage, such as `ingest.extract`.
        main: path of the Python file below the code's root.
        arguments: beyond those that all jobs share.
        conf: Spark conf beyond what all share.
        deadline: seconds.
        backoff: retry policy.
    """
    manifest = to_yaml(_application(name, job, main, arguments, conf or {}))
    return Resource(
        name=name,
        inputs=inputs(lineage=True),
        action="create",
        set_owner_reference=True,
        success_condition=COMPLETED,
        failure_condition=FAILED,
        manifest=manifest,
        active_deadline_seconds=deadline,
        retry_strategy=(backoff or Backoff(limit=2, duration="10s", cap="2m", final=())).strategy(),
    )


def python_step(
    name: str,
    *,
    module: str,
    needs: Sequence[Need] = (),
    arguments: Sequence[str] = (),
    takes: Sequence[str] = (),
    outputs: Mapping[str, str] | None = None,
    deadline: int = 600,
    backoff: Backoff | None = None,
) -> Container:
    """Run a Python module of the code's image without Spark.

    Args:
        name: template name.
        module: module with a main.
        needs: what it talks to.
        arguments: beyond those that all jobs share.
        takes: input parameters beyond `ds`.
        outputs: output parameter → file that the module writes.
        deadline: seconds.
        backoff: retry policy; bad parameters and failed expectations are not retried.
    """
    return Container(
        name=name,
        image=workflow("image"),
        image_pull_policy="IfNotPresent",
        command=["python", "-m", module],
        args=[*SHARED, *arguments],
        env=_environment(needs),
        inputs=inputs(*takes, lineage="lineage" in needs),
        outputs=[Parameter(name=item, value_from=ValueFrom(path=path)) for item, path in (outputs or {}).items()],
        active_deadline_seconds=deadline,
        retry_strategy=(backoff or Backoff()).strategy(),
    )


def dbt_step(name: str, *, job: str, main: str, deadline: int = 1800) -> Resource:
    """Run dbt in a Spark step's own session; `main` is a launcher that calls dbt in process.

    Args:
        name: template name.
        job: the job's stable name in lineage.
        main: path of the launcher below the code's root.
        deadline: seconds.
    """
    # dbt names tables `schema.table`: the catalog is the session's default
    return spark_step(name, job=job, main=main, conf={"spark.sql.defaultCatalog": "lake"}, deadline=deadline)


def notify_step(
    name: str,
    *,
    module: str = "pipelines.datatier.notify",
    needs: Sequence[Need] = ("webhook",),
    arguments: Sequence[str] = (),
    takes: Sequence[str] = (),
) -> Container:
    """Tell the webhook; safe to repeat, because the module sends an idempotency key with it."""
    backoff = Backoff(limit=5)
    return python_step(name, module=module, needs=needs, arguments=arguments, takes=takes, backoff=backoff)


def _environment(needs: Sequence[Need]) -> list[Env | SecretEnv]:
    """Set what a Python step is told, and no more; lineage goes where that of Spark steps goes."""
    found: list[Env | SecretEnv] = []
    for need in needs:
        found += [Env(name=name, value=value) for name, value in _NEEDS[need].items()]
        if need == "postgres":
            found += [SecretEnv(name=name, secret_name=SECRET, secret_key=key) for name, key in _LOGIN.items()]
    return found


def _application(
    name: str, job: str, main: str, arguments: Sequence[str], conf: Mapping[str, str]
) -> dict[str, object]:
    """Build the SparkApplication: everything spelled out, because the operator's webhook may be off."""
    unique = "{{= sprig.trunc(10, sprig.sha1sum(workflow.uid + `/` + node.name)) }}"
    # less is reserved than used: a driver and its executor fit on two cores beside the platform
    size = {"cores": 1, "coreRequest": "250m", "coreLimit": "1200m", "memory": "1g"}
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {
            "name": f"{name}-{unique}-{{{{retries}}}}",
            "labels": {"workflows.argoproj.io/workflow": "{{workflow.name}}", "batchlab/step": name},
        },
        "spec": {
            "type": "Python",
            "pythonVersion": "3",
            "mode": "cluster",
            "sparkVersion": SPARK_VERSION,
            "image": workflow("image"),
            "imagePullPolicy": "IfNotPresent",
            "mainApplicationFile": f"local://{workflow('codeRoot')}/{main}",
            "arguments": [*SHARED, *arguments],
            "restartPolicy": {"type": "Never"},
            "timeToLiveSeconds": 86400,  # far above the 5 s at which Argo looks
            "sparkConf": {**_conf(job), **conf},
            "driver": {
                **size,
                "serviceAccount": "spark",
                "envSecretKeyRefs": {name: {"name": SECRET, "key": key} for name, key in _LOGIN.items()},
            },
            "executor": {**size, "instances": 1},
        },
    }


def _conf(job: str) -> dict[str, str]:
    """Spark conf of every step: session, catalog, source, traceability, lineage."""
    lineage = "spark.openlineage"
    snapshot = "spark.sql.iceberg.snapshot-property.batchlab"
    jdbc = f"jdbc:postgresql://{workflow('postgresHost')}:{workflow('postgresPort')}/{workflow('postgresDatabase')}"
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "rest",
        "spark.sql.catalog.lake.uri": workflow("catalogUri"),
        "spark.sql.catalog.lake.warehouse": workflow("warehouse"),
        "spark.sql.catalog.lake.cache-enabled": "false",
        "spark.batchlab.jdbcUrl": jdbc,
        f"{snapshot}.workflow": "{{workflow.name}}",
        f"{snapshot}.node": "{{node.name}}",
        f"{snapshot}.ds": given("ds"),
        f"{snapshot}.code": workflow("image"),
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        f"{lineage}.appName": job,
        f"{lineage}.namespace": "batchlab",
        f"{lineage}.parentJobNamespace": "batchlab",
        f"{lineage}.parentJobName": "{{workflow.name}}.{{node.name}}",
        f"{lineage}.parentRunId": given(RUN_ID),
        f"{lineage}.transport.type": workflow("openlineageType"),
        f"{lineage}.transport.location": _RUN_FILE,
        f"{lineage}.transport.url": workflow("openlineageUrl"),
    }
