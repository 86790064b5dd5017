"""Trees are found, followed and built as Flux does it; what cannot be is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.flux import Tree, Unsupported, load
from grader.flux.tests.trees import OVERLAID, PLAIN, edit, reference, write
from pipelines.local.errors import BadInput

SOURCE = """
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: GitRepository
    metadata: {name: own, namespace: flux-system}
    spec: {interval: 1m, url: 'https://example.org/own', ref: {branch: main}}
    ---
"""


def kustomization(name: str, path: str, more: str = "") -> str:
    """Write a Flux Kustomization; `more` is further lines of its spec."""
    return f"""
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata: {{name: {name}, namespace: flux-system}}
    spec:
      interval: 1h
      prune: true
      path: {path}
      sourceRef: {{kind: GitRepository, name: own}}
      {more}
    """


def small(folder: Path, files: Mapping[str, str], more: str = "") -> Tree:
    """Load a tree with one Kustomization, of the folder `app`."""
    return load(write(folder, {"flux.yaml": SOURCE + kustomization("app", "./app", more), **files}))


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\ndata: {a: '${word}', b: $word}\n"


def test_reference_has_its_layers_in_order(tmp_path: Path) -> None:
    """What is applied by hand, then each Kustomization after those that it depends on; its own folder only once."""
    tree = load(reference(tmp_path))
    names = [
        "",
        "flux-system/cluster",
        "flux-system/infra-controllers",
        "flux-system/infra-configs",
        "flux-system/platform",
        "flux-system/apps",
    ]
    assert [layer.name for layer in tree.layers] == names
    assert [len(layer.objects) for layer in tree.layers] == [7, 0, 9, 9, 18, 18]
    assert {each.namespace for each in tree.of("argoproj.io", "WorkflowTemplate")} == {"batch"}


def test_objects_know_where_they_are_written(tmp_path: Path) -> None:
    """File and line of an object and of its fields, of the nearest field around one that is not there."""
    tree = load(reference(tmp_path))
    found = tree.find("helm.toolkit.fluxcd.io", "HelmRelease", "spark-operator", "spark-operator")
    assert found is not None
    text = (tmp_path / "cluster/infra/controllers/spark-operator.yaml").read_text().split("\n")
    line = text.index("      version: 2.4.0") + 1
    assert found.at("spec.chart.spec.version") == f"infra/controllers/spark-operator.yaml:{line}"
    assert found.at("spec.chart.spec.nothing") == found.at("spec.chart.spec")


def test_values_are_put_in_place_of_variables(tmp_path: Path) -> None:
    """`postBuild` takes values from a ConfigMap of the tree; what is no variable stays."""
    tree = load(reference(tmp_path))
    found = tree.find("sparkoperator.k8s.io", "SparkApplication", "batch", "hello")
    assert found is not None
    assert found.spec["image"] == "batchlab/work:0.1.0"
    inline = small(tmp_path / "small", {"app/c.yaml": CONFIG}, "postBuild: {substitute: {word: 'x\n        y'}}")
    (config,) = inline.of("", "ConfigMap")
    assert config.body["data"] == {"a": "x y", "b": "$word"}


def test_without_values_nothing_is_substituted(tmp_path: Path) -> None:
    """A `${…}` stays where a Kustomization gives no values, and where the object asks for it."""
    (config,) = small(tmp_path / "a", {"app/c.yaml": CONFIG}).of("", "ConfigMap")
    assert config.body["data"]["a"] == "${word}"
    kept = CONFIG.replace("{name: c,", "{annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}, name: c,")
    (config,) = small(tmp_path / "b", {"app/c.yaml": kept}, "postBuild: {substitute: {word: x}}").of("", "ConfigMap")
    assert config.body["data"]["a"] == "${word}"


def test_paths_start_in_a_folder_around_the_tree(tmp_path: Path) -> None:
    """`flux/jobs` is found from the submission's folder; without kustomization files all manifests are taken."""
    (tmp_path / "submission.toml").touch()
    tree = load(write(tmp_path / "flux", PLAIN))
    layers = {layer.name: layer for layer in tree.layers}
    assert [each.kind for each in layers["flux-system/operators"].objects] == [
        "Namespace", "Namespace", "OCIRepository", "HelmRelease",
    ]  # fmt: skip
    assert {each.namespace for each in layers["flux-system/jobs"].objects if each.kind != "ClusterRole"} == {"jobs"}
    assert [each.file for each in layers[""].objects[:1]] == ["flux/kustomizations.yaml"]


