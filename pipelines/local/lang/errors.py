"""What can go wrong in the language helper."""

from __future__ import annotations


class LangError(Exception):
    """A library refused: an expression that does not parse, a tag that cannot be resolved, a bad schedule.

    Args:
        message: the text that the Go library gave, as Argo would show it.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class HelperDiedError(Exception):
    """The helper process ended while it was needed, twice in a row."""
