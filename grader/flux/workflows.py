"""What keeps the workflows of a tree from running on a cluster, and whether a run's steps had an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.flux.helm import Release
from grader.flux.install import Flaw
from grader.flux.objects import ARGO, SPARK, Rendered, Tree, resource_templates
from grader.flux.rbac import Account, Granted, Right, exists, lacking, results
from grader.flux.workloads import manifest

KINDS = ("Workflow", "WorkflowTemplate", "CronWorkflow")
_PLURALS = {
    "SparkApplication": (SPARK, "sparkapplications"),
    "ScheduledSparkApplication": (SPARK, "scheduledsparkapplications"),
    "Workflow": (ARGO, "workflows"),
}
_VERBS = {
    "create": ("create",), "get": ("get",), "delete": ("delete",), "patch": ("get", "patch"),
    "apply": ("get", "create", "patch"), "replace": ("get", "update"),
}  # fmt: skip


def rights_flaws(tree: Tree, argo: Release | None) -> Iterator[Flaw]:
    """Find service accounts of workflows that do not exist, or may not do what the workflow's pods do."""
    seen = set()
    for each in tree.of(ARGO, *KINDS):
        for account, rights in _needed(tree, each, argo).items():
            key = (account, frozenset(rights))
            if key not in seen:
                seen.add(key)
                yield from _judged(tree, each, account, rights, argo)


def accounts(tree: Tree, argo: Release | None) -> list[tuple[Rendered, Account, list[Right]]]:
    """Give every workflow's service accounts and what they need."""
    return [
        (each, account, rights)
        for each in tree.of(ARGO, *KINDS)
        for account, rights in _needed(tree, each, argo).items()
    ]


def _judged(
    tree: Tree, each: Rendered, account: Account, rights: Sequence[Right], argo: Release | None
) -> Iterator[Flaw]:
    where = each.at("spec.workflowSpec" if each.kind == "CronWorkflow" else "spec.serviceAccountName")
    if not exists(tree, account) and account not in _created(argo):
        yield Flaw(
            what=f"{each.title} runs as {account.title}, which nothing creates", where=where,
            expected=f"a ServiceAccount {account.name} in namespace {account.namespace}", found="none",
        )  # fmt: skip
        return
    wanting = lacking(tree, account, rights, list(_granted(argo)))
    if wanting:
        listed = ", ".join(f"{one.verb} {one.resource}" for one in wanting)
        yield Flaw(
            what=f"{each.title} runs as {account.title}, which may not {listed}", where=where,
            expected="a Role with them, and a RoleBinding in the same namespace", found="no rule that gives them",
        )  # fmt: skip


def _needed(tree: Tree, each: Rendered, argo: Release | None) -> dict[Account, list[Right]]:
    """Collect what the pods of a workflow do, by the service account that they have."""
    spec = _spec(each)
    fallback = (argo.value("controller.workflowDefaults.spec.serviceAccountName") if argo else None) or "default"
    found: dict[Account, list[Right]] = {}
    own = _own_account(tree, each, spec) or str(fallback)
    found[Account(namespace=each.namespace, name=own)] = results()
    for template in _templates(tree, each.namespace, spec, frozenset()):
        name = str(template.get("serviceAccountName") or own)
        rights = found.setdefault(Account(namespace=each.namespace, name=name), results())
        rights += [right for right in _of_resource(template) if right not in rights]
    return found


def _spec(each: Rendered) -> Mapping[str, Any]:
    return each.spec.get("workflowSpec") or {} if each.kind == "CronWorkflow" else each.spec


def _own_account(tree: Tree, each: Rendered, spec: Mapping[str, Any]) -> str:
    """Give a workflow's service account: its own, else that of the template it refers to."""
    name = str(spec.get("serviceAccountName") or "")
    reference = (spec.get("workflowTemplateRef") or {}).get("name")
    if name or not reference:
        return name
    template = tree.find(ARGO, "WorkflowTemplate", each.namespace, str(reference))
    return str(template.spec.get("serviceAccountName") or "") if template else ""


def _templates(
    tree: Tree, namespace: str, spec: Mapping[str, Any], seen: frozenset[str]
) -> Iterator[Mapping[str, Any]]:
    """Give the templates of a workflow and of the WorkflowTemplates that it refers to."""
    names = [str((spec.get("workflowTemplateRef") or {}).get("name") or "")]
    for template in spec.get("templates") or []:
        if isinstance(template, dict):
            yield template
            names += [str(one.get("name")) for one in _references(template)]
    for name in dict.fromkeys(names):
        found = tree.find(ARGO, "WorkflowTemplate", namespace, name)
        if found is not None and name not in seen:
            yield from _templates(tree, namespace, found.spec, seen | {name})


def _references(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("templateRef"), dict):
            yield node["templateRef"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _of_resource(template: Mapping[str, Any]) -> Iterator[Right]:
    """Give the rights that a resource template takes on kinds that are known here."""
    for _, resource in resource_templates({"templates": [template]}):
        group, plural = _PLURALS.get(str(manifest(resource).get("kind")), ("", ""))
        if not plural:
            continue
        watching = resource.get("successCondition") or resource.get("failureCondition")
        verbs = (*_VERBS.get(str(resource.get("action")), ()), *(("get",) if watching else ()))
        yield from (Right(group=group, resource=plural, verb=verb) for verb in dict.fromkeys(verbs))


def _namespaces(argo: Release) -> list[str]:
    return [str(each) for each in argo.value("controller.workflowNamespaces", ["default"]) or []]


def _created(argo: Release | None) -> list[Account]:
    """Give the service accounts that Argo's chart makes."""
    if argo is None or not argo.value("workflow.serviceAccount.create", default=False):
        return []
    name = str(argo.value("workflow.serviceAccount.name", "argo-workflow"))
    return [Account(namespace=each, name=name) for each in _namespaces(argo)]


def _granted(argo: Release | None) -> Iterator[Granted]:
    """Give the rights that Argo's chart brings to the service account of workflows."""
    if argo is None or not argo.value("workflow.rbac.create", default=True):
        return
    name = str(argo.value("workflow.serviceAccount.name", "argo-workflow"))
    rules = [{"apiGroups": [ARGO], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
    rules += argo.value("workflow.rbac.rules") or []
    for each in _namespaces(argo):
        yield Granted(account=Account(namespace=each, name=name), rules=rules)


def longest_chain(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the longest row of steps of a run of which each began after the one before it had ended, in its order.

    Steps are the pods that succeeded; of a step that was retried that is one attempt. Their order is that of the
    nodes' children, which is the one of the workflow, whatever the clock says.
    """
    nodes: Mapping[str, Any] = document.get("nodes") or {}
    best: dict[str, list[str]] = {}

    def chain(name: str, path: frozenset[str]) -> list[str]:
        if name in best or name in path:
            return best.get(name, [])
        node = nodes.get(name) or {}
        below = [chain(each, path | {name}) for each in node.get("children") or []]
        longest = max(below, key=len, default=[])
        best[name] = [name, *longest] if _step(node) else longest
        return best[name]

    found = max((chain(name, frozenset()) for name in nodes), key=len, default=[])
    return [nodes[name] for name in found]


def _step(node: Mapping[str, Any]) -> bool:
    return node.get("type") == "Pod" and node.get("phase") == "Succeeded"
