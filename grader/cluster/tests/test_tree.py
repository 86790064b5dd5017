"""What is pushed: settings and registry in place, and a tree that is valid on both overlays."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from grader.cluster import kind, tree
from grader.cluster.commands import run
from grader.flux import load
from grader.flux.build import build
from grader.flux.files import Files
from grader.flux.objects import Tree
from grader.flux.order import Order
from grader.flux.schemas import problems, unknown
from pipelines.local.errors import BadInput

CLUSTER = tree.CLUSTER
LAYERS = ["infra-controllers", "infra-configs", "platform", "apps"]


def staged(folder: Path, **settings: str) -> Path:
    """Stage a tree for a registry of another name."""
    return tree.stage(folder / "tree", registry="registry.example:5000", settings=settings)


def offline(folder: Path) -> Tree:
    """Render the overlay offline: built, and the only one there."""
    root = staged(folder, image="batchlab/work:abc")
    built = build(Files(root=root), root / "clusters" / "offline", layer="", spec={}, variables={})
    shutil.rmtree(root / "clusters")
    (root / "clusters" / "offline").mkdir(parents=True)
    (root / "clusters" / "offline" / "all.yaml").write_text(yaml.safe_dump_all(dict(each.body) for each in built))
    return load(root)


def test_settings_and_registry_are_put_in_place(tmp_path: Path) -> None:
    """Images of this push, everywhere they are used; no file names the registry of the repository's own files."""
    root = staged(tmp_path, image="batchlab/work:abc", toolsImage="batchlab/tools:t", chartVersion="0.1.0-h1")
    found = load(root)
    assert problems(found) == []
    images = {
        container["image"]
        for each in found.of("apps", "StatefulSet", "Deployment")
        for container in each.spec["template"]["spec"]["containers"]
    }
    assert "batchlab/tools:t" in images
    release = found.find("helm.toolkit.fluxcd.io", "HelmRelease", "batch", "data-tier")
    assert release is not None
    assert release.spec["values"]["lake"]["image"] == "batchlab/work:abc"
    assert tree.REGISTRY not in "".join(path.read_text() for path in root.rglob("*.yaml"))
    source = found.find("source.toolkit.fluxcd.io", "OCIRepository", "flux-system", "cluster")
    assert source is not None
    assert source.spec["url"] == "oci://registry.example:5000/batchlab/cluster"


def test_offline_is_valid_and_pulls_from_the_registry_only(tmp_path: Path) -> None:
    """Every source is the registry beside the cluster; layers are the same; Argo is there as manifests."""
    found = offline(tmp_path)
    assert problems(found) == []
    assert unknown(found) == []
    urls = {each.spec["url"] for each in found.objects if each.group == "source.toolkit.fluxcd.io"}
    assert {url.split("/")[2] for url in urls} == {"registry.example:5000"}
    assert found.find("helm.toolkit.fluxcd.io", "HelmRelease", "argo", "argo-workflows") is None
    order = Order(found)
    assert order.problems() == []
    ready = order.ready("flux-system/apps")
    assert {"HelmRelease spark-operator/spark-operator", "Kustomization argo/argo-workflows"} <= ready


def test_layers_depend_on_the_one_before_and_wait() -> None:
    """Controllers, then configs, then platform and apps together: each Ready before the next, with a deadline."""
    found = load(CLUSTER)
    before = {"infra-controllers": [], "infra-configs": ["infra-controllers"]}
    for name in LAYERS:
        each = found.find("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", name)
        assert each is not None
        assert each.spec["wait"]
        assert each.spec["timeout"]
        assert [one["name"] for one in each.spec.get("dependsOn", [])] == before.get(name, ["infra-configs"])


