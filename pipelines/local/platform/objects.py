"""The two objects that tell pipelines where things are; a cluster has the same, with the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONFIG_MAP = "lake"
SECRET = "lake-credentials"  # noqa: S105 - a name


def config_map(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the ConfigMap `lake`; Argo reads parameters only from one with this label."""
    labels = {"workflows.argoproj.io/configmap-type": "Parameter"}
    metadata = {"name": CONFIG_MAP, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(values)}


def secret(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the Secret `lake-credentials`, as `stringData`: whoever reads it needs no decoding."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": SECRET},
        "stringData": dict(values),
    }
