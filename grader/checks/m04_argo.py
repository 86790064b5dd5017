"""M04: Flux installs Argo Workflows, and a workflow of three steps runs by it."""

from __future__ import annotations

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.flux.helm import Release, releases
from grader.flux.install import Flaw, external, manifests, order_flaws, release_flaws
from grader.flux.objects import ARGO, Rendered, Tree
from grader.flux.order import Order
from grader.flux.verdicts import TREE_HINTS, builds, missing, query, ran, refuse, row, run_flaws, tree_of
from grader.flux.workflows import KINDS, accounts, longest_chain, rights_flaws
from grader.flux.workloads import pinned

M04 = Registry("M04")
CHARTS = ("argo-workflows",)
CONTROLLER = "argoproj/workflow-controller"
UPSTREAM = "argoproj/argo-workflows"
STEPS = 3


@M04.check("flux", needs=("flux",), pipelines=(), hints=TREE_HINTS)
def flux(probe: Probe) -> Passed:
    """The Flux tree builds, and the API server would take every object."""
    return builds(probe)


@M04.check("release", points=2, needs=("flux",), depends=("M04-flux",), pipelines=(), hints=(
    "What must be Ready before the first Workflow can be applied?",
    "dependsOn orders Kustomizations; one is Ready before its HelmReleases are, unless it waits for them.",
    "A HelmRelease of chart argo-workflows in one exact version, or Argo's manifests from one tag of its repository.",
))  # fmt: skip
def release(probe: Probe) -> Passed:
    """Flux installs one exact version of Argo Workflows, before the workflows."""
    tree = tree_of(probe)
    workloads = tree.of(ARGO, *KINDS)
    if found := releases(tree, *CHARTS):
        refuse(min((release_flaws(tree, each, workloads) for each in found), key=len), probe)
        return _passed(found[0].object, f"chart {found[0].chart} {found[0].version}", workloads, probe)
    if deployment := manifests(tree, CONTROLLER):
        refuse([*_controller_flaws(tree, deployment), *order_flaws(tree, deployment, workloads)], probe)
        return _passed(deployment, "Argo's own manifests", workloads, probe)
    if outside := external(tree, UPSTREAM):
        layer, version, exact = outside
        assert layer.kustomization is not None
        flaws = [] if exact else [_unpinned(layer.kustomization, version)]
        refuse([*flaws, *_outside_flaws(tree, layer.kustomization, workloads)], probe)
        return _passed(layer.kustomization, f"Argo's own manifests of {version}", workloads, probe)
    raise missing("HelmRelease of chart argo-workflows", probe, "a HelmRelease of it, or Argo's own manifests")


@M04.check("workflow", points=2, needs=("flux",), depends=("M04-flux",), pipelines=(), hints=(
    "A workflow has an order when a step waits for the one before it: steps side by side have none.",
    "In a dag, a task says depends; in steps, each inner list is one group, and groups come one after another.",
    "- name: double, depends: measure. The last step uses what the one before it gave: tasks.double.outputs.result.",
))  # fmt: skip
def workflow(probe: Probe) -> Passed:
    """A Workflow of the tree runs at least three steps one after another, and succeeds."""
    tree = tree_of(probe)
    found = ran(probe, tree, "Workflow", "WorkflowTemplate")
    if not found:
        raise missing("Workflow that runs by itself", probe, "a Workflow of three steps that Flux applies")
    refuse(run_flaws(found, "Succeeded"), probe)
    chains = {each.hello.of.title: longest_chain(each.run.document) for each in found if each.run}
    title, chain = max(chains.items(), key=lambda one: len(one[1]))
    rows = [(title, node.get("displayName"), node.get("startedAt"), node.get("finishedAt")) for node in chain]
    columns = ("workflow", "step", "started", "finished")
    if len(chain) < STEPS:
        raise Failure(
            f"{title} succeeded with {len(chain)} step{'s' * (len(chain) != 1)} one after another",
            evidence=Evidence(columns=columns, rows=rows, expected=f"at least {STEPS}", found=str(len(chain))),
        )
    return Passed(f"{title} ran {len(chain)} steps one after another", Evidence(columns=columns, rows=rows))


