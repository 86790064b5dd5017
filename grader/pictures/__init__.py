"""Pictures of what ran and of what is in the tables: SVG with the same in words, for a notebook or a file."""

from grader.pictures.kinds import KINDS, Kind, draw
from grader.pictures.picture import Picture

__all__ = ["KINDS", "Kind", "Picture", "draw"]
