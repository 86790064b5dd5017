"""The report: one page that shows what ran, what it changed, and what that proves."""

from __future__ import annotations

from grader.report.page import render, render_lineage, write

__all__ = ["render", "render_lineage", "write"]
