"""M01 and M04 pass on right trees, however written, and fail on each wrong one by the check that is about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from grader.checks.m01_operator import M01
from grader.checks.m04_argo import M04
from grader.checks.model import Result
from grader.checks.probe import Probe
from grader.checks.runner import run
from grader.flux.tests.probes import FluxProbe, succeeded
from grader.flux.tests.trees import OVERLAID, PLAIN, edit, reference, write
from grader.flux.tests.wrong import ARGO, CLUSTER, HELLO, ROLE, SCHEDULED, SPARK, WRONG

CHECKS = (*M01.checks, *M04.checks)


def judge(probe: FluxProbe) -> dict[str, Result]:
    """Run all checks of both items."""
    return {each.check.id: each for each in run(CHECKS, cast("Probe", probe))}


def outcomes(probe: FluxProbe) -> dict[str, str]:
    """Give the outcome of each check that did not pass."""
    return {name: each.outcome for name, each in judge(probe).items() if each.outcome != "pass"}


def plain(folder: Path) -> Path:
    """Write the tree without kustomization files."""
    (folder / "submission.toml").touch()
    return write(folder / "flux", PLAIN)


def overlaid(folder: Path) -> Path:
    """Write the tree of bases and overlays."""
    return write(folder, OVERLAID)


def charted(folder: Path) -> Path:
    """Let both charts make the service accounts and roles, and Argo's release say who workflows are."""
    tree = reference(folder)
    edit(tree, SPARK, "      serviceAccount: {create: false}  # infra/configs has one with fewer rights\n", "")
    edit(tree, SPARK, "      rbac: {create: false}\n", "")
    for name in (HELLO, SCHEDULED):
        edit(tree, name, "serviceAccount: spark", "serviceAccount: spark-operator-spark")
    old = "serviceAccount: {create: false}  # infra/configs has it, with the rights that Spark steps need too"
    edit(tree, ARGO, old, "serviceAccount: {create: true, name: workflow}")
    edit(tree, ARGO, "      rbac: {create: false}\n", "")
    edit(
        tree,
        ROLE,
        "  - apiGroups: [argoproj.io]\n    resources: [workflowtaskresults]\n    verbs: [create, patch]\n",
        "",
    )
    return tree


def settled(folder: Path) -> Path:
    """Give the Spark release an order by health checks, and the namespace by Helm; pin by digest; restart never."""
    tree = reference(folder)
    health = """healthChecks:
    - {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: spark-operator, namespace: flux-system}
    - {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: argo-workflows, namespace: argo}"""
    text = (tree / CLUSTER / "infra.yaml").read_text().replace("wait: true", health, 1)
    (tree / CLUSTER / "infra.yaml").write_text(text)
    spark = (
        (tree / SPARK).read_text().partition("---\n")[2].replace("namespace: spark-operator", "namespace: flux-system")
    )
    made = "  targetNamespace: operators\n  interval: 1h\n  timeout: 5m\n"
    spark = spark.replace("  interval: 1h\n  timeout: 5m\n", made).replace(
        "    crds: Create\n", "    createNamespace: true\n"
    )
    (tree / SPARK).write_text(spark)
    edit(tree, f"{CLUSTER}/settings.yaml", "batchlab/work:0.1.0", f"ghcr.io/team/jobs@sha256:{'0' * 64}")
    edit(
        tree,
        HELLO,
        "    type: OnFailure\n    onFailureRetries: 2\n    onFailureRetryInterval: 10\n",
        "    type: Never\n",
    )
    return tree