def test_platform_pods_are_modest_and_watched() -> None:
    """No root, no added rights, requests and limits, probes; all requests leave room for a driver and an executor."""
    found = load(CLUSTER)
    total = 0
    for each in found.of("apps", "StatefulSet", "Deployment"):
        pod = each.spec["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        account = found.find("", "ServiceAccount", each.namespace, pod["serviceAccountName"])
        assert account is not None
        assert account.body["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["readinessProbe"]
            assert container["livenessProbe"]
            assert container["resources"]["limits"]["memory"]
            total += int(container["resources"]["requests"]["cpu"].removesuffix("m"))
    assert total <= 300


def test_the_tree_names_the_pinned_versions() -> None:
    """What is pulled from elsewhere is listed once, and manifests, charts and Dockerfiles say the same."""
    lines = (CLUSTER / "versions.env").read_text().splitlines()
    pins = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    files = [*CLUSTER.glob("infra/**/*.yaml"), *CLUSTER.glob("apps/**/*.yaml"), *CLUSTER.glob("image/*/Dockerfile")]
    text = "\n".join(path.read_text() for path in files)
    for name in ("SPARK_IMAGE", "POSTGRES_IMAGE", "VERSITYGW_IMAGE", "PYTHON_IMAGE"):
        assert re.search(re.escape(pins[name]) + r"$", text, re.MULTILINE), name
    charts = {
        each.name: each.spec["chart"]["spec"]["version"]
        for each in load(CLUSTER).of("helm.toolkit.fluxcd.io", "HelmRelease")
        if "chart" in each.spec
    }
    expected = {"spark-operator": pins["SPARK_OPERATOR_CHART"], "argo-workflows": pins["ARGO_WORKFLOWS_CHART"]}
    assert charts == expected
    assert f"ref: {{tag: v{pins['ARGO_WORKFLOWS']}}}" in text


@pytest.mark.parametrize(("year", "shift"), [(2013, "0"), (2026, "-13"), (2030, "-17")])
def test_years_are_shifted_back_to_the_data(year: int, shift: str) -> None:
    """A cluster's clock is in the present."""
    assert tree.year_shift(datetime(year, 6, 1, tzinfo=timezone.utc)) == shift


def test_values_of_the_chart_are_in_its_table() -> None:
    """Every value is in the README's table, and ConfigMap `lake` has every key that the pipelines read."""
    values = yaml.safe_load((CLUSTER / "data-tier" / "values.yaml").read_text())
    page = (CLUSTER / "data-tier" / "README.md").read_text()
    for group, content in values.items():
        names = content if isinstance(content, dict) and content else [""]
        for name in names:
            assert f"`{group}.{name}`" in page or f"`.{name}`" in page or f"`{group}`" in page, (group, name)
    template = yaml.safe_load((CLUSTER / "apps" / "daily" / "workflow-template.yaml").read_text())
    asked = {
        each["valueFrom"]["configMapKeyRef"]["key"]
        for each in template["spec"]["arguments"]["parameters"]
        if "valueFrom" in each
    }
    assert set(values["lake"]) == asked


def test_a_changed_chart_is_a_new_version(tmp_path: Path) -> None:
    """The version has the hash of the content, and one that is there is not pushed again."""
    pushed: list[str] = []

    class Fake:
        def has(self, _: str, tag: str) -> bool:
            return tag in pushed

        def push_chart(self, to: tuple[str, str], metadata: object, packed: bytes) -> None:
            pushed.append(to[1])

    (tmp_path / "Chart.yaml").write_text("name: c\nversion: 0.1.0\n")
    first = tree.push_chart(Fake(), tmp_path)  # type: ignore[arg-type]
    assert tree.push_chart(Fake(), tmp_path) == first  # type: ignore[arg-type]
    (tmp_path / "values.yaml").write_text("a: 1\n")
    second = tree.push_chart(Fake(), tmp_path)  # type: ignore[arg-type]
    assert pushed == [first, second]
    assert re.fullmatch(r"0\.1\.0-h[0-9a-f]{10}", first)


def test_a_submissions_manifests_take_the_place_of_the_references(tmp_path: Path) -> None:
    """One file of several documents instead of the reference's two; a pipeline that the reference has not is added."""
    mine = tmp_path / "workflow.yaml"
    reference = CLUSTER / "apps" / "ingest"
    texts = [(reference / name).read_text() for name in ("workflow-template.yaml", "cron-workflow.yaml")]
    mine.write_text("---\n".join(texts).replace("0 6 * * *", "0 5 * * *"))
    own = tmp_path / "own.yaml"
    own.write_text(texts[0].replace("name: ingest", "name: own"))
    root = tree.stage(tmp_path / "tree", registry="r:1", settings={}, apps={"ingest": mine, "own": own})
    found = load(root)
    assert problems(found) == []
    names = {each.name for each in found.of("argoproj.io", "WorkflowTemplate")}
    assert names == {"ingest", "transform", "publish", "daily", "own"}
    cron = found.find("argoproj.io", "CronWorkflow", "batch", "ingest")
    assert cron is not None
    assert cron.file == "apps/ingest/workflow.yaml"


@pytest.mark.cluster
def test_helm_takes_the_chart() -> None:
    """It lints; its values reach the library; wrong values are refused; the argument list is a list in any length."""
    chart = str(CLUSTER / "data-tier")
    run(["helm", "lint", chart, "--strict", "--kube-version=1.34.0"])
    words = ["helm", "template", "x", chart, "--namespace=other", "--kube-version=1.34.0", "--set=retry.limit=7"]
    made = [each for each in yaml.safe_load_all(run([*words, "--set=lake.catalogUri=http://c:1"])) if each]
    assert {each["metadata"]["namespace"] for each in made} == {"other"}
    (library,) = [each for each in made if each["kind"] == "WorkflowTemplate"]
    assert [each["retryStrategy"]["limit"] for each in library["spec"]["templates"]] == [7, 7, 7]
    manifest = library["spec"]["templates"][0]["resource"]["manifest"]
    assert "workflow.parameters" not in json.dumps(library)
    tag = re.search(r"arguments: (\{\{=.*?\}\})", manifest, re.DOTALL)
    assert tag
    application = yaml.safe_load(
        re.sub(r"\{\{.*?\}\}", "x", manifest.replace(tag[1], '["--ds", "d"]'), flags=re.DOTALL)
    )
    assert application["spec"]["arguments"] == ["--ds", "d"]
    assert application["spec"]["sparkConf"]["spark.sql.catalog.lake.uri"] == "http://c:1"
    with pytest.raises(BadInput, match="catalogUri"):
        run([*words, "--set=lake.catalogUri=nowhere"])


def test_kind_maps_the_ports_that_the_tree_opens() -> None:
    """Every mapped port leads to a node port, on this machine's loopback only; both configurations map the same."""
    found = load(CLUSTER)
    opened = {
        port["nodePort"]
        for each in found.of("", "Service")
        for port in each.spec["ports"]
        if each.spec.get("type") == "NodePort"
    }
    release = found.find("helm.toolkit.fluxcd.io", "HelmRelease", "argo", "argo-workflows")
    assert release is not None
    opened.add(release.spec["values"]["server"]["serviceNodePort"])
    for name, nodes in kind.CONFIGS.items():
        config = yaml.safe_load((kind.FOLDER / nodes).read_text())
        assert len(config["nodes"]) == name
        mapped = config["nodes"][0]["extraPortMappings"]
        assert {each["containerPort"] for each in mapped} == opened
        assert {each["listenAddress"] for each in mapped} == {"127.0.0.1"}
        assert {each["hostPort"] for each in mapped} == set(kind.PORTS)
        assert config["name"] == kind.NAME
