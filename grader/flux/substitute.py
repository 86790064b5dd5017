"""Values that a Flux Kustomization puts in place of `${name}` after it has built its objects."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from grader.flux.errors import Unsupported
from grader.flux.objects import Rendered
from pipelines.local.errors import BadInput

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


def variables(kustomization: Rendered, objects: Iterable[Rendered]) -> dict[str, str]:
    """Collect the values of `spec.postBuild`.

    Args:
        kustomization: a Flux Kustomization.
        objects: what is there when it is applied.

    Raises:
        BadInput: a name that no variable can have.
        Unsupported: a ConfigMap or Secret that is not in the tree.
    """
    given = kustomization.spec.get("postBuild") or {}
    there = {(each.kind, each.full): each for each in objects if each.kind in ("ConfigMap", "Secret")}
    found: dict[str, str] = {}
    for index, reference in enumerate(given.get("substituteFrom") or []):
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        source = there.get((kind, f"{kustomization.namespace}/{name}"))
        if source is not None:
            found |= data(source.body)
        elif not reference.get("optional"):
            raise Unsupported(
                f"{kind} {kustomization.namespace}/{name} is not in the tree, and its values are not known here",
                where=f"{kustomization.at(f'spec.postBuild.substituteFrom[{index}]')} {kustomization.title}",
                remedy="put it into the tree, or give the values under spec.postBuild.substitute",
            )
    found |= {str(name): str(value) for name, value in (given.get("substitute") or {}).items()}
    for name in found:
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name} is no name of a variable", where=f"{kustomization.at('spec.postBuild')}")
    return {name: value.replace("\n", "") for name, value in found.items()}


def data(body: Mapping[str, Any]) -> dict[str, str]:
    """Give the values of a ConfigMap or Secret as text."""
    plain = {str(name): str(value) for name, value in (body.get("data") or {}).items()}
    if body.get("kind") == "Secret":
        plain = {name: _decoded(value) for name, value in plain.items()}
    return plain | {str(name): str(value) for name, value in (body.get("stringData") or {}).items()}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return text
