"""Problems and notices of a manifest, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a manifest cannot be used.

    `path` is the field (`spec.templates[0].container.imag`), `message` what Argo says (or this machine, of a refused
    field), `file` and `line` (from 1) where it stands, `object` its manifest (`"hello" (Workflow)`). A `late` one is a
    mistake that Argo finds out only while it runs, or never: `lint` tells it, but a run starts, and fails as there.
    """

    path: str
    message: str
    file: str = ""
    line: int = 0
    object: str = ""
    late: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        message = self.message.replace("\n", "\\n")
        return f"{place}{self.path}: {message}" if self.path else f"{place}{message}"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A field that is accepted and has no effect here, or a pitfall that is allowed; told once."""

    path: str
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message
