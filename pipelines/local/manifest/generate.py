"""Makes schema.json from the pinned Go modules: `python -m pipelines.local.manifest.generate --write`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.local.errors import BadInput
from pipelines.local.lang import build
from pipelines.local.manifest import goyaml
from pipelines.local.manifest.schema import FILE

ARGO = ("github.com/argoproj/argo-workflows/v3", "v3.7.6")
SPARK = ("github.com/kubeflow/spark-operator/v2", "v2.4.0")
ROOTS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_STRUCT = re.compile(r"^type (\w+) struct \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\s+\w+\s+(\[\])?\*?(AnyString|int32|int64)\s+`json:"(\w+)', re.MULTILINE)


@cache
def module(path: str, version: str) -> Path:
    """Download a Go module, or find it in the cache, and give its folder.

    Raises:
        BadInput: it cannot be fetched.
    """
    go = build.find_go()
    environment = build.go_environment(go) | {"GOFLAGS": "-mod=mod"}
    with tempfile.TemporaryDirectory() as empty:
        command = [str(go), "mod", "download", "-json", f"{path}@{version}"]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        raise BadInput(
            f"the Go module {path}@{version} cannot be fetched: {answer.get('Error') or done.stderr.strip()}"
        )
    return Path(answer["Dir"])


def go_types() -> dict[str, dict[str, str]]:
    """Read from Argo's structs what its schema leaves out: the size of integers, and AnyString.

    An AnyString is a text that may be written as a number or a boolean as well.
    """
    sources = (module(*ARGO) / "pkg" / "apis" / "workflow" / "v1alpha1").glob("*_types.go")
    return {
        name: {field: f"{many}{kind}" for many, kind, field in _FIELD.findall(body)}
        for source in sources
        for name, body in _STRUCT.findall(source.read_text())
    }


def generate() -> dict[str, Any]:
    """Read both schemas into the compact form."""
    types: dict[str, Any] = {}
    argo = json.loads((module(*ARGO) / "api" / "jsonschema" / "schema.json").read_text())
    _Argo(argo["definitions"], types).read()
    crds = module(*SPARK) / "charts" / "spark-operator-chart" / "crds"
    spark = _Crd(types)
    for kind in ("SparkApplication", "ScheduledSparkApplication"):
        text = (crds / f"sparkoperator.k8s.io_{kind.lower()}s.yaml").read_text()
        definition = next(goyaml.parse(text, kind)).data
        spark.read(kind, definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    return {
        "sources": {ARGO[0]: ARGO[1], SPARK[0]: SPARK[1]},
        "types": {name: types[name] for name in sorted(types)},
    }


class _Argo:
    """Definitions that are reachable from the kinds, under their last name."""

    def __init__(self, definitions: dict[str, Any], types: dict[str, Any]) -> None:
        self.definitions = definitions
        self.types = types
        self.full: dict[str, str] = {}
        self.precise = go_types()

    def read(self) -> None:
        for root in ROOTS:
            self._define(f"io.argoproj.workflow.v1alpha1.{root}")

    def _define(self, full: str) -> str:
        definition = self.definitions[full]
        name = _short(full)
        if name in ("Quantity", "IntOrString"):
            return name
        if name in ("Item", "Amount", "FieldsV1", "Plugin"):
            return {"Item": "Item", "Amount": "number"}.get(name, "{}any")
        if definition.get("type") == "array":
            return self._type(definition)
        if definition.get("type") != "object":
            return str(definition["type"])
        assert self.full.setdefault(name, full) == full, f"two types are called {name}"
        if name not in self.types:
            entry: dict[str, Any] = {}
            self.types[name] = entry
            fields = {key: self._type(each) for key, each in definition.get("properties", {}).items()}
            entry["fields"] = {**fields, **self.precise.get(name, {})}
            if full.startswith("io.k8s."):
                entry["kubernetes"] = True
            if required := sorted(set(definition.get("required", ())) & set(fields)):
                entry["required"] = required
        return name

    def _type(self, each: dict[str, Any]) -> str:
        if "$ref" in each:
            return self._define(each["$ref"].rsplit("/", 1)[-1])
        return _plain(each, self._type)


def _short(full: str) -> str:
    """Give a definition's last name; the two that are in both groups keep apart."""
    name = full.rsplit(".", 1)[-1]
    if name == "HTTPHeader":
        return f"{name}Core" if ".core." in full else name
    return name


def _plain(each: dict[str, Any], recurse: Callable[[dict[str, Any]], str]) -> str:
    kind = each.get("type")
    if each.get("x-kubernetes-int-or-string"):
        return "IntOrString"
    if kind == "array":
        return "[]" + recurse(each["items"])
    if kind == "object":
        below = each.get("additionalProperties")
        return "{}" + (recurse(below) if isinstance(below, dict) and below else "any")
    if kind == "integer":
        return str(each.get("format", "integer"))
    return str(kind or "any")


class _Crd:
    """Inlined types of a CRD, named by the path where each is first seen; equal ones are one type."""

    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types
        self.seen: dict[str, str] = {}

    def read(self, kind: str, schema: dict[str, Any]) -> None:
        schema["properties"]["metadata"] = {"type": "object", "x-type": "ObjectMeta"}
        self._type(schema, kind)

    def _type(self, each: dict[str, Any], path: str) -> str:
        if "x-type" in each:
            return str(each["x-type"])
        if "properties" not in each:
            return _plain(each, lambda below: self._type(below, path))
        key = json.dumps(_without_descriptions(each), sort_keys=True)
        if key not in self.seen:
            self.seen[key] = path
            entry: dict[str, Any] = {}
            self.types[path] = entry
            entry["fields"] = {name: self._type(below, f"{path}.{name}") for name, below in each["properties"].items()}
            if required := sorted(each.get("required", ())):
                entry["required"] = required
            enums = {name: below["enum"] for name, below in each["properties"].items() if "enum" in below}
            if enums:
                entry["enums"] = enums
        return self.seen[key]


def _without_descriptions(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_descriptions(value)
            for key, value in node.items()
            if key != "description" or not isinstance(value, str)
        }
    return [_without_descriptions(each) for each in node] if isinstance(node, list) else node


def text(content: dict[str, Any]) -> str:
    """Write the compact form, one type per line."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(each, separators=(',', ':'))}" for name, each in content["types"].items()
    ]
    return f'{{"sources": {json.dumps(content["sources"])},\n"types": {{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> int:
    """Compare schema.json with the modules, or write it."""
    parser = argparse.ArgumentParser(description="Make schema.json from the pinned Go modules.")
    parser.add_argument("--write", action="store_true", help="write the file instead of comparing it")
    made = text(generate())
    if parser.parse_args().write:
        FILE.write_text(made)
        return 0
    if FILE.exists() and made == FILE.read_text():
        return 0
    print(f"{FILE} is not what the modules say", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
