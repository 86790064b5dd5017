"""Makes schemas.json from pinned Go modules: `python -m grader.flux.generate --write` (without, it compares)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from grader.flux.schemas import FILE
from pipelines.local.manifest.generate import module

FLUX = (
    ("github.com/fluxcd/kustomize-controller", "v1.9.5"),
    ("github.com/fluxcd/source-controller", "v1.9.5"),
    ("github.com/fluxcd/helm-controller", "v1.6.4"),
)
"""The controllers of Flux 2.9.5."""
KUBERNETES = ("k8s.io/kubernetes", "v1.34.4")
CORE = {
    "v1": (
        "ConfigMap", "LimitRange", "Namespace", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Secret", "Service",
        "ServiceAccount",
    ),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
    "apps/v1": ("DaemonSet", "Deployment", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "scheduling.k8s.io/v1": ("PriorityClass",),
    "storage.k8s.io/v1": ("StorageClass",),
}  # fmt: skip
_KEPT = (
    "type", "properties", "required", "items", "additionalProperties", "enum", "pattern", "minLength", "maxLength",
    "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "allOf", "not", "$ref",
    "x-kubernetes-preserve-unknown-fields",
)  # fmt: skip
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
RULES: Mapping[str, Mapping[str, Any]] = {
    "has(self.configMapRef) || has(self.secretRef)": {
        "anyOf": [{"required": ["configMapRef"]}, {"required": ["secretRef"]}]
    },
    "!has(self.configMapRef) || !has(self.secretRef)": {"not": {"required": ["configMapRef", "secretRef"]}},
    "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))": {
        "oneOf": [{"required": ["chart"]}, {"required": ["chartRef"]}]
    },
    "!has(self.retryInterval) || self.name != 'RemediateOnFailure'": {
        "not": {"required": ["retryInterval"], "properties": {"name": {"const": "RemediateOnFailure"}}}
    },
    "!has(self.retryInterval) || self.name == 'RetryOnFailure'": {
        "anyOf": [{"not": {"required": ["retryInterval"]}}, {"properties": {"name": {"const": "RetryOnFailure"}}}]
    },
    "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'": {
        "anyOf": [
            {"not": {"required": ["verify"]}},
            {"properties": {"sourceRef": {"properties": {"kind": {"const": "HelmRepository"}}}}},
        ]
    },
}
"""The CRDs' own rules (CEL), as JSON Schema. Those about cloud providers' accounts are left out."""
_CLOUD = ("self.provider", "self.sts", "serviceAccountName")


def generate() -> dict[str, Any]:
    """Read every kind's schema.

    Raises:
        BadInput: a module cannot be fetched.
        ValueError: a CRD has a rule that is not known here.
    """
    kinds: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for source in FLUX:
        for path in sorted((module(*source) / "config" / "crd" / "bases").glob("*.yaml")):
            kinds |= _custom(yaml.safe_load(path.read_text()))
    folder = module(*KUBERNETES) / "api" / "openapi-spec" / "v3"
    for version, names in CORE.items():
        prefix = "api" if version == "v1" else "apis"
        document = json.loads((folder / f"{prefix}__{version.replace('/', '__')}_openapi.json").read_text())
        kinds |= _core(document, version, names, definitions)
    return {
        "sources": dict([*FLUX, KUBERNETES]),
        "kinds": dict(sorted(kinds.items())),
        "definitions": dict(sorted(definitions.items())),
    }


def _custom(crd: Mapping[str, Any]) -> dict[str, Any]:
    """Read a CRD: what a controller writes is not looked at, and metadata is the API server's."""
    spec = crd["spec"]
    found = {}
    for version in spec["versions"]:
        schema = _trimmed(version["schema"]["openAPIV3Schema"])
        schema["properties"] = {
            name: each for name, each in schema["properties"].items() if name not in ("metadata", "status")
        } | {"metadata": {"$ref": f"#/definitions/{_META}"}, "status": {}}
        key = f"{spec['group']}/{version['name']} {spec['names']['kind']}"
        found[key] = {"namespaced": spec["scope"] == "Namespaced", "schema": schema}
    return found


def _core(
    document: Mapping[str, Any], version: str, names: tuple[str, ...], definitions: dict[str, Any]
) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    group, _, short = version.rpartition("/")
    namespaced = _namespaced(document)
    found = {}
    for full, schema in schemas.items():
        for one in schema.get("x-kubernetes-group-version-kind", ()):
            if one["group"] == group and one["version"] == short and one["kind"] in names:
                _define(full, schemas, definitions)
                reference = {"$ref": f"#/definitions/{full}"}
                found[f"{version} {one['kind']}"] = {"namespaced": one["kind"] in namespaced, "schema": reference}
    assert len(found) == len(names), f"{version} has {sorted(found)}"
    return found


def _namespaced(document: Mapping[str, Any]) -> set[str]:
    """Give the kinds that are created in a namespace."""
    return {
        method["x-kubernetes-group-version-kind"]["kind"]
        for path, methods in document["paths"].items()
        if "/namespaces/{namespace}/" in path
        for method in methods.values()
        if isinstance(method, dict) and method.get("x-kubernetes-action") == "post"
    }


def _define(full: str, schemas: Mapping[str, Any], definitions: dict[str, Any]) -> None:
    if full in definitions:
        return
    definitions[full] = {}
    made = _trimmed(schemas[full])
    if "status" in made.get("properties", {}) and full.startswith("io.k8s.") and "metadata" in made["properties"]:
        made["properties"]["status"] = {}  # what a controller writes
    definitions[full] = made
    for name in sorted(set(_references(made))):
        _define(name, schemas, definitions)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[-1]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _trimmed(node: Any) -> Any:
    """Keep what a validator looks at, and turn rules into schemas; `properties` is a mapping of names, not a schema."""
    if isinstance(node, list):
        return [_trimmed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key in _KEPT:
        if key == "properties" and key in node:
            made[key] = {name: _trimmed(each) for name, each in node[key].items()}
        elif key == "$ref" and key in node:
            made[key] = node[key].replace("#/components/schemas/", "#/definitions/")
        elif key in node:
            made[key] = _trimmed(node[key]) if key not in ("enum", "required") else node[key]
    rules = [_rule(each) for each in node.get("x-kubernetes-validations", ())]
    if found := [each for each in rules if each]:
        made["allOf"] = [*made.get("allOf", ()), *found]
    return made


def _rule(rule: Mapping[str, str]) -> dict[str, Any]:
    text = " ".join(rule["rule"].split())
    if text in RULES:
        return {**RULES[text], "message": rule["message"]}
    if any(word in text for word in _CLOUD):
        return {}
    raise ValueError(f"a rule that is not known here: {text}")


def text(content: Mapping[str, Any]) -> str:
    """Write it with one kind or definition to a line."""
    parts = [f'"sources": {json.dumps(content["sources"])}']
    for name in ("kinds", "definitions"):
        lines = [f"{json.dumps(key)}: {json.dumps(each, separators=(',', ':'))}" for key, each in content[name].items()]
        parts.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> int:
    """Compare schemas.json with the modules, or write it."""
    parser = argparse.ArgumentParser(description="Make schemas.json from the pinned Go modules.")
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