def test_another_sources_files_are_no_part_of_the_tree(tmp_path: Path) -> None:
    """A Kustomization of somebody else's repository is a layer without objects."""
    (tmp_path / "submission.toml").touch()
    layer = load(write(tmp_path / "flux", PLAIN)).layer("flux-system/argo")
    assert layer is not None
    assert (layer.folder, list(layer.objects)) == (None, [])


def test_layout_of_flux_bootstrap(tmp_path: Path) -> None:
    """The entry is the folder of gotk-sync.yaml, whose Kustomization builds the cluster's folder."""
    tree = load(write(tmp_path, OVERLAID))
    assert [layer.name for layer in tree.layers] == [
        "", "flux-system/flux-system", "flux-system/operators", "flux-system/jobs",
    ]  # fmt: skip


def test_patches_of_every_kind(tmp_path: Path) -> None:
    """Files, targets and the Flux Kustomization's own patches; generators, namespaces and common labels."""
    tree = load(write(tmp_path, OVERLAID))
    (deployment,) = tree.of("apps", "Deployment")
    assert deployment.spec["replicas"] == 1
    assert deployment.spec["template"]["spec"]["containers"][0]["image"].endswith("workflow-controller:v3.7.6")
    (source,) = [each for each in tree.of("source.toolkit.fluxcd.io", "GitRepository") if each.name == "operator"]
    assert source.spec["ref"] == {"tag": "v2.4.0"}
    (values,) = tree.of("", "ConfigMap")
    assert "jobNamespaces" in values.body["data"]["values.yaml"]
    (pi,) = tree.of("sparkoperator.k8s.io", "SparkApplication")
    assert (pi.namespace, pi.spec["driver"]["serviceAccount"]) == ("jobs", "driver")
    assert pi.body["metadata"]["labels"] == {"team": "data"}
    (binding,) = [each for each in tree.of("rbac.authorization.k8s.io", "RoleBinding") if each.name == "driver"]
    assert binding.body["subjects"][0]["namespace"] == "jobs"


