"""The small languages inside Argo manifests, answered by the very libraries that Argo uses."""

from __future__ import annotations

from pipelines.local.lang.client import Lang
from pipelines.local.lang.errors import LangError
from pipelines.local.lang.values import LoopItem, Tag, Value, fnv32a, quote_json

__all__ = ["Lang", "LangError", "LoopItem", "Tag", "Value", "fnv32a", "quote_json"]
