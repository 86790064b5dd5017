"""Read a submission; what it leaves out is taken from the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import tomllib

import grader
from grader.sample.course import course, valid
from pipelines.local.errors import BadInput
from pipelines.local.manifest import Documents, load
from pipelines.local.platform.code import tree_files

FILE = "submission.toml"
ROOT = Path(grader.__file__).parent.parent
APPS = ROOT / "cluster" / "apps"
CODE = ROOT / "pipelines"
FLUX = ROOT / "cluster"
PIPELINES = ("ingest", "transform", "publish")
"""The graded pipelines, in the order of the data's way."""
OTHERS = ("daily",)
"""Templates of the reference that have no code of their own."""
_TAKEN = ("datatier", "local")
"""Packages beside the pipelines'."""
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_EXAMPLE = f"see `batchlab reference DIR`, which writes a folder with a {FILE} to start from"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One pipeline of a submission.

    Args:
        name: `ingest`.
        manifest: file or folder with its WorkflowTemplate and CronWorkflow.
        code: folder that is `pipelines/<name>` in the image; None for one without code of its own.
        own: whether the submission brought it; else it is the reference's.
    """

    name: str
    manifest: Path
    code: Path | None
    own: bool


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is graded.

    Args:
        root: its folder; the checkout's for the reference.
        pipelines: by name, in the order of the data's way.
        dbt: the dbt project's folder.
        flux: folder of the Flux tree.
        datatier: folder of the shared utilities.
        brought: what the submission itself has: `pipelines.ingest`, `dbt`, `flux`.
        seed: draws the graded days and the late data; see `grader.sample`.
    """

    root: Path
    pipelines: Mapping[str, Pipeline]
    dbt: Path
    flux: Path
    datatier: Path
    brought: frozenset[str]
    seed: int = 0

    @cached_property
    def documents(self) -> Documents:
        """All manifests.

        Raises:
            BadInput: one cannot be read, or two objects have the same kind and name.
        """
        return load(dict.fromkeys(one.manifest for one in self.pipelines.values()))

    def folders(self) -> dict[str, Path]:
        """Give the folders that the image is made of, by their names under `pipelines/`."""
        found = {name: one.code for name, one in self.pipelines.items() if one.code is not None}
        return {"datatier": self.datatier, **found, "transform/dbt": self.dbt}


def reference() -> Submission:
    """Give the reference solution."""
    return Submission(
        root=ROOT, pipelines={name: _reference(name) for name in (*PIPELINES, *OTHERS)}, dbt=CODE / "transform" / "dbt",
        flux=FLUX, datatier=CODE / "datatier",
        brought=frozenset({*(f"pipelines.{name}" for name in PIPELINES), "dbt", "flux"}),
    )  # fmt: skip


def read(folder: Path) -> Submission:
    """Read the submission of a folder.

    Raises:
        BadInput: there is none, its `submission.toml` is wrong, or it names something that is not there.
    """
    root = folder.resolve()
    document = _document(root)
    _known(document, {"seed", "pipelines", "dbt", "flux", "datatier"}, "")
    given = {name: _pipeline(root, name, table) for name, table in _tables(document, "pipelines").items()}
    pipelines = {name: _reference(name) for name in (*PIPELINES, *OTHERS)} | given
    brought = {f"pipelines.{name}" for name, one in pipelines.items() if one.own}
    dbt = _named(root, document, "dbt", "project")
    code = pipelines["transform"].code
    if dbt is None and code and code.is_relative_to(root) and (code / "dbt" / "dbt_project.yml").is_file():
        dbt = code / "dbt"
    flux = _named(root, document, "flux", "path")
    brought |= {name for name, there in (("dbt", dbt), ("flux", flux)) if there is not None}
    datatier = _named(root, document, "datatier", "code")
    if not brought:
        raise BadInput("it brings nothing to grade", where=str(root / FILE), remedy=_EXAMPLE)
    return Submission(
        root=root, pipelines=pipelines, dbt=dbt or CODE / "transform" / "dbt", flux=flux or FLUX,
        datatier=datatier or CODE / "datatier", brought=frozenset(brought), seed=_seed(document),
    )  # fmt: skip


