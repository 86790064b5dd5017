"""M01 and M04 on a cluster: what Flux says of the operators, and the API server of their types and controllers."""

from __future__ import annotations

from collections.abc import Callable

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Installed, Probe
from grader.checks.registry import Registry

M01 = Registry("M01")
M04 = Registry("M04")
_HINTS = (
    "Who waits for whom? Begin with the source, then the release, then the Kustomization around it.",
    "`batchlab cluster status` lists Flux's objects with their conditions, and the pods that do not come up.",
)
_COLUMNS = ("object", "ready", "applied by", "status")


@M01.check("ready", points=2, needs=("cluster",), pipelines=(), hints=(
    *_HINTS,
    "flux get all -A; kubectl -n spark-operator get pods; kubectl get crd sparkapplications.sparkoperator.k8s.io",
))  # fmt: skip
def spark_operator(probe: Probe) -> Passed:
    """On the cluster, Flux reports the Spark Operator Ready, its types are served and its controller runs."""
    types = ("sparkapplications.sparkoperator.k8s.io", "scheduledsparkapplications.sparkoperator.k8s.io")
    return _operator(probe, "spark-operator", types, lambda image: "spark-operator/controller" in image)


@M04.check("ready", points=2, needs=("cluster",), pipelines=(), hints=(
    *_HINTS,
    "flux get all -A; kubectl -n argo get pods; kubectl get crd workflows.argoproj.io",
))  # fmt: skip
def argo(probe: Probe) -> Passed:
    """On the cluster, Flux reports Argo Workflows Ready, its types are served and its controller runs."""
    types = ("workflows.argoproj.io", "workflowtemplates.argoproj.io", "cronworkflows.argoproj.io")
    return _operator(probe, "Argo Workflows", types, lambda image: "workflow-controller" in image)


def _operator(probe: Probe, name: str, types: tuple[str, ...], mine: Callable[[str], bool]) -> Passed:
    there = {one.title: one for one in probe.installed()}
    rows: list[Installed] = []
    for each in types:
        found = there.get(f"CustomResourceDefinition {each}")
        if found is None:
            raise _failure(f"the API server does not know {each}", rows, "served", "unknown")
        rows.append(found)
    controllers = [one for one in there.values() if one.kind == "Deployment" and any(map(mine, one.images))]
    if not controllers:
        raise _failure(f"no Deployment runs the controller of {name}", rows, "one", "none")
    rows += controllers
    owners = dict.fromkeys(one.by for one in controllers)
    for owner in owners:
        if owner not in there:
            who = f"{owner}, which is not there" if owner else "nobody of Flux's objects"
            raise _failure(f"the controller of {name} was applied by {who}", rows, "Flux", owner or "nobody")
        rows.append(there[owner])
    for one in rows:
        if not one.ready:
            raise _failure(f"{one.title} is not Ready: {one.message}", rows, "Ready", one.message)
    return Passed(
        f"{name} is installed by {', '.join(owners)}, Ready: {len(types)} types, {len(controllers)} controllers",
        Evidence(columns=_COLUMNS, rows=_shown(rows), query="flux get all --all-namespaces"),
    )


def _failure(what: str, rows: list[Installed], expected: str, found: str) -> Failure:
    evidence = Evidence(
        columns=_COLUMNS, rows=_shown(rows), expected=expected, found=found, query="flux get all --all-namespaces"
    )
    return Failure(what, evidence=evidence)


def _shown(rows: list[Installed]) -> list[tuple[str, bool, str, str]]:
    return [(one.title, one.ready, one.by, one.message) for one in rows]
