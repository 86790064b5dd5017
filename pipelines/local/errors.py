"""Errors whose message says what is wrong, where, and what to do."""

from __future__ import annotations


class BadInput(Exception):  # noqa: N818 - named for what the user sees: the command line exits 2
    """Something the user gave cannot be used; nothing was changed.

    Args:
        what: what is wrong, one sentence without a full stop.
        where: file, line, field path or option that it is about.
        remedy: what to do next.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.remedy}" if self.remedy else text
