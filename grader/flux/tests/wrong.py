"""Mutants of the reference tree: the checks that fail each, what they say, and the edits that make it."""

from __future__ import annotations

CLUSTER, INFRA, APPS = "clusters/local", "infra/controllers", "apps/hello"
SPARK, ARGO, HELLO = f"{INFRA}/spark-operator.yaml", f"{INFRA}/argo-workflows.yaml", f"{APPS}/application.yaml"
SCHEDULED, FLOW, ROLE = f"{APPS}/scheduled.yaml", f"{APPS}/workflow.yaml", "infra/configs/workflow.yaml"

Edit = tuple[str, str, str]
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: operators}\n"
WRONG: dict[str, tuple[tuple[str, ...], str, list[Edit]]] = {
    "no YAML": (
        ("M01-flux", "M04-flux"),
        "cannot be built: infra/configs/spark.yaml:5: not YAML",
        [("infra/configs/spark.yaml", "kind: ServiceAccount", "kind: [ServiceAccount")],
    ),
    "a typo in a release": (
        ("M01-flux", "M04-flux"),
        "spec.chart.spec.versions: unknown field versions",
        [(SPARK, "version: 2.4.0", "versions: 2.4.0")],
    ),
    "a typo in an application": (
        ("M01-flux", "M04-flux"),
        "apps/hello/application.yaml:28: SparkApplication batch/hello: spec.driver.memori",
        [(HELLO, "    memory: 512m\n    serviceAccount", "    memori: 512m\n    serviceAccount")],
    ),
    "a version that Flux does not serve": (
        ("M01-flux", "M04-flux"),
        "there is no HelmRelease of helm.toolkit.fluxcd.io/v2beta2",
        [(ARGO, "helm.toolkit.fluxcd.io/v2", "helm.toolkit.fluxcd.io/v2beta2")],
    ),
    "no namespace": (
        ("M01-flux", "M04-flux"),
        "ServiceAccount workflow has no namespace",
        [("infra/configs/kustomization.yaml", "namespace: batch\n", "")],
    ),
    "a namespace that nothing creates": (
        ("M01-flux", "M04-flux"),
        "nothing creates namespace jobs of",
        [("apps/kustomization.yaml", "namespace: batch", "namespace: jobs")],
    ),
    "a path that is not there": (
        ("M01-flux", "M04-flux"),
        "path ./app is no folder of the tree",
        [(f"{CLUSTER}/apps.yaml", "path: ./apps", "path: ./app")],
    ),
    "a source that is not there": (
        ("M01-flux", "M04-flux"),
        "takes its files from OCIRepository flux-system/clusters",
        [(f"{CLUSTER}/apps.yaml", "    name: cluster", "    name: clusters")],
    ),
    "a range of versions": (
        ("M01-release",),
        "takes chart spark-operator in version 2.x, which may change",
        [(SPARK, "version: 2.4.0", "version: 2.x")],
    ),
    "no version": (
        ("M01-release",),
        "in version no version, which may change",
        [(SPARK, "      version: 2.4.0\n", "")],
    ),
    "another chart": (
        ("M01-release",),
        "there is no HelmRelease of chart spark-operator in the tree",
        [(SPARK, "chart: spark-operator", "chart: spark-kubernetes-operator")],
    ),
    "no repository": (
        ("M01-release",),
        "takes its chart from HelmRepository spark-operator/spark, which is not in the tree",
        [(SPARK, "        name: spark-operator\n", "        name: spark\n")],
    ),
    "a suspended release": (
        ("M01-release",),
        "HelmRelease spark-operator/spark-operator is suspended",
        [(SPARK, "  interval: 1h\n", "  interval: 1h\n  suspend: true\n")],
    ),
    "a suspended repository": (
        ("M01-release",),
        "HelmRepository spark-operator/spark-operator is suspended",
        [(SPARK, "  interval: 24h\n  url", "  interval: 24h\n  suspend: true\n  url")],
    ),
    "suspended controllers": (
        ("M01-release", "M04-release"),
        "Kustomization flux-system/infra-controllers is suspended",
        [(f"{CLUSTER}/infra.yaml", "  path: ./infra/controllers\n", "  path: ./infra/controllers\n  suspend: true\n")],
    ),
    "no dependency": (
        ("M01-release", "M04-release"),
        "Kustomization flux-system/apps does not depend on Kustomization flux-system/infra-controllers",
        [(f"{CLUSTER}/apps.yaml", "  dependsOn:\n    - name: infra-configs\n", "")],
    ),
    "no waiting": (
        ("M01-release", "M04-release"),
        "does not wait until HelmRelease",
        [(f"{CLUSTER}/infra.yaml", "  wait: true\n", "")],
    ),
    "a circle": (
        ("M01-release", "M04-release"),
        "Kustomizations depend on each other in a circle",
        [
            (
                f"{CLUSTER}/infra.yaml",
                "spec:\n  interval: 1h\n  retryInterval: 1m\n  timeout: 10m\n",
                "spec:\n  dependsOn: [{name: apps}]\n  interval: 1h\n  retryInterval: 1m\n  timeout: 10m\n",
            )
        ],
    ),
    "a dependency that is not there": (
        ("M01-release", "M04-release"),
        "depends on flux-system/infra, which is not in the tree",
        [(f"{CLUSTER}/infra.yaml", "    - name: infra-controllers", "    - name: infra")],
    ),
    "all in one": (
        ("M01-release",),
        "are in one Kustomization: its resource type is not there yet",
        [
            (f"{INFRA}/kustomization.yaml", "  - spark-operator.yaml\n", ""),
            ("apps/kustomization.yaml", "  - hello\n", "  - hello\n  - ../infra/controllers/spark-operator.yaml\n"),
        ],
    ),
    "a namespace for the chart that comes late": (
        ("M01-release",),
        "nothing creates namespace operators before",
        [
            (SPARK, "  interval: 1h\n", "  interval: 1h\n  targetNamespace: operators\n"),
            (
                "infra/configs/workflow.yaml",
                "apiVersion: v1\nkind: ServiceAccount",
                f"{NAMESPACE}---\napiVersion: v1\nkind: ServiceAccount",
            ),
        ],
    ),
    "another namespace watched": (
        ("M01-watches",),
        "the operator watches default, and SparkApplication batch/hello is in batch",
        [(SPARK, "jobNamespaces: [batch]", "jobNamespaces: [default]")],
    ),
    "the chart's own namespaces": (
        ("M01-watches",),
        "the operator watches default, and",
        [(SPARK, "      jobNamespaces: [batch]\n", "")],
    ),
    "a watched namespace that comes late": (
        ("M01-watches",),
        "namespace batch of spark.jobNamespaces is not there when",
        [
            (f"{INFRA}/kustomization.yaml", "  - namespaces.yaml\n", ""),
            ("infra/configs/kustomization.yaml", "resources:\n", "resources:\n  - ../controllers/namespaces.yaml\n"),
        ],
    ),
    "an old chart": (
        ("M01-watches",),
        "has other values than those of its version 2",
        [(SPARK, "version: 2.4.0", "version: 1.4.6")],
    ),
    "what needs the webhook, without it": (
        ("M01-watches",),
        "so driver.tolerations of SparkApplication batch/hello have no effect",
        [
            (SPARK, "enable: true", "enable: false"),
            (HELLO, "    serviceAccount: spark\n", "    serviceAccount: spark\n    tolerations: [{key: spot}]\n"),
        ],
    ),
    "what the webhook fills in, without it": (
        ("M01-watches",),
        "so nothing fills in mode, executor.instances of",
        [(SPARK, "enable: true", "enable: false"), (HELLO, "  mode: cluster\n", ""), (HELLO, "    instances: 1\n", "")],
    ),
    "no application": (
        ("M01-application",),
        "there is no SparkApplication in the tree",
        [(f"{APPS}/kustomization.yaml", "  - application.yaml\n", "")],
    ),
    "the latest image": (
        ("M01-application", "M01-scheduled"),
        "runs image batchlab/work:latest, which may be another one tomorrow",
        [(f"{CLUSTER}/settings.yaml", "work:0.1.0", "work:latest")],
    ),
    "no values for the image": (
        ("M01-application", "M01-scheduled"),
        "runs image ${image}",
        [
            (
                f"{CLUSTER}/apps.yaml",
                "  postBuild:\n    substituteFrom:\n      - kind: ConfigMap\n        name: settings\n",
                "",
            )
        ],
    ),
    "no image": (
        ("M01-application",),
        "SparkApplication batch/hello names no image",
        [(HELLO, "  image: ${image}\n", "")],
    ),
    "restarted always": (
        ("M01-application",),
        "is restarted always: it never completes",
        [(HELLO, "type: OnFailure", "type: Always")],
    ),
    "restarted without a limit": (
        ("M01-application",),
        "does not say how often",
        [(HELLO, "    onFailureRetries: 2\n", "")],
    ),
    "an account that is not there": (
        ("M01-application",),
        "as service account batch/sparks, which nothing creates",
        [(HELLO, "serviceAccount: spark", "serviceAccount: sparks")],
    ),
    "no account": (
        ("M01-application",),
        "as service account batch/default, which may not create pods",
        [(HELLO, "    serviceAccount: spark\n", "")],
    ),
    "an account without rights": (
        ("M01-application", "M01-scheduled"),
        "which may not create pods: it gets no executors",
        [
            (
                "infra/configs/spark.yaml",
                "verbs: [create, get, list, watch, delete, deletecollection]",
                "verbs: [get, list, watch]",
            )
        ],
    ),
    "no schedule": (
        ("M01-scheduled",),
        "there is no ScheduledSparkApplication in the tree",
        [(f"{APPS}/kustomization.yaml", "  - scheduled.yaml\n", "")],
    ),
    "a schedule that is none": (
        ("M01-scheduled",),
        "has a schedule that cannot be read",
        [(SCHEDULED, "schedule: 30 6 * * *", "schedule: 30 25 * * *")],
    ),
    "no concurrency policy": (
        ("M01-scheduled",),
        "has no concurrencyPolicy: it starts no second run while",
        [(SCHEDULED, "  concurrencyPolicy: Forbid\n", "")],
    ),
    "a zone that is none": (
        ("M01-scheduled",),
        "has a time zone that does not exist",
        [(SCHEDULED, "America/New_York", "America/NewYork")],
    ),
    "past runs below nothing": (
        ("M01-scheduled",),
        "cannot keep -1 past runs (failedRunHistoryLimit)",
        [(SCHEDULED, "failedRunHistoryLimit: 3", "failedRunHistoryLimit: -1")],
    ),
    "a name without room": (
        ("M01-scheduled",),
        "are longer than 63 characters",
        [(SCHEDULED, "name: hello-daily", f"name: hello-{'d' * 40}")],
    ),
    "no Argo": (
        ("M04-release",),
        "there is no HelmRelease of chart argo-workflows in the tree",
        [(f"{INFRA}/kustomization.yaml", "  - argo-workflows.yaml\n", "")],
    ),
    "a range of versions of Argo": (
        ("M04-release",),
        "takes chart argo-workflows in version ^0.46.0, which may change",
        [(ARGO, "version: 0.46.2", "version: ^0.46.0")],
    ),
    "no workflow": (
        ("M04-workflow",),
        "there is no Workflow that runs by itself in the tree",
        [(f"{APPS}/kustomization.yaml", "  - workflow.yaml\n", "")],
    ),
    "workflows as an account that is not there": (
        ("M04-rbac",),
        "runs as service account batch/workflows, which nothing creates",
        [(FLOW, "serviceAccountName: workflow", "serviceAccountName: workflows")],
    ),
    "workflows as nobody": (
        ("M04-rbac",),
        "runs as service account batch/default, which may not create workflowtaskresults",
        [(FLOW, "  serviceAccountName: workflow\n", "")],
    ),
    "results that cannot be told": (
        ("M04-rbac",),
        "may not create workflowtaskresults, patch workflowtaskresults",
        [(ROLE, "resources: [workflowtaskresults]", "resources: [workflows]")],
    ),
    "applications that cannot be watched": (
        ("M04-rbac",),
        "may not get sparkapplications",
        [
            (
                ROLE,
                "    resources: [sparkapplications]\n    verbs: [create, get]",
                "    resources: [sparkapplications]\n    verbs: [create]",
            )
        ],
    ),
    "a binding of somebody else": (
        ("M04-rbac",),
        "may not create workflowtaskresults",
        [
            (
                ROLE,
                "  - kind: ServiceAccount\n    name: workflow",
                "  - kind: ServiceAccount\n    name: default\n    namespace: argo",
            )
        ],
    ),
}