def test_a_kustomization_gives_prefix_namespace_images_and_components(tmp_path: Path) -> None:
    """Fields of a Flux Kustomization end up in what is built."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'a:1'}]}\n"
    component = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncommonAnnotations: {seen: 'yes'}\n"
    own = "resources: [p.yaml]\nimages: [{name: a, newName: b}]\n"
    files = {"app/p.yaml": pod, "app/kustomization.yaml": own, "seen/kustomization.yaml": component}
    more = ("namePrefix: x-", "targetNamespace: t", "components: [../seen]", "images: [{name: a, newTag: '2'}]")
    tree = small(tmp_path, files, "\n      ".join(more))
    (found,) = tree.of("", "Pod")
    assert (found.full, found.spec["containers"][0]["image"]) == ("t/x-p", "b:2")
    assert found.body["metadata"]["annotations"] == {"seen": "yes"}


def test_a_change_is_seen(tmp_path: Path) -> None:
    """A tree that was edited is rendered anew."""
    folder = reference(tmp_path)
    first = load(folder)
    assert load(folder) is first
    edit(folder, "infra/controllers/spark-operator.yaml", "version: 2.4.0", "version: 2.4.0-rc.0")
    assert load(folder) is not first


@pytest.mark.parametrize(
    ("files", "more", "message"),
    [
        ({"app/c.yaml": "a: [1\nb: 2\n"}, "", r"app/c\.yaml:2: not YAML"),
        ({"app/c.yaml": "a: 1\na: 2\n"}, "", r'app/c\.yaml:2: key "a" already set'),
        (
            {"app/kustomization.yaml": "namespace: n\nresources:\n  - x.yaml\n"},
            "",
            r"app/kustomization\.yaml:3 resources\[0\]: x\.yaml is not there",
        ),
        ({"app/kustomization.yaml": "resources: [../../x.yaml]\n"}, "", "leads out of the tree"),
        (
            {"app/kustomization.yaml": "resources: [sub]\n", "app/sub/c.yaml": CONFIG},
            "",
            r"resources\[0\]: app/sub has no kustomization\.yaml; add one",
        ),
        ({"app/kustomization.yaml": "resources: [{a: b}]\n"}, "", r"resources\[0\]: must be a path"),
        ({"app/kustomization.yaml": "- resources\n"}, "", r"app/kustomization\.yaml:1: must be a mapping"),
        (
            {"app/kustomization.yaml": "resources: [c.yaml]\npatches: [{path: p.yaml}]\n", "app/c.yaml": CONFIG},
            "",
            r"patches\[0\]\.path: p\.yaml is not there",
        ),
        (
            {"app/kustomization.yaml": "resourcess: [c.yaml]\n", "app/c.yaml": CONFIG},
            "",
            "kustomize refuses it.*resourcess",
        ),
        (
            {"app/c.yaml": CONFIG, "app/d.yaml": CONFIG},
            "",
            "app: kustomize refuses it: merging resources from 'd.yaml': may not add resource with an already",
        ),
        ({"app/c.yaml": CONFIG}, "patches: [{patch: 'kind: x'}]", "app: kustomize refuses it"),
        ({"app/c.yaml": CONFIG}, "components: [../none]", r"\.\./none is not there"),
        ({"app/c.yaml": CONFIG}, "postBuild: {substitute: {a-b: c}}", "a-b is no name of a variable"),
        ({"app/c.yaml": "kind: Namespace\n"}, "", "kustomize refuses it.*metadata.name"),
        (
            {"other/c.yaml": CONFIG},
            "",
            r"flux\.yaml:13 Kustomization flux-system/app: path \./app is no folder of the tree",
        ),
    ],
)
def test_what_cannot_be_built_is_told_with_its_place(
    tmp_path: Path, files: dict[str, str], more: str, message: str
) -> None:
    """Bad YAML, missing files, kustomize's own refusals: one line, with file and line where there are any."""
    with pytest.raises(BadInput, match=message) as found:
        small(tmp_path, files, more)
    assert not isinstance(found.value, Unsupported)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("files", "more", "message"),
    [
        (
            {"app/kustomization.yaml": "resources:\n  - https://example.org/x.yaml\n"},
            "",
            r"app/kustomization\.yaml:2 resources\[0\]: https://example\.org/x\.yaml would be fetched",
        ),
        ({"app/kustomization.yaml": "resources: ['github.com/a/b//c?ref=v1']\n"}, "", "would be fetched"),
        ({"app/c.yaml": CONFIG}, "kubeConfig: {secretRef: {name: k}}", r"spec\.kubeConfig is not rendered"),
        ({"app/c.yaml": CONFIG}, "decryption: {provider: sops}", r"spec\.decryption is not rendered"),
        (
            {"app/c.yaml": CONFIG},
            "postBuild: {substituteFrom: [{kind: ConfigMap, name: none}]}",
            "ConfigMap flux-system/none is not in the tree",
        ),
        ({"app/c.yaml": CONFIG, "app/.sourceignore": "x"}, "", r"app/\.sourceignore: is not read here"),
    ],
)
def test_what_is_not_rendered_is_refused_by_name(
    tmp_path: Path, files: dict[str, str], more: str, message: str
) -> None:
    """What Flux may do and the renderer does not is no flaw of the tree, and never skipped."""
    with pytest.raises(Unsupported, match=message):
        small(tmp_path, files, more)


def test_optional_values_may_be_missing(tmp_path: Path) -> None:
    """An optional ConfigMap that is not there gives no values."""
    more = "postBuild: {substitute: {word: x}, substituteFrom: [{kind: Secret, name: none, optional: true}]}"
    (config,) = small(tmp_path, {"app/c.yaml": CONFIG}, more).of("", "ConfigMap")
    assert config.body["data"]["a"] == "x"