@pytest.mark.parametrize("make", [reference, plain, overlaid, charted, settled], ids=lambda make: make.__name__)
def test_right_trees_pass(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """The reference passes, and so do trees that do the same in other ways."""
    found = judge(FluxProbe(folder=make(tmp_path)))
    assert {name: each.rationale for name, each in found.items() if each.outcome != "pass"} == {}
    assert all(each.evidence.rows for each in found.values())


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_tree_fails_by_its_check(tmp_path: Path, name: str) -> None:
    """Each mutant of the reference fails by the checks that are about it, and by no other; the sentence says why."""
    ids, sentence, edits = WRONG[name]
    folder = reference(tmp_path)
    for edited in edits:
        edit(folder, *edited)
    found = judge(FluxProbe(folder=folder))
    assert [one for one, each in found.items() if each.outcome == "fail"] == list(ids)
    assert not [one for one, each in found.items() if each.outcome == "error"]
    assert any(sentence in each.rationale for each in found.values()), [found[one].rationale for one in ids]
    for one in ids:
        assert len(found[one].hints) == 3
        assert found[one].evidence.expected or found[one].evidence.found
        assert "python -m grader.flux" in found[one].evidence.query


def test_argo_without_its_own_types(tmp_path: Path) -> None:
    """Argo's controller without its CRDs, or in an image that may change, is not installed."""
    folder = overlaid(tmp_path)
    edit(folder, "operators/base/kustomization.yaml", ", crd.yaml", "")
    edit(folder, "clusters/home/operators.yaml", "argo: v3.7.6", "argo: latest")
    found = judge(FluxProbe(folder=folder))["M04-release"]
    assert found.outcome == "fail"
    deployment = "Deployment argo/workflow-controller"
    assert [row[1] for row in found.evidence.rows] == [
        f"{deployment} runs image quay.io/argoproj/workflow-controller:latest, which may be another one tomorrow",
        "nothing brings the CustomResourceDefinition workflows.argoproj.io",
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("ref: {tag: v3.7.6}", "ref: {branch: main}", "takes Argo's manifests from main: they may change"),
        ("dependsOn: [{name: operators}, {name: argo}]", "dependsOn: [{name: operators}]", "does not depend on"),
        ("  wait: true\n", "", "does not wait until what it brings is Ready"),
    ],
    ids=["branch", "order", "waiting"],
)
def test_argo_from_its_own_repository(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """Somebody else's repository is pinned, waited for and depended on, or it is no installation."""
    folder = plain(tmp_path)
    edit(folder, "kustomizations.yaml", old, new)
    found = judge(FluxProbe(folder=folder))["M04-release"]
    assert found.outcome == "fail"
    assert sentence in found.rationale


@pytest.mark.parametrize(
    ("name", "document", "check", "sentence"),
    [
        ("hello-application-hello", {"phase": "Failed", "message": "main: Error (exit code 1)"}, "M01-application",
         "SparkApplication batch/hello ended Failed here: main: Error (exit code 1)"),
        ("hello-workflow-hello", {"phase": "Error"}, "M04-workflow", "Workflow batch/hello ended Error here"),
        ("hello-workflow-hello", None, "M04-workflow", "Workflow batch/hello did not run here"),
        ("hello-workflow-hello", succeeded("w", steps=2), "M04-workflow", "succeeded with 2 steps one after another"),
    ],
)  # fmt: skip
def test_workloads_must_run(tmp_path: Path, name: str, document: object, check: str, sentence: str) -> None:
    """A workload that fails here, does not run, or has too few steps in a row, fails its check and no other."""
    names = ("hello-application-hello", "hello-workflow-hello")
    documents = {each: succeeded(each) for each in names} | {name: document}
    there = {each: one for each, one in documents.items() if isinstance(one, dict)}
    probe = FluxProbe(folder=reference(tmp_path), documents=there)
    assert outcomes(probe) == {check: "fail"}
    assert sentence in judge(probe)[check].rationale


def test_what_is_not_rendered_is_no_failure(tmp_path: Path) -> None:
    """A feature that the renderer refuses says nothing about the tree: the check could not run, and says why."""
    folder = reference(tmp_path)
    edit(folder, "apps/kustomization.yaml", "  - hello\n", "  - hello\n  - https://example.org/more.yaml\n")
    found = judge(FluxProbe(folder=folder))
    assert found["M01-flux"].outcome == "error"
    assert "https://example.org/more.yaml would be fetched" in found["M01-flux"].rationale
    assert found["M04-rbac"].outcome == "blocked"


def test_what_this_machine_refuses_is_no_failure(tmp_path: Path) -> None:
    """A workload that a cluster may run, and this machine does not start, could not be judged: the message says why."""
    name = "hello-workflow-hello"
    refused = {"phase": "Error", "message": "not started: image golang:1.24 cannot run on this machine"}
    documents = {name: refused, "hello-application-hello": succeeded("a")}
    found = judge(FluxProbe(folder=reference(tmp_path), documents=documents))["M04-workflow"]
    assert found.outcome == "error"
    assert "Workflow batch/hello was not started: image golang:1.24 cannot run" in found.rationale


def test_every_check_has_three_hints() -> None:
    """From general to concrete, for failures of every kind."""
    assert [len(check.hints) for check in CHECKS] == [3] * len(CHECKS)
    assert all(check.needs == ("flux",) for check in CHECKS)