@M04.check("rbac", needs=("flux",), depends=("M04-flux",), pipelines=(), hints=(
    "Who are the pods of a workflow, and what do they tell the controller?",
    "Each pod reports its outcome as a WorkflowTaskResult; a resource step makes and watches its object itself.",
    "A Role, and its RoleBinding: create, patch workflowtaskresults (argoproj.io); create, get sparkapplications.",
))  # fmt: skip
def rbac(probe: Probe) -> Passed:
    """The service accounts of workflows exist, and may do what their pods do."""
    tree = tree_of(probe)
    argo = _argo(tree)
    found = accounts(tree, argo)
    if not found:
        raise missing("Workflow", probe, "a Workflow, WorkflowTemplate or CronWorkflow")
    refuse(list(rights_flaws(tree, argo)), probe)
    rows = [
        (each.title, account.title, ", ".join(f"{one.verb} {one.resource}" for one in rights))
        for each, account, rights in found
    ]
    return Passed(
        f"{len({account for _, account, _ in found})} service account(s) may do what pods of {len(found)} workflows do",
        Evidence(columns=("workflow", "service account", "needs"), rows=rows, query=query(probe)),
    )


def _argo(tree: Tree) -> Release | None:
    found = releases(tree, *CHARTS)
    return found[0] if found else None


def _passed(installed: Rendered, what: str, workloads: list[Rendered], probe: Probe) -> Passed:
    return Passed(
        f"{installed.title} installs {what}, before {len(workloads)} workflows",
        Evidence(columns=("object", "where"), rows=[row(installed)], query=query(probe)),
    )


def _controller_flaws(tree: Tree, deployment: Rendered) -> list[Flaw]:
    """Find what is wrong with Argo's own manifests: an image that may change, resource types that are not brought."""
    pod = (deployment.spec.get("template") or {}).get("spec") or {}
    images = [str(each.get("image") or "") for each in pod.get("containers") or []]
    found = [
        Flaw(
            what=f"{deployment.title} runs image {image}, which may be another one tomorrow",
            where=deployment.at("spec.template"), expected="a tag that is not latest, or a digest", found=image,
        )
        for image in images
        if not pinned(image)
    ]  # fmt: skip
    if tree.find("apiextensions.k8s.io", "CustomResourceDefinition", "", "workflows.argoproj.io") is None:
        found.append(
            Flaw(
                what="nothing brings the CustomResourceDefinition workflows.argoproj.io", where=deployment.at(),
                expected="Argo's CRDs beside its controller", found="none",
            )
        )  # fmt: skip
    return found


def _unpinned(kustomization: Rendered, version: str) -> Flaw:
    return Flaw(
        what=f"{kustomization.title} takes Argo's manifests from {version or 'no fixed version'}: they may change",
        where=kustomization.at("spec.sourceRef"), expected="a tag or commit", found=version or "none",
    )  # fmt: skip


def _outside_flaws(tree: Tree, kustomization: Rendered, workloads: list[Rendered]) -> list[Flaw]:
    """Find workflows that are applied before a Kustomization from outside of the tree is Ready."""
    order = Order(tree)
    found = [Flaw(what=text, where="") for text in order.problems()]
    if not kustomization.spec.get("wait") and not kustomization.spec.get("healthChecks"):
        found.append(
            Flaw(
                what=f"{kustomization.title} does not wait until what it brings is Ready",
                where=kustomization.at("spec"), expected="wait: true, or healthChecks", found="neither",
            )
        )  # fmt: skip
    for name in dict.fromkeys(each.layer for each in workloads):
        if kustomization.full not in order.before(name):
            layer = tree.layer(name)
            found.append(
                Flaw(
                    what=f"{layer.title if layer else name} does not depend on {kustomization.title}, and so on Argo",
                    where=kustomization.at(), expected="dependsOn", found="none",
                )
            )  # fmt: skip
    return found
