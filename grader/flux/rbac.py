"""What service accounts may do, by the roles and bindings of a tree and those that charts bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.flux.objects import ARGO, Rendered, Tree

RBAC = "rbac.authorization.k8s.io"
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@dataclass(frozen=True, kw_only=True)
class Account:
    """A service account."""

    namespace: str
    name: str

    @property
    def title(self) -> str:
        """Give it for people."""
        return f"service account {self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Right:
    """A right: verb, resource (in the plural) and its API group."""

    group: str
    resource: str
    verb: str


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Rules that a chart brings for one account in one namespace."""

    account: Account
    rules: Sequence[Mapping[str, Any]]


def lacking(tree: Tree, account: Account, rights: Sequence[Right], charts: Sequence[Granted]) -> list[Right]:
    """Give the rights that an account does not have in its own namespace."""
    rules = [*_rules(tree, account), *(rule for one in charts if one.account == account for rule in one.rules)]
    return [right for right in rights if not any(_allows(rule, right) for rule in rules)]


def exists(tree: Tree, account: Account) -> bool:
    """Tell whether the tree has a service account; every namespace has `default`."""
    return account.name == "default" or tree.find("", "ServiceAccount", account.namespace, account.name) is not None


def _rules(tree: Tree, account: Account) -> Iterator[Mapping[str, Any]]:
    for binding in tree.of(RBAC, "RoleBinding", "ClusterRoleBinding"):
        if binding.kind == "RoleBinding" and binding.namespace != account.namespace:
            continue
        if not any(_names(subject, account) for subject in binding.body.get("subjects") or []):
            continue
        yield from _role(tree, binding)


def _names(subject: Mapping[str, Any], account: Account) -> bool:
    if subject.get("kind") == "ServiceAccount":
        return (subject.get("namespace"), subject.get("name")) == (account.namespace, account.name)
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", "system:authenticated")
    return subject.get("kind") == "Group" and subject.get("name") in groups


def _role(tree: Tree, binding: Rendered) -> Iterator[Mapping[str, Any]]:
    reference = binding.body.get("roleRef") or {}
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    if (kind, name) == ("ClusterRole", "cluster-admin"):
        yield EVERYTHING
    role = tree.find(RBAC, kind, binding.namespace if kind == "Role" else "", name)
    if role is not None:
        yield from role.body.get("rules") or []
        yield from _aggregated(tree, role)


def _aggregated(tree: Tree, role: Rendered) -> Iterator[Mapping[str, Any]]:
    """Give the rules of the ClusterRoles that a ClusterRole collects by their labels."""
    for selector in (role.body.get("aggregationRule") or {}).get("clusterRoleSelectors") or []:
        wanted = (selector.get("matchLabels") or {}).items()
        for other in tree.of(RBAC, "ClusterRole"):
            labels = (other.body.get("metadata") or {}).get("labels") or {}
            if wanted and wanted <= labels.items():
                yield from other.body.get("rules") or []


def _allows(rule: Mapping[str, Any], right: Right) -> bool:
    """Tell whether a rule gives a right on every object of its resource."""
    if rule.get("resourceNames"):
        return False
    pairs = (("apiGroups", right.group), ("resources", right.resource), ("verbs", right.verb))
    return all({value, "*"} & set(rule.get(key) or []) for key, value in pairs)


def results() -> list[Right]:
    """Give what the executor in every pod of a workflow needs to report its outcome."""
    return [Right(group=ARGO, resource="workflowtaskresults", verb=verb) for verb in ("create", "patch")]
