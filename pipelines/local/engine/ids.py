"""Names that Argo derives rather than stores: node ids, pod names, random suffixes."""

from __future__ import annotations

import random
import uuid

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_MAX_POD_PREFIX = 253 - 10 - 1


def fnv32a(text: str) -> int:
    """Return the 32-bit FNV-1a hash of a text's UTF-8 bytes."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def node_id(workflow: str, node_name: str) -> str:
    """Return the id of a node: the workflow's name for the root, else `<workflow>-<hash of the node's name>`."""
    return workflow if node_name == workflow else f"{workflow}-{fnv32a(node_name)}"


def pod_name(workflow: str, node_name: str, template: str) -> str:
    """Return the (version 2) pod name of a node."""
    if workflow == node_name:
        return workflow
    prefix = f"{workflow}-{template}" if template else workflow
    return f"{prefix[:_MAX_POD_PREFIX]}-{fnv32a(node_name)}"


def random_suffix() -> str:
    """Return five letters or digits, as Kubernetes appends them to `generateName`."""
    return "".join(random.choices(_LETTERS, k=5))


def new_uid() -> str:
    """Return a fresh object uid."""
    return str(uuid.uuid4())
