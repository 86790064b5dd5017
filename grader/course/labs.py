"""The labs, as `solutions/course.toml` declares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomllib

import grader
from grader.checks.course import MANIFEST
from pipelines.local.errors import BadInput

RELEASED = Path(grader.__file__).parent.parent / "labs"
"""Folder of the notebooks as learners get them: never edited."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One lab.

    Args:
        name: `03-run-twice`, which is also the name of its folder.
        title: what it is about.
        items: the mastery items that it teaches.
        pipelines: the pipelines of which a learner has a copy.
        notebook: name of its notebook, without `.ipynb`.
        minutes: about how long it takes, reading, thinking and running.
        flux: whether a learner has a copy of the Flux tree.
    """

    name: str
    title: str
    items: tuple[str, ...]
    pipelines: tuple[str, ...]
    notebook: str
    minutes: int
    flux: bool = False

    @property
    def handed_in(self) -> bool:
        """Whether there is a submission that `check()` grades: some labs are answered in the notebook alone."""
        return bool(self.pipelines or self.flux)

    @property
    def number(self) -> str:
        """`03`."""
        return self.name.partition("-")[0]


def labs(path: Path = MANIFEST) -> list[Lab]:
    """Read the labs in their order."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Lab(
            name=name, title=one["title"], items=tuple(one["items"]), pipelines=tuple(one["pipelines"]),
            notebook=one["notebook"], minutes=one["minutes"], flux=one.get("flux", False),
        )
        for name, one in sorted(document["labs"].items())
    ]  # fmt: skip


def find(word: str, among: Sequence[Lab]) -> Lab:
    """Find a lab by its name, its number (`3`, `03`), or what follows the number (`run-twice`).

    Raises:
        BadInput: there is none; the remedy names those that there are.
    """
    wanted = word.strip().strip("/").rpartition("/")[2]
    for lab in among:
        if wanted in {lab.name, lab.number, lab.name.partition("-")[2]} or wanted.zfill(len(lab.number)) == lab.number:
            return lab
    raise BadInput(f"there is no lab {word}", where="LAB", remedy=f"there are: {', '.join(one.name for one in among)}")
