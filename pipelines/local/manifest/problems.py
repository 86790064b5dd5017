"""Problems and notices of a manifest, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a manifest cannot be used.

    `path` is the field (`spec.templates[0].container.imag`), `message` what Argo says (or this machine, of a refused
    field), `file` and `line` (from 1) where it stands, `object` its manifest (`Workflow hello`).
    """

    path: str
    message: str
    file: str = ""
    line: int = 0
    object: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.path}: {self.message}" if self.path else f"{place}{self.message}"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A field that is accepted and has no effect here, or a pitfall that is allowed; told once."""

    path: str
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message
