"""What kubectl and the API server say, and how they read and merge objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from pipelines.local.engine.specs import Json

MANIFEST = "/tmp/manifest.yaml"  # noqa: S108 - where Argo's executor has it, and what kubectl therefore says
PATCH_TYPES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
_SETTLED = {"COMPLETED", "FAILED"}
_REQUIRED = ("driver", "executor", "mainApplicationFile", "sparkVersion", "type")


class KubectlError(Exception):
    """What kubectl would have printed."""


def plural(kind: str, manifest: Mapping[str, Any] | None) -> str:
    """Return a kind as kubectl names it in errors: `sparkapplications.sparkoperator.k8s.io`."""
    group = str((manifest or {}).get("apiVersion") or "sparkoperator.k8s.io/v1beta2").rpartition("/")[0]
    return f"{kind.lower()}s.{group}" if group else f"{kind.lower()}s"


def settled(found: Json) -> bool:
    """Whether the Spark Operator is done with an object: only these two states are final."""
    state = ((found.get("status") or {}).get("applicationState") or {}).get("state")
    return state in _SETTLED


def require(manifest: Json, name: str) -> None:
    """Refuse an object that lacks what its schema requires, in the API server's words."""
    spec = manifest.get("spec") or {}
    missing = [field for field in _REQUIRED if field not in spec] if manifest["kind"] == "SparkApplication" else []
    if missing:
        lines = "".join(f"* spec.{field}: Required value\n" for field in missing)
        raise KubectlError(f'The {manifest["kind"]} "{name}" is invalid: \n{lines}')


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def parsed(text: str) -> Json:
    """Read a manifest as kubectl does.

    Raises:
        KubectlError: it is no object.
    """
    try:
        manifest = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubectlError(f'error: error parsing "{MANIFEST}": {error}') from error
    if not isinstance(manifest, dict) or not manifest.get("kind"):
        raise KubectlError("error: unable to decode \"/tmp/manifest.yaml\": Object 'Kind' is missing")
    manifest["metadata"] = dict(manifest.get("metadata") or {})
    return manifest
