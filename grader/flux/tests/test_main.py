"""`python -m grader.flux` shows a tree, and tells by its exit code whether something is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from grader.flux import __main__
from grader.flux.tests.trees import edit, reference


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the program in this process."""
    monkeypatch.setattr(sys, "argv", ["flux", *words])
    return __main__.main()


def test_shows_a_right_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Objects by layer, or as YAML; nothing is wrong."""
    folder = str(reference(tmp_path))
    assert call(monkeypatch, folder) == 0
    shown = capsys.readouterr()
    assert "# Kustomization flux-system/infra-controllers\n  Namespace batch\n" in shown.out
    assert shown.err == ""
    assert call(monkeypatch, folder, "--yaml") == 0
    kinds = [each["kind"] for each in yaml.safe_load_all(capsys.readouterr().out) if each]
    assert kinds[0] == "OCIRepository"
    assert kinds.count("HelmRelease") == 3


def test_tells_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A problem is one line with its place, and exit code 1; a tree that cannot be built is 2."""
    folder = reference(tmp_path)
    edit(folder, "infra/controllers/spark-operator.yaml", "version: 2.4.0", "versions: 2.4.0")
    assert call(monkeypatch, str(folder)) == 1
    assert "infra/controllers/spark-operator.yaml:41: HelmRelease" in capsys.readouterr().err
    edit(folder, "clusters/local/apps.yaml", "path: ./apps", "path: ./nothing")
    assert call(monkeypatch, str(folder)) == 2
    assert capsys.readouterr().err.startswith(
        "batchlab: clusters/local/apps.yaml:12 Kustomization flux-system/apps: path"
    )
