"""Make the page: views of the report's parts, set by the templates, with every text escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grader.report.facts import figures, generated, side_effects, timings, versions
from grader.report.heatmap import heat_map
from grader.report.lineage import lineage_view
from grader.report.mastery import items, verdict
from grader.report.read import mapping, text
from grader.report.runs import plays
from grader.report.setting import asset, environment

_STYLES = (
    "tokens.css", "dark.css", "base.css", "marks.css", "masthead.css", "mastery.css", "graphs.css", "heatmap.css",
    "adapt.css",
)  # fmt: skip
# Even if a text slipped through unescaped, the page would run no script but its own and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src {}; base-uri 'none'; form-action 'none'"
_SCRIPTS = ("page.js", "graph.js")


def render(report: Mapping[str, Any]) -> str:
    """Give the whole report as one HTML document that needs no other file and no network.

    Args:
        report: the content of report.json; absent or malformed parts are left out of the page.
    """
    views = items(report)
    effects, effects_said = side_effects(report)
    return _page(
        "report.html.j2",
        title=text(report.get("title")) or "Batch lab report",
        generated=generated(report),
        verdict=verdict(report, views),
        figures=figures(report),
        items=views,
        plays=plays(report),
        lineage=lineage_view(report.get("lineage")),
        heat=heat_map(report),
        timings=timings(report),
        effects=effects,
        effects_said=effects_said,
        versions=versions(report),
    )


def render_lineage(lineage: Mapping[str, Any]) -> str:
    """Give a lineage graph alone as one HTML document.

    Args:
        lineage: `{"datasets": [...], "edges": [...]}` as in report.json.
    """
    title = text(mapping(lineage).get("title")) or "Lineage"
    return _page("lineage.html.j2", title=title, lineage=lineage_view(lineage))


def write(report: Mapping[str, Any], folder: Path) -> Path:
    """Write report.json and report.html into a folder, each whole or not at all; give the page's path.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(report, ensure_ascii=False, indent=1, default=str)
    # A lone surrogate becomes a JSON escape, which reads back as what it was.
    _replace(folder / "report.json", document.encode("utf-8", "backslashreplace") + b"\n")
    page = folder / "report.html"
    _replace(page, render(report).encode("utf-8"))
    return page


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _page(template: str, **views: Any) -> str:
    early, late = asset("early.js"), asset(*_SCRIPTS)
    policy = " ".join(f"'sha256-{_digest(script)}'" for script in (early, late))
    page = environment().get_template(template)
    return page.render(
        style=Markup(asset(*_STYLES)),  # noqa: S704 - our own files
        early=Markup(early),  # noqa: S704
        late=Markup(late),  # noqa: S704
        policy=Markup(_POLICY.format(policy)),  # noqa: S704
        **views,
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
