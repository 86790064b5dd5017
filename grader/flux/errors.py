"""What keeps a Flux tree from being rendered here."""

from __future__ import annotations

from pipelines.local.errors import BadInput


class Unsupported(BadInput):
    """Something that Flux may do and the renderer does not: it is refused by name, and says nothing about the tree."""
