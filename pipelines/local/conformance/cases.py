"""Which workflow files there are, and how each is run: ours in `workflows/`, and Argo's own read from its Go module."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.local.lang.build import find_go, go_environment
from pipelines.local.manifest import load

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"
MODULE = "github.com/argoproj/argo-workflows/v3@v3.7.6"
_SETTINGS = "#: "


@dataclass(frozen=True, kw_only=True)
class Case:
    """One workflow to run and the recorded answer to it.

    Attributes:
        name: unique; also the name that the workflow gets, so that node ids are the same everywhere.
        paths: files with documents; the first workflow in them is run, the rest is there for it. Relative ones are
            below Argo's Go module, and may be a workflow within a Go test: `FILE#TEST`, `FILE#TEST.1` for its second.
        golden: where the recorded answer is, or will be.
        from_module: the files belong to Argo's Go module.
        parameters: arguments given at submission.
        settings: what else the recorder or a test must know; the README lists them.
    """

    name: str
    paths: tuple[Path, ...]
    golden: Path
    from_module: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, wherever they are; Argo's module is fetched if need be."""
        return tuple(path if path.is_absolute() else _in_module(str(path)) for path in self.paths)

    def documents(self) -> list[dict[str, Any]]:
        """All documents of the files, in order."""
        return [document.body for document in load(self.files).all]

    def workflow(self) -> dict[str, Any]:
        """The workflow to submit, named after the case; a WorkflowTemplate is submitted by reference."""
        documents = self.documents()
        chosen = next((d for d in documents if d["kind"] == "Workflow"), None)
        if chosen is None:
            template = next(d for d in documents if d["kind"] == "WorkflowTemplate")
            chosen = {
                "apiVersion": template["apiVersion"],
                "kind": "Workflow",
                "metadata": {},
                "spec": {"workflowTemplateRef": {"name": template["metadata"]["name"]}},
            }
        metadata = {k: v for k, v in (chosen.get("metadata") or {}).items() if k not in {"generateName", "namespace"}}
        workflow = {**chosen, "metadata": {**metadata, "name": self.name}}
        if self.parameters:
            arguments = dict(workflow["spec"].get("arguments") or {})
            given = [{"name": key, "value": value} for key, value in self.parameters.items()]
            kept = [p for p in arguments.get("parameters") or [] if p["name"] not in self.parameters]
            arguments["parameters"] = kept + given
            workflow["spec"] = {**workflow["spec"], "arguments": arguments}
        return workflow

    def others(self) -> list[dict[str, Any]]:
        """What the workflow needs beside it: templates, ConfigMaps, Secrets."""
        return [d for d in self.documents() if d["kind"] != "Workflow"]

    def recorded(self) -> dict[str, Any]:
        """The recorded answer."""
        answer: dict[str, Any] = json.loads(self.golden.read_text())
        return answer


def own_cases() -> list[Case]:
    """The cases of `workflows/`, by name. Comment lines that begin with `#: ` hold a case's settings, in YAML."""
    found = []
    for path in sorted((HERE / "workflows").glob("*.yaml")):
        settings = _settings(path)
        found.append(
            Case(
                name=path.stem,
                paths=(path,),
                golden=GOLDENS / f"{path.stem}.json",
                parameters=settings.pop("parameters", {}),
                settings=settings,
            )
        )
    return found


def _settings(path: Path) -> dict[str, Any]:
    lines = [line[len(_SETTINGS) :] for line in path.read_text().splitlines() if line.startswith(_SETTINGS)]
    return yaml.safe_load("\n".join(lines)) or {}


def module_cases() -> list[Case]:
    """The cases of `module.yaml`: files of Argo's Go module, downloaded when they are read."""
    listed: dict[str, dict[str, Any] | None] = yaml.safe_load((HERE / "module.yaml").read_text())
    found = []
    for name, entry in listed.items():
        settings = dict(entry or {})
        files = settings.pop("files")
        found.append(
            Case(
                name=name,
                paths=tuple(_located(file) for file in ([files] if isinstance(files, str) else files)),
                golden=GOLDENS / "module" / f"{name}.json",
                from_module=True,
                parameters=settings.pop("parameters", {}),
                settings=settings,
            )
        )
    return found


def _located(file: str) -> Path:
    return HERE / file[1:] if file.startswith("+") else Path(file)


@functools.cache
def _in_module(name: str) -> Path:
    file, _, test = name.partition("#")
    if not test:
        return module_root() / file
    extracted = _scratch() / f"{test}.yaml"
    extracted.write_text(workflow_in_go((module_root() / file).read_text(), test))
    return extracted


@functools.cache
def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="conformance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def workflow_in_go(source: str, test: str) -> str:
    """The YAML that a Go test submits, with the kind that its fixture adds.

    Args:
        source: text of the Go file.
        test: name of the test function; with `.N` the workflow that comes after N others in it.
    """
    function, _, number = test.partition(".")
    body = re.search(rf"^func (?:\([^)]*\) )?{function}\(.*?^}}", source, re.MULTILINE | re.DOTALL)
    if body is None:
        raise LookupError(f"there is no test {function}")
    text = re.findall(r"\bWorkflow\(`([^`]*)`", body.group())[int(number or 0)]
    lines = [] if re.search("^kind:", text, re.MULTILINE) else ["apiVersion: argoproj.io/v1alpha1", "kind: Workflow"]
    return "\n".join([*lines, text.strip("\n"), ""])


def cases() -> list[Case]:
    """All cases: ours, then those of Argo's module."""
    return own_cases() + module_cases()


def lint_files() -> list[Path]:
    """The files of `lint/`, most of them invalid."""
    return sorted((HERE / "lint").glob("*.yaml"))


def cron_files() -> list[Path]:
    """The CronWorkflows of `cron/`, each named like its file."""
    return sorted((HERE / "cron").glob("*.yaml"))


@functools.cache
def module_root() -> Path:
    """The folder of Argo's Go module, fetched by Go from its proxy or found in Go's cache."""
    go = find_go()
    environment = go_environment(go) | {"GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        [go, "mod", "download", "-json", MODULE], check=True, capture_output=True, text=True, env=environment
    )
    return Path(json.loads(done.stdout)["Dir"])
