"""Manifests: loaded with line numbers, read strictly, validated as Argo does, answered field by field."""

from __future__ import annotations

from pipelines.local.manifest.checks import lint, notices, warnings
from pipelines.local.manifest.documents import Document, Documents, from_text, load
from pipelines.local.manifest.problems import Notice, Problem

__all__ = ["Document", "Documents", "Notice", "Problem", "from_text", "lint", "load", "notices", "warnings"]