def test_secrets_give_values_too(tmp_path: Path) -> None:
    """A Secret's data are decoded, its stringData are not."""
    secret = """
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: s, namespace: flux-system}
    data: {word: aGk=}
    stringData: {more: plain}
    """
    files = {"app/c.yaml": CONFIG.replace("$word", "'${more}'"), "secret.yaml": secret}
    tree = small(tmp_path, files, "postBuild: {substituteFrom: [{kind: Secret, name: s}]}")
    (config,) = tree.of("", "ConfigMap")
    assert config.body["data"] == {"a": "hi", "b": "plain"}


def test_a_tree_without_a_kustomization(tmp_path: Path) -> None:
    """A folder in which Flux is told nothing is no tree."""
    write(tmp_path, {"app/kustomization.yaml": "resources: [c.yaml]\n", "app/c.yaml": CONFIG})
    with pytest.raises(BadInput, match="there is no Flux Kustomization; add one"):
        load(tmp_path)


def test_of_several_clusters_local_is_meant(tmp_path: Path) -> None:
    """`clusters/local` is chosen; without one of that name the submission has to say which."""
    both = {
        "clusters/local/a.yaml": SOURCE + kustomization("a", "./app"),
        "clusters/far/b.yaml": SOURCE + kustomization("b", "./app"),
        "app/c.yaml": CONFIG,
    }
    assert [layer.name for layer in load(write(tmp_path / "x", both)).layers] == ["", "flux-system/a"]
    other = {name.replace("local", "near"): text for name, text in both.items()}
    with pytest.raises(BadInput, match=r"several clusters: clusters/far, clusters/near; name one in \[flux\] path"):
        load(write(tmp_path / "y", other))


def test_an_entry_may_include_folders(tmp_path: Path) -> None:
    """Where a kustomization file includes the Kustomizations' folder, that is where somebody begins."""
    files = {
        "cluster/kustomization.yaml": "resources: [flux]\nnamespace: flux-system\n",
        "cluster/flux/kustomization.yaml": "resources: [own.yaml]\n",
        "cluster/flux/own.yaml": SOURCE + kustomization("app", "./app"),
        "app/c.yaml": CONFIG,
    }
    tree = load(write(tmp_path, files))
    assert [each.title for each in tree.layers[0].objects] == [
        "GitRepository flux-system/own", "Kustomization flux-system/app",
    ]  # fmt: skip
    assert tree.layers[0].objects[0].file == "cluster/flux/own.yaml"


def test_one_artifact_for_each_part(tmp_path: Path) -> None:
    """A path that starts in an artifact of its own is the only folder that ends so."""
    files = {"clusters/local/a.yaml": SOURCE + kustomization("a", "./controllers"), "infra/controllers/c.yaml": CONFIG}
    tree = load(write(tmp_path, files))
    assert tree.layers[1].folder == tmp_path / "infra/controllers"


def test_dependencies_in_a_circle_are_rendered_all_the_same(tmp_path: Path) -> None:
    """Checks say what is wrong with an order; rendering ends."""
    files = {
        "flux.yaml": SOURCE
        + kustomization("a", "./app", "dependsOn: [{name: b}]")
        + "---"
        + kustomization("b", "./app", "dependsOn: [{name: a}]"),
        "app/c.yaml": CONFIG,
    }
    assert len(load(write(tmp_path, files)).layers) == 3


def test_binary_and_large_files(tmp_path: Path) -> None:
    """A generator's file that is no text is refused by name; a manifest above 4 MiB is one too many."""
    own = {"app/kustomization.yaml": "configMapGenerator: [{name: c, namespace: n, files: [blob.bin]}]\n"}
    write(tmp_path, own)
    (tmp_path / "app/blob.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unsupported, match=r"app/blob\.bin: is no UTF-8 text"):
        small(tmp_path, own)
    (tmp_path / "app/blob.bin").write_bytes(b"x" * (5 << 20))
    with pytest.raises(BadInput, match="larger than 4 MiB"):
        small(tmp_path, own)
