"""Passwords of the platform on a cluster: made once, and kept in the cluster only."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from grader.cluster.commands import Kubectl

MADE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("platform", "postgres-credentials"): ("POSTGRES_PASSWORD", "STEPS_PASSWORD", "CATALOG_PASSWORD"),
    ("platform", "store-credentials"): ("ROOT_ACCESS_KEY_ID", "ROOT_SECRET_ACCESS_KEY"),
}
STEPS = ("batch", "lake-credentials")
NAMESPACES = ("batch", "platform")


def ensure(kubectl: Kubectl) -> None:
    """Make what is missing, and leave the rest: a database keeps the password that it was made with."""
    for namespace in NAMESPACES:
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for place, names in MADE.items():
        known = read(kubectl, *place)
        if not set(names) <= set(known):
            kubectl.apply(secret(place, {name: known.get(name) or secrets.token_hex(16) for name in names}))
    password = read(kubectl, "platform", "postgres-credentials")["STEPS_PASSWORD"]
    wanted = {"postgresUser": "batchlab", "postgresPassword": password}
    if read(kubectl, *STEPS) != wanted:
        kubectl.apply(secret(STEPS, wanted))


def read(kubectl: Kubectl, namespace: str, name: str) -> dict[str, str]:
    """Read a Secret; empty where there is none."""
    for each in kubectl.items("secrets", "-n", namespace, f"--field-selector=metadata.name={name}"):
        return {key: base64.b64decode(value).decode() for key, value in (each.get("data") or {}).items()}
    return {}


def secret(place: tuple[str, str], values: Mapping[str, str]) -> dict[str, Any]:
    """Write a Secret."""
    namespace, name = place
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": dict(values),
    }
