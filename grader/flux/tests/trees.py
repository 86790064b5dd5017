"""Flux trees for tests: the reference's copy to be spoiled, and two that do the same in other ways."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

REFERENCE = Path(__file__).resolve().parents[3] / "cluster"


def reference(folder: Path) -> Path:
    """Copy the reference tree."""
    return Path(shutil.copytree(REFERENCE, folder / "cluster"))


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, their texts dedented."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Replace text in a file, which must have it."""
    path = folder / name
    text = path.read_text()
    assert old in text, f"{name} has no {old!r}"
    path.write_text(text.replace(old, new))


PI = """
    apiVersion: sparkoperator.k8s.io/v1beta2
    kind: SparkApplication
    metadata:
      name: pi
    spec:
      type: Python
      mode: cluster
      sparkVersion: 4.1.4
      image: docker.io/library/spark:4.1.4-scala2.13-java17-python3-ubuntu
      mainApplicationFile: local:///opt/spark/examples/src/main/python/pi.py
      driver: {cores: 1, memory: 512m, serviceAccount: spark-operator-spark}
      executor: {cores: 1, memory: 512m, instances: 1}
"""
NIGHTLY = """
    apiVersion: sparkoperator.k8s.io/v1beta2
    kind: ScheduledSparkApplication
    metadata:
      name: nightly
    spec:
      schedule: '@daily'
      concurrencyPolicy: Replace
      template:
        type: Python
        sparkVersion: 4.1.4
        image: spark@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        mainApplicationFile: local:///opt/spark/examples/src/main/python/pi.py
        driver: {memory: 512m, serviceAccount: spark-operator-spark}
        executor: {memory: 512m}
"""
STEPS = """
    apiVersion: argoproj.io/v1alpha1
    kind: WorkflowTemplate
    metadata:
      name: three
    spec:
      entrypoint: main
      serviceAccountName: runner
      templates:
        - name: main
          steps:
            - - {name: one, template: say}
            - - {name: two, template: say}
            - - {name: three, template: say}
        - name: say
          container: {image: 'busybox:1.36', command: [echo, hello]}
"""
RUNNER = """
    apiVersion: v1
    kind: ServiceAccount
    metadata: {name: runner}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: executor}
    rules:
      - {apiGroups: ['*'], resources: [workflowtaskresults, sparkapplications], verbs: ['*']}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: runner}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: executor}
    subjects: [{kind: ServiceAccount, name: runner, namespace: jobs}]
"""
PLAIN: Mapping[str, str] = {
    "kustomizations.yaml": """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: fleet, namespace: flux-system}
        spec: {interval: 1m, url: 'https://git.example.org/team/fleet', ref: {branch: main}}
        ---
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: argo, namespace: flux-system}
        spec: {interval: 1h, url: 'https://github.com/argoproj/argo-workflows.git', ref: {tag: v3.7.6}}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: jobs, namespace: flux-system}
        spec:
          dependsOn: [{name: operators}, {name: argo}]
          interval: 1h
          path: ./flux/jobs
          prune: true
          targetNamespace: jobs
          sourceRef: {kind: GitRepository, name: fleet}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: argo, namespace: flux-system}
        spec:
          interval: 1h
          path: ./manifests/cluster-install
          prune: true
          wait: true
          targetNamespace: argo
          sourceRef: {kind: GitRepository, name: argo}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: operators, namespace: flux-system}
        spec:
          interval: 1h
          path: flux/operators
          prune: true
          sourceRef: {kind: GitRepository, name: fleet}
          healthChecks:
            - {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: spark-operator, namespace: flux-system}
    """,
    "operators/namespaces.yaml": """
        apiVersion: v1
        kind: Namespace
        metadata: {name: jobs}
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: argo}
    """,
    "operators/spark/chart.yaml": """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: OCIRepository
        metadata: {name: spark-operator, namespace: flux-system}
        spec:
          interval: 1h
          url: oci://registry.example.org/charts/spark-operator
          ref: {tag: 2.4.0}
          layerSelector: {mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}
    """,
    "operators/spark/release.yaml": """
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: spark-operator, namespace: flux-system}
        spec:
          interval: 1h
          releaseName: spark-operator
          targetNamespace: spark
          install: {createNamespace: true}
          chartRef: {kind: OCIRepository, name: spark-operator}
          values: {spark: {jobNamespaces: [jobs]}}
    """,
    "jobs/pi.yaml": PI,
    "jobs/nightly.yaml": NIGHTLY,
    "jobs/three.yaml": STEPS,
    "jobs/runner.yaml": RUNNER,
}
"""No kustomization files, health checks, targetNamespace; the chart by chartRef; Argo from its own repository."""
DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: workflow-controller, namespace: argo}
    spec:
      selector: {matchLabels: {app: workflow-controller}}
      template:
        metadata: {labels: {app: workflow-controller}}
        spec: {containers: [{name: controller, image: 'quay.io/argoproj/workflow-controller:latest'}]}