def _seed(document: Mapping[str, Any]) -> int:
    return valid(document["seed"], f"{FILE}: seed") if "seed" in document else course().seed_for(None)


def seeded(submission: Submission, seed: int | None) -> Submission:
    """Give a submission with another seed; None leaves its own."""
    return submission if seed is None else replace(submission, seed=seed)


def _reference(name: str) -> Pipeline:
    return Pipeline(name=name, manifest=APPS / name, code=CODE / name if name in PIPELINES else None, own=False)


def _document(root: Path) -> dict[str, Any]:
    path = root / FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"there is no {FILE}" if root.is_dir() else "there is no such folder"
        raise BadInput(what, where=str(root), remedy=_EXAMPLE) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"is no TOML: {error}", where=str(path)) from error


def _tables(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        example = "[pipelines.ingest]" if name == "pipelines" else f"[{name}]"
        raise BadInput(f"{name} must be a table, such as {example}", where=FILE)
    return found


def _pipeline(root: Path, name: str, table: Any) -> Pipeline:
    where = f"pipelines.{name}"
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise BadInput("is no name for a pipeline", where=f"{FILE}: {where}", remedy="ingest, transform, report")
    if not isinstance(table, dict):
        raise BadInput("must be a table with manifest and code", where=f"{FILE}: {where}")
    _known(table, {"manifest", "code"}, where)
    if "manifest" not in table:
        raise BadInput("has no manifest", where=f"{FILE}: {where}", remedy='add: manifest = "DIR/workflow.yaml"')
    manifest = _inside(root, table["manifest"], f"{where}.manifest")
    if "code" not in table:
        return Pipeline(name=name, manifest=manifest, code=CODE / name if name in PIPELINES else None, own=True)
    code = _inside(root, table["code"], f"{where}.code")
    if not code.is_dir():
        raise BadInput("is no folder", where=f"{FILE}: {where}.code = {table['code']!r}")
    return Pipeline(name=name, manifest=manifest, code=code, own=True)


def _named(root: Path, document: Mapping[str, Any], name: str, key: str) -> Path | None:
    if name not in document:
        return None
    table = _tables(document, name)
    _known(table, {key}, name)
    if key not in table:
        raise BadInput(f"has no {key}", where=f"{FILE}: {name}")
    found = _inside(root, table[key], f"{name}.{key}")
    if not found.is_dir():
        raise BadInput("is no folder", where=f"{FILE}: {name}.{key} = {table[key]!r}")
    return found


def _inside(root: Path, text: Any, where: str) -> Path:
    """Resolve a path of the submission, which must not lead out of it."""
    if not isinstance(text, str) or not text:
        raise BadInput("must be a path", where=f"{FILE}: {where}")
    path = (root / text).resolve()
    if not path.is_relative_to(root):
        raise BadInput("leads out of the submission's folder", where=f"{FILE}: {where} = {text!r}")
    if not path.exists():
        raise BadInput("is not there", where=f"{FILE}: {where} = {text!r}")
    if path.is_dir():
        _all_inside(root, path)
    return path


def _all_inside(root: Path, folder: Path) -> None:
    """Require that the files of a folder are files, and that no link among them leads out of the submission."""
    for name, path in tree_files({"": folder}):
        where = name.removeprefix("pipelines//")
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise BadInput(f"{where} leads out of the submission's folder", where=str(folder))
        if not path.is_file():
            raise BadInput(f"{where} is no file", where=str(folder))


def _known(table: Mapping[str, Any], known: set[str], where: str) -> None:
    strange = sorted(set(table) - known)
    if strange:
        place = f"{FILE}: {where}" if where else FILE
        raise BadInput(f"unknown: {', '.join(strange)}", where=place, remedy=f"known are: {', '.join(sorted(known))}")
