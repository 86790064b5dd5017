"""ConfigMaps and Secrets of a run, from its manifest files and from the platform."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.local.engine.specs import Json


class ObjectSet:
    """Objects by kind and name; later ones win."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self._found: dict[tuple[str, str], Json] = {}
        for item in documents:
            self._found[item.get("kind", ""), (item.get("metadata") or {}).get("name", "")] = dict(item)

    def config_map(self, name: str) -> Json | None:
        """Return a ConfigMap."""
        return self._found.get(("ConfigMap", name))

    def secret(self, name: str) -> dict[str, str] | None:
        """Return a Secret's data, decoded."""
        found = self._found.get(("Secret", name))
        if found is None:
            return None
        data = {key: base64.b64decode(str(value)).decode() for key, value in (found.get("data") or {}).items()}
        return data | {key: str(value) for key, value in (found.get("stringData") or {}).items()}