"""
CRD = """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: workflows.argoproj.io}
    spec:
      group: argoproj.io
      names: {kind: Workflow, plural: workflows}
      scope: Namespaced
      versions:
        - name: v1alpha1
          served: true
          storage: true
          schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
OVERLAID: Mapping[str, str] = {
    "clusters/home/flux-system/gotk-sync.yaml": """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: flux-system, namespace: flux-system}
        spec: {interval: 1m, url: 'ssh://git@git.example.org/me/fleet', ref: {branch: main}}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: flux-system, namespace: flux-system}
        spec:
          interval: 10m
          path: ./clusters/home
          prune: true
          sourceRef: {kind: GitRepository, name: flux-system}
    """,
    "clusters/home/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml]\n",
    "clusters/home/operators.yaml": """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: operators, namespace: flux-system}
        spec:
          interval: 1h
          path: ./operators/overlay
          prune: true
          wait: true
          sourceRef: {kind: GitRepository, name: flux-system}
          postBuild: {substitute: {argo: v3.7.6}}
          patches:
            - target: {kind: Deployment, name: workflow-controller}
              patch: |
                - op: replace
                  path: /spec/template/spec/containers/0/image
                  value: quay.io/argoproj/workflow-controller:${argo}
    """,
    "clusters/home/jobs.yaml": """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: jobs, namespace: flux-system}
        spec:
          dependsOn: [{name: operators}]
          interval: 1h
          path: ./jobs
          prune: true
          sourceRef: {kind: GitRepository, name: flux-system}
          commonMetadata: {labels: {team: data}}
    """,
    "operators/base/kustomization.yaml": """
        resources: [release.yaml, argo.yaml, crd.yaml]
        configMapGenerator:
          - name: spark-values
            namespace: spark
            files: [values.yaml=spark.yaml]
        generatorOptions: {disableNameSuffixHash: true}
    """,
    "operators/base/spark.yaml": "spark:\n  jobNamespaces: ['']\n  serviceAccount: {name: driver}\n",
    "operators/base/release.yaml": """
        apiVersion: v1
        kind: Namespace
        metadata: {name: spark}
        ---
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: operator, namespace: spark}
        spec: {interval: 1h, url: 'https://github.com/kubeflow/spark-operator', ref: {tag: v2.3.0}}
        ---
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: operator, namespace: spark}
        spec:
          interval: 1h
          chart:
            spec:
              chart: ./charts/spark-operator-chart
              sourceRef: {kind: GitRepository, name: operator}
          valuesFrom: [{kind: ConfigMap, name: spark-values}]
    """,
    "operators/base/argo.yaml": DEPLOYMENT,
    "operators/base/crd.yaml": CRD,
    "operators/overlay/kustomization.yaml": """
        resources: [../base, argo.yaml]
        patches:
          - path: newer.yaml
          - target: {kind: Deployment}
            patch: |
              apiVersion: apps/v1
              kind: Deployment
              metadata: {name: any}
              spec: {replicas: 1}
    """,
    "operators/overlay/argo.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: argo}\n",
    "operators/overlay/newer.yaml": """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: operator, namespace: spark}
        spec: {ref: {tag: v2.4.0}}
    """,
    "jobs/kustomization.yaml": """
        namespace: jobs
        resources: [namespace.yaml, pi.yaml, nightly.yaml, three.yaml, runner.yaml, driver.yaml]
        patches:
          - target: {kind: SparkApplication}
            patch: |
              - {op: replace, path: /spec/driver/serviceAccount, value: driver}
          - target: {kind: ScheduledSparkApplication}
            patch: |
              - {op: replace, path: /spec/template/driver/serviceAccount, value: driver}
    """,
    "jobs/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: jobs}\n",
    "jobs/driver.yaml": """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: driver}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: driver}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
        subjects: [{kind: ServiceAccount, name: driver}]
    """,
    "jobs/pi.yaml": PI,
    "jobs/nightly.yaml": NIGHTLY,
    "jobs/three.yaml": STEPS.replace("kind: WorkflowTemplate", "kind: Workflow"),
    "jobs/runner.yaml": RUNNER,
}
"""As `flux bootstrap` lays it out: bases, overlays, patches of each kind, a chart from Git, values from a ConfigMap."""
