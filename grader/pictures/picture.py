"""What a picture is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture, and the same as text: nobody has to see it.

    Args:
        title: what is shown.
        alt: what it shows, in a sentence or two.
        svg: the picture; it needs no other file.
        columns: headings of the table that says the same.
        rows: its rows.
    """

    title: str
    alt: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)
