"""What a service account may do is what roles, bindings and charts give it in its own namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.flux import Tree
from grader.flux.objects import Layer, Rendered
from grader.flux.rbac import Account, Granted, Right, exists, lacking, results

ME = Account(namespace="n", name="me")
READ = Right(group="", resource="pods", verb="get")
RULE: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SUBJECT = {"kind": "ServiceAccount", "namespace": "n", "name": "me"}


def one(kind: str, name: str, namespace: str = "", **body: Any) -> Rendered:
    """Make an object of RBAC."""
    metadata = {"name": name, "labels": body.pop("labels", {}), **({"namespace": namespace} if namespace else {})}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata}
    return Rendered(body={**head, **body}, layer="", file="x.yaml")


def tree_of(*objects: Rendered) -> Tree:
    """Make a tree."""
    return Tree(root=Path("/"), layers=(Layer(name="", kustomization=None, folder=None, objects=objects),))


def bound(rule: dict[str, Any], subject: dict[str, Any] | None = None, namespace: str = "n") -> Tree:
    """Bind a role with one rule."""
    return tree_of(
        one("Role", "r", "n", rules=[rule]),
        one("RoleBinding", "b", namespace, roleRef={"kind": "Role", "name": "r"}, subjects=[subject or SUBJECT]),
    )


def test_a_role_that_is_bound_gives_its_rules() -> None:
    """A rule counts if its binding names the account, in the same namespace."""
    assert lacking(bound(RULE), ME, [READ], ()) == []
    assert lacking(bound(RULE), Account(namespace="m", name="me"), [READ], ()) == [READ]
    assert lacking(bound(RULE, {**SUBJECT, "name": "you"}), ME, [READ], ()) == [READ]
    assert lacking(bound(RULE, {"kind": "ServiceAccount", "name": "me"}), ME, [READ], ()) == [READ]
    assert lacking(bound(RULE, namespace="m"), ME, [READ], ()) == [READ]


def test_groups_and_wildcards() -> None:
    """All accounts of a namespace are a group; `*` is everything; named objects are not all of them."""
    group = {"kind": "Group", "name": "system:serviceaccounts:n"}
    assert lacking(bound({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, group), ME, results(), ()) == []
    assert lacking(bound({**RULE, "resourceNames": ["x"]}), ME, [READ], ()) == [READ]
    assert lacking(bound({**RULE, "apiGroups": ["apps"]}), ME, [READ], ()) == [READ]


def test_cluster_roles() -> None:
    """They may be bound in one namespace or everywhere, and be collected by their labels."""
    part = one("ClusterRole", "part", rules=[RULE], labels={"to": "all"})
    whole = one("ClusterRole", "whole", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]})
    for kind, namespace in (("RoleBinding", "n"), ("ClusterRoleBinding", "")):
        binding = one(kind, "b", namespace, roleRef={"kind": "ClusterRole", "name": "whole"}, subjects=[SUBJECT])
        assert lacking(tree_of(part, whole, binding), ME, [READ], ()) == []
    admin = one("RoleBinding", "b", "n", roleRef={"kind": "ClusterRole", "name": "cluster-admin"}, subjects=[SUBJECT])
    assert lacking(tree_of(admin), ME, [READ], ()) == []


def test_charts_bring_rules() -> None:
    """What a chart gives counts for the account that it gives it to."""
    assert lacking(tree_of(), ME, [READ], [Granted(account=ME, rules=[RULE])]) == []
    other = Granted(account=Account(namespace="n", name="you"), rules=[RULE])
    assert lacking(tree_of(), ME, [READ], [other]) == [READ]


def test_accounts_exist() -> None:
    """Every namespace has `default`; others are objects."""
    account = Rendered(
        body={"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "me", "namespace": "n"}},
        layer="", file="x.yaml",
    )  # fmt: skip
    assert exists(tree_of(), Account(namespace="n", name="default"))
    assert not exists(tree_of(), ME)
    assert exists(tree_of(account), ME)
