"""M01: Flux installs the Spark Operator, and a small application runs by it."""

from __future__ import annotations

from grader.checks.model import Evidence, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.flux.applications import ALL, application_flaws, schedule_flaws, watch_flaws, watched
from grader.flux.helm import Release, releases
from grader.flux.install import release_flaws
from grader.flux.objects import SPARK, Tree
from grader.flux.verdicts import TREE_HINTS, builds, missing, query, ran, refuse, row, run_flaws, tree_of
from grader.flux.workloads import applications
from pipelines.local.lang import Lang

M01 = Registry("M01")
CHARTS = ("spark-operator", "spark-operator-chart")
"""Name of the operator's chart in its repository, and of its folder in Git."""
RELEASE = "HelmRelease of chart spark-operator"


@M01.check("flux", needs=("flux",), pipelines=(), hints=TREE_HINTS)
def flux(probe: Probe) -> Passed:
    """The Flux tree builds, and the API server would take every object."""
    return builds(probe)


@M01.check("release", points=2, needs=("flux",), depends=("M01-flux",), pipelines=(), hints=(
    "What must be Ready before the first SparkApplication can be applied?",
    "dependsOn orders Kustomizations; one is Ready before its HelmReleases are, unless it waits for them.",
    "The release's Kustomization: wait: true. The workloads' one: dependsOn with its name. The chart: version: 2.4.0.",
))  # fmt: skip
def release(probe: Probe) -> Passed:
    """A HelmRelease installs one exact version of the Spark Operator, before the workloads."""
    tree = tree_of(probe)
    found = releases(tree, *CHARTS)
    if not found:
        raise missing(RELEASE, probe, "a HelmRelease with a source and one exact version")
    workloads = tree.of(SPARK, "SparkApplication", "ScheduledSparkApplication")
    flaws = min((release_flaws(tree, each, workloads) for each in found), key=len)
    refuse(flaws, probe)
    rows = [(*row(each.object), each.chart, each.version, " ".join(each.source), each.namespace) for each in found]
    return Passed(
        f"{found[0].object.title} installs chart {found[0].chart} {found[0].version} into {found[0].namespace}, before "
        f"{len(workloads)} workloads",
        Evidence(columns=("object", "where", "chart", "version", "source", "namespace"), rows=rows, query=query(probe)),
    )


@M01.check("watches", needs=("flux",), depends=("M01-release",), pipelines=(), hints=(
    "An operator sees only the namespaces that its release names; an application elsewhere stays without a state.",
    "Look at spark.jobNamespaces in the release's values; what it names must exist when the chart is installed.",
    "spark.jobNamespaces: [batch], with the Namespace batch in the Kustomization that has the HelmRelease.",
))  # fmt: skip
def watches(probe: Probe) -> Passed:
    """The operator watches every namespace in which applications are created."""
    tree = tree_of(probe)
    there = list(applications(tree))
    if not there:
        raise missing("SparkApplication", probe, "an application in a watched namespace")
    found = _best(tree)
    if found is None:
        raise missing(RELEASE, probe, "the release whose values name the namespaces")
    refuse(list(watch_flaws(tree, found)), probe)
    names = watched(found)
    rows = [(each.where, each.namespace) for each in there]
    return Passed(
        f"the operator watches {ALL if names is None else ', '.join(names)}: all {len(there)} applications are seen",
        Evidence(columns=("application", "namespace"), rows=rows, query=query(probe)),
    )


@M01.check("application", points=2, needs=("flux",), depends=("M01-flux",), pipelines=(), hints=(
    "A small application shows that operator, image and rights fit together, before a large one is debugged.",
    "Its image has an exact tag, its restart policy an end, its driver a service account that may create pods.",
    "restartPolicy: {type: Never}, or OnFailure with onFailureRetries; driver: {serviceAccount: spark}.",
))  # fmt: skip
def application(probe: Probe) -> Passed:
    """A small SparkApplication of the tree is complete, and runs to COMPLETED."""
    tree = tree_of(probe)
    found = tree.of(SPARK, "SparkApplication")
    if not found:
        raise missing("SparkApplication", probe, "a small SparkApplication that Flux applies")
    operator = _best(tree)
    refuse([flaw for each in found for flaw in application_flaws(tree, each, operator)], probe)
    runs = ran(probe, tree, "SparkApplication")
    refuse(run_flaws(runs, "COMPLETED"), probe)
    rows = [(*row(each.hello.of), each.hello.name, each.phase) for each in runs]
    return Passed(
        f"{runs[0].hello.of.title} ran here and completed",
        Evidence(columns=("object", "where", "run", "phase"), rows=rows, query=query(probe)),
    )


@M01.check("scheduled", needs=("flux",), depends=("M01-flux",), pipelines=(), hints=(
    "What happens when the second run is due, and the first one's application still exists, finished or not?",
    "An empty concurrencyPolicy is not Allow: the operator then starts nothing as long as an application is there.",
    "schedule: 30 6 * * *, timeZone: America/New_York, concurrencyPolicy: Forbid.",
))  # fmt: skip
def scheduled(probe: Probe) -> Passed:
    """A ScheduledSparkApplication fires at times that exist, and goes on firing."""
    tree = tree_of(probe)
    found = tree.of(SPARK, "ScheduledSparkApplication")
    if not found:
        raise missing("ScheduledSparkApplication", probe, "the operator's own schedule, beside a CronWorkflow")
    operator, lang = _best(tree), Lang.shared()
    refuse([flaw for each in found for flaw in schedule_flaws(tree, each, operator, lang)], probe)
    rows = [
        (
            *row(each),
            each.spec["schedule"],
            each.spec.get("timeZone") or "the operator's",
            each.spec["concurrencyPolicy"],
        )
        for each in found
    ]
    return Passed(
        f"{found[0].title} fires at {found[0].spec['schedule']}",
        Evidence(columns=("object", "where", "schedule", "time zone", "concurrencyPolicy"), rows=rows),
    )


def _best(tree: Tree) -> Release | None:
    """Choose the operator's release with the fewest flaws, where there are several."""
    return min(releases(tree, *CHARTS), key=lambda each: len(list(watch_flaws(tree, each))), default=None)
