"""A change of the reference solution, wrong or right, and what the grader must make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader.checks.model import PIPELINES
from pipelines.local.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change of one file of a submission.

    Args:
        file: path below the submission's folder, such as `ingest/extract.py` or `daily/workflow.yaml`.
        old: text that must be there; empty: the file is new, or replaced as a whole.
        new: what comes in its place.
        every: replace all occurrences, not the first alone.
    """

    file: str
    old: str = ""
    new: str = ""
    every: bool = False

    def apply(self, folder: Path) -> None:
        """Change the file.

        Raises:
            BadInput: the text is not there: the reference has changed, and the edit must follow.
        """
        path = folder / self.file
        if not self.old:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.new, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        if self.old not in text:
            raise BadInput(f"does not hold the text to change: {self.old[:60]!r}", where=self.file)
        path.write_text(text.replace(self.old, self.new, -1 if self.every else 1), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One solution whose verdict is known.

    Args:
        id: short name, unique: `ingest-append`.
        title: what is wrong with it, or how it is written, in one sentence.
        edits: how it differs from the reference.
        kind: `mutant`: it must fail; `variant`: it must pass.
        check: the check that must fail a mutant; empty for a variant, which must pass all that look at its scope.
        scope: the pipelines that are judged: those that are changed.
    """

    id: str
    title: str
    edits: Sequence[Edit]
    kind: Literal["mutant", "variant"] = "mutant"
    check: str = ""
    scope: tuple[str, ...] = PIPELINES

    def write(self, source: Path) -> None:
        """Turn an exported reference into this solution."""
        for edit in self.edits:
            edit.apply(source)
