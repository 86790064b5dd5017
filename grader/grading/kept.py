"""Where verdicts are kept in a state directory: for hints, progress and the page."""

from __future__ import annotations

FOLDER = "grades"
LAST = "last.json"
HISTORY = "history.ndjson"
SHOWN = "hints.json"
