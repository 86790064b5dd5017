"""Images are named by what they are made of, and built only where they are not there."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.cluster import images
from grader.cluster.images import KIT, ROOT, Recipe, ensure, recipes
from pipelines.local.errors import BadInput


class Fake:
    """A registry that remembers tags."""

    address = "here:5000"

    def __init__(self) -> None:
        self.there: set[tuple[str, str]] = set()
        self.appended: list[Any] = []

    def has(self, repository: str, tag: str) -> bool:
        """Tell whether it was pushed."""
        return (repository, tag) in self.there

    def append(self, base: tuple[str, str], to: tuple[str, str], layer: bytes) -> None:
        """Remember a layer."""
        self.appended.append((base, to, layer))
        self.there.add(to)


def test_a_tag_follows_content(tmp_path: Path) -> None:
    """A changed file is another image."""
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a\n")
    recipe = Recipe(name="x", files={"Dockerfile": file})
    first = recipe.tag
    file.write_text("FROM b\n")
    assert recipe.tag != first
    assert Recipe(name="x", files={"Dockerfile": file}).image == f"batchlab/x:{recipe.tag}"


def test_what_is_there_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time all are built, each from a folder with its Dockerfile and jars; then none."""
    monkeypatch.setattr("grader.cluster.jars.fetch", lambda *_: None)
    monkeypatch.setattr(images, "_place", lambda path, target: None)
    registry = Fake()
    built: list[str] = []

    def build(image: str, _context: Path) -> None:
        built.append(image)
        repository, _, tag = image.partition(":")
        registry.there.add((repository, tag))

    first = ensure(registry, build, lambda _: None)  # type: ignore[arg-type]
    assert built == list(first.values())
    assert ensure(registry, build, lambda _: None) == first  # type: ignore[arg-type]
    assert len(built) == len(recipes())
    with pytest.raises(BadInput, match="not in registry here:5000"):
        ensure(Fake(), lambda *_: None, lambda _: None)  # type: ignore[arg-type]


def test_code_is_pushed_once_per_content(tmp_path: Path) -> None:
    """The same code is one image; its tag has the hashes of code and dependencies."""
    (tmp_path / "job.py").write_text("print(1)\n")
    registry = Fake()
    first = images.push_code(registry, {"ingest": tmp_path})  # type: ignore[arg-type]
    assert images.push_code(registry, {"ingest": tmp_path}) == first  # type: ignore[arg-type]
    (tmp_path / "job.py").write_text("print(2)\n")
    assert images.push_code(registry, {"ingest": tmp_path}) != first  # type: ignore[arg-type]
    assert len(registry.appended) == 2
    assert registry.appended[0][0] == ("batchlab/deps", recipes()["deps"].tag)
    assert b"opt/batchlab/pipelines/ingest/job.py" in registry.appended[0][2]


def test_the_tools_have_every_module_that_they_import() -> None:
    """What the loader's modules import of the kit is in the image."""
    there = set(KIT)
    for name in KIT:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("grader", "pipelines")):
                path = str(node.module).replace(".", "/")
                assert {f"{path}.py", f"{path}/__init__.py"} & there, (name, node.module)


def test_what_the_steps_import_is_in_their_image() -> None:
    """Every package that the pipelines' code imports is one of the image's requirements; Spark's own comes with it."""
    lock = (images.IMAGES / "deps" / "requirements.lock").read_text(encoding="utf-8")
    there = {line.partition("==")[0].partition("[")[0] for line in lock.splitlines() if line[:1].isalpha()}
    names = {"dbt": "dbt-core", "openlineage": "openlineage-python", "yaml": "pyyaml"}
    found = {
        names.get(root, root)
        for name in ("datatier", "ingest", "transform", "publish")
        for path in sorted((ROOT / "pipelines" / name).rglob("*.py"))
        if not {"tests", "workflow.py", "argo"} & set(path.parts)
        for root in _imported(path)
    }
    assert {"duckdb", "pyiceberg", "dbt-core", "psycopg"} <= found
    assert found - there - set(sys.stdlib_module_names) - {"pipelines", "pyspark"} == set()


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    given = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.partition(".")[0] for name in (*plain, *given)}
