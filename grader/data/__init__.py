"""The airline's operational database: the package's data loaded by COPY, and seeded batches on top of it."""

from __future__ import annotations

from grader.data.batches import Batch, corrections, duplicates, late, skew
from grader.data.loader import Loaded, load
from grader.data.store import day_rows, deliver, grow

__all__ = ["Batch", "Loaded", "corrections", "day_rows", "deliver", "duplicates", "grow", "late", "load", "skew"]
