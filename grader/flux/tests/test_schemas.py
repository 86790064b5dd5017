"""Objects are held against the schemas that a server has: right ones fit, a typo anywhere is a problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.flux import generate, load
from grader.flux.objects import Layer, Rendered, Tree
from grader.flux.schemas import FILE, namespaced, problems, unknown
from grader.flux.tests.trees import OVERLAID, PLAIN, reference, write


def tree_of(body: dict[str, Any]) -> Tree:
    """Make a tree of one object."""
    one = Rendered(body=body, layer="", file="x.yaml", line=3, lines={"spec": 5})
    return Tree(root=Path(), layers=(Layer(name="", kustomization=None, folder=None, objects=(one,)),))


def messages(body: dict[str, Any]) -> list[str]:
    """Give path and message of each problem."""
    return [f"{each.path}: {each.message}" for each in problems(tree_of(body))]


def flux(kind: str, spec: dict[str, Any], group: str = "helm.toolkit.fluxcd.io/v2") -> dict[str, Any]:
    """Make a Flux object."""
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "n", "namespace": "n"}, "spec": spec}


CHART = {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "r"}}}
KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = "source.toolkit.fluxcd.io/v1"


def test_right_trees_fit(tmp_path: Path) -> None:
    """Three trees written in different ways have no problem, and no kind that is not known."""
    (tmp_path / "submission.toml").touch()
    for tree in (
        load(reference(tmp_path)),
        load(write(tmp_path / "flux", PLAIN)),
        load(write(tmp_path / "overlaid", OVERLAID)),
    ):
        assert problems(tree) == []
        assert unknown(tree) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            flux("HelmRelease", {"interval": "1h", "chart": CHART, "chartRef": {"kind": "HelmChart", "name": "x"}}),
            "spec: either chart or chartRef must be set",
        ),
        (flux("HelmRelease", {"interval": "1h"}), "spec: either chart or chartRef must be set"),
        (flux("HelmRelease", {"interval": "one hour", "chart": CHART}), "spec.interval: 'one hour' does not match"),
        (
            flux("HelmRelease", {"interval": "1h", "chart": CHART, "sourceRef": {}}),
            "spec.sourceRef: unknown field sourceRef",
        ),
        (
            flux(
                "HelmRelease",
                {
                    "interval": "1h",
                    "chart": CHART,
                    "install": {"strategy": {"name": "RemediateOnFailure", "retryInterval": "1m"}},
                },
            ),
            "spec.install.strategy: .retryInterval cannot be set when .name is 'RemediateOnFailure'",
        ),
        (
            flux("HelmRelease", {"interval": "1h", "chart": CHART}, "helm.toolkit.fluxcd.io/v2beta1"),
            "apiVersion: there is no HelmRelease of helm.toolkit.fluxcd.io/v2beta1; HelmRelease is of helm.toolkit.f",
        ),
        (
            flux("Kustomization", {"interval": "1h", "prune": True}, KUSTOMIZE),
            "spec: 'sourceRef' is a required property",
        ),
        (
            flux(
                "Kustomization",
                {"interval": "1h", "prune": "yes", "sourceRef": {"kind": "OCIRepository", "name": "x"}},
                KUSTOMIZE,
            ),
            "spec.prune: 'yes' is not of type 'boolean'",
        ),
        (flux("HelmRepository", {"url": "ftp://x"}, SOURCE), "spec.url: 'ftp://x' does not match"),
        (
            flux("OCIRepository", {"interval": "1m", "url": "oci://x", "ref": {"branch": "main"}}, SOURCE),
            "spec.ref.branch: unknown field branch",
        ),
        (
            flux(
                "SparkApplication",
                {"type": "Python", "sparkVersion": "4", "driver": {}, "executor": {}},
                "sparkoperator.k8s.io/v1beta2",
            ),
            "spec.mainApplicationFile: Required value",
        ),
        (
            flux("SparkApplication", {"driver": {"memoryy": "1g"}}, "sparkoperator.k8s.io/v1beta2"),
            'spec.driver.memoryy: unknown field "spec.driver.memoryy"',
        ),
        (
            flux("SparkAplication", {}, "sparkoperator.k8s.io/v1beta2"),
            "apiVersion: there is no SparkAplication of sparkoperator.k8s.io/v1beta2",
        ),
        (
            flux("Workflow", {"entripoint": "x"}, "argoproj.io/v1alpha1"),
            'spec.entripoint: unknown field "spec.entripoint"',
        ),
        (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "label": {}}},
            "metadata.label: unknown field label",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}, "data": {"a": 1}},
            "data.a: 1 is not of type 'string'",
        ),
        (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": "n"},
                "rules": [{"apiGroup": [""], "verbs": ["get"]}],
            },
            "rules[0].apiGroup: unknown field apiGroup",
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "a"}]}},
            "metadata: has no name: Flux applies objects by name",
        ),
        ({"kind": "Pod"}, ": has no apiVersion or no kind"),
    ],
)
def test_a_problem_is_told_with_its_path(body: dict[str, Any], expected: str) -> None:
    """Unknown and missing fields, wrong types, patterns, the CRDs' own rules, versions that are not served."""
    found = messages(body)
    assert any(each.startswith(expected) for each in found), found


def test_a_problem_has_file_and_line() -> None:
    """The place is that of the field, or of what is around it."""
    (found,) = problems(tree_of(flux("HelmRelease", {"interval": "1h"})))
    assert found.where == "x.yaml:5"


def test_what_a_server_takes_is_no_problem() -> None:
    """Nulls are fields that are not there; quantities and ports may be numbers or texts; values are free."""
    limits = {"cpu": 1, "memory": "1Gi"}
    probe = {"httpGet": {"port": "http", "path": None}}
    container = {"name": "c", "image": "i", "resources": {"limits": limits}, "readinessProbe": probe}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "creationTimestamp": None}}
    assert messages({**pod, "spec": {"containers": [container]}, "status": {}}) == []
    assert messages(flux("HelmRelease", {"interval": "1h", "chart": CHART, "values": {"any": [{"thing": 1}]}})) == []


def test_kinds_of_other_operators_are_only_told() -> None:
    """A kind that some chart's CRD may define is no problem, and not overlooked."""
    tree = tree_of(flux("Certificate", {}, "cert-manager.io/v1"))
    assert problems(tree) == []
    assert [each.kind for each in unknown(tree)] == ["Certificate"]
    assert namespaced(tree.objects[0]) is None


def test_a_schema_of_every_rule() -> None:
    """A CRD's rule that has no translation stops the generator, so that none is lost without notice."""
    with pytest.raises(ValueError, match=r"a rule that is not known here: self\.new"):
        generate._rule({"rule": "self.new  == 1", "message": "m"})
    assert generate._rule({"rule": "self.provider == 'aws'", "message": "m"}) == {}


@pytest.mark.slow
def test_schemas_are_what_the_modules_say() -> None:
    """schemas.json is made of the pinned modules, byte for byte."""
    assert generate.text(generate.generate()) == FILE.read_text()
