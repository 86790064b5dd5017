"""The Kustomize helper builds from what it is handed, and from nothing else."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from pipelines.local.lang.build import ARGOLANG, KUSTOMIZE, binary, fingerprint

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '${word}', n: '${number}'}\n"


def ask(request: Any) -> Any:
    """Run the helper once."""
    text = request if isinstance(request, str) else json.dumps(request)
    done = subprocess.run([str(binary(KUSTOMIZE))], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_programs_are_told_apart() -> None:
    """Each is kept under its own name, and built anew when its own sources change."""
    assert fingerprint(KUSTOMIZE) != fingerprint(ARGOLANG)
    assert binary(KUSTOMIZE).name.startswith("kustomize-")
    assert binary(ARGOLANG).name.startswith("argolang-")


def test_builds_a_folder() -> None:
    """Overlays reach files anywhere among those that were handed over, as in Flux."""
    files = {
        "/over/kustomization.yaml": "namespace: jobs\nresources: [../base]\npatches: [{path: ../patch.yaml}]\n",
        "/base/kustomization.yaml": "resources: [c.yaml]\n",
        "/base/c.yaml": CONFIG,
        "/patch.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {b: x}\n",
    }
    (found,) = ask({"files": files, "path": "/over"})["r"]
    assert found["metadata"] == {"name": "c", "namespace": "jobs"}
    assert found["data"] == {"a": "${word}", "b": "x", "n": "${number}"}


def test_values_are_substituted_as_text() -> None:
    """Defaults work, and what has no value becomes empty; an object may keep its own."""
    text = CONFIG.replace("${number}", "${number:=7}")
    files = {"/kustomization.yaml": "resources: [c.yaml]\n", "/c.yaml": text}
    (found,) = ask({"files": files, "path": "/", "vars": {"other": "x"}})["r"]
    assert found["data"] == {"a": None, "n": 7}  # in YAML, not in its texts: as Flux does it
    (kept,) = ask({"files": files, "path": "/"})["r"]
    assert kept["data"]["a"] == "${word}"


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("https://192.0.2.1/x.yaml", "there is no network here"),
        ("https://192.0.2.1/org/repo//path?ref=v1", "git"),
        ("none.yaml", "none.yaml"),
    ],
)
def test_fetches_nothing(resource: str, message: str) -> None:
    """A remote file or repository is an error, and no program is started for it."""
    answer = ask({"files": {"/kustomization.yaml": f"resources: ['{resource}']\n"}, "path": "/"})
    assert message in answer["e"]
    assert answer["r"] is None


def test_refuses_what_is_no_request() -> None:
    """A request that cannot be read, and a folder that is not there, are errors of that request."""
    assert "invalid character" in ask("{oops")["e"]
    assert "'/x' doesn't exist" in ask({"files": {}, "path": "/x"})["e"]


def test_generators_and_plugins_of_other_programs_are_off() -> None:
    """Helm charts and functions are not run."""
    chart = "helmCharts: [{name: x, repo: 'https://example.org', version: 1.0.0}]\n"
    assert "must specify --enable-helm" in ask({"files": {"/kustomization.yaml": chart}, "path": "/"})["e"]
