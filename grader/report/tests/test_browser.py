"""The page in Chromium: light and dark, on a telephone and on a desktop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from grader.report import render_lineage, write
from grader.report.tests.sample import failing_sample, lineage, sample
from grader.report.tests.stress import stress_sample

pytestmark = pytest.mark.browser

PROBES = (Path(__file__).parent / "probes.js").read_text()
REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "passing": sample, "failing": failing_sample, "stress": stress_sample,
}  # fmt: skip
SCHEMES = ("light", "dark")
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write every report once."""
    return {name: write(make(), tmp_path_factory.mktemp(name)) for name, make in REPORTS.items()}


@pytest.fixture
def opener(chromium: Browser, pages: dict[str, Path]) -> Iterator[Opener]:
    """Open reports without a network; at the end there must have been no complaint and no request but for the file."""
    contexts, complaints, requests = [], [], []

    def open_report(name: str, width: int = 1400, scheme: Any = "light", **more: Any) -> Page:
        window: Any = {"width": width, "height": 900}
        context = chromium.new_context(viewport=window, color_scheme=scheme, offline=True, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(pages[name].as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith("file:")} == set()


VARIANTS = [(name, width, scheme) for name in ("passing", "failing") for width in (390, 1400) for scheme in SCHEMES]


@pytest.mark.parametrize(("name", "width", "scheme"), [*VARIANTS, ("stress", 390, "dark"), ("stress", 1400, "light")])
def test_page_can_be_read(opener: Opener, tmp_path: Path, name: str, width: int, scheme: str) -> None:
    """Nothing overlaps, is cut off, leaves the window or is too faint, with everything folded and unfolded."""
    page = opener(name, width, scheme)
    page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
    page.evaluate(PROBES)
    for unfolded in (False, True):
        if unfolded:
            page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        for probe in ("labels", "clipped", "outside", "faint"):
            assert page.evaluate(f"window.probes.{probe}()") == [], f"{probe}, unfolded: {unfolded}"


@pytest.mark.parametrize("width", [390, 1400])
def test_key_texts_are_visible(opener: Opener, width: int) -> None:
    """Without a click one sees the verdict, every item, the runs, a workflow, the lineage and the map."""
    page = opener("passing", width)
    for text in ("8 of 10 skills are shown", "Run twice, identical result", "daily-1362900600", "write-partition"):
        assert page.get_by_text(text).locator("visible=true").count() >= 1, text
    for text in ("lake.curated.flights", "rewritten, same content", "Idempotency key", "Where the time went"):
        assert page.get_by_text(text).locator("visible=true").count() >= 1, text


def test_theme_button_switches_and_is_kept(opener: Opener) -> None:
    """The button names the other scheme, switches to it, and a reload keeps it."""
    page = opener("passing", scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    button = page.get_by_role("button", name="Light")
    button.click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == light
    assert page.get_by_role("button", name="Dark").is_visible()


def test_steps_tell_about_themselves_by_keyboard(opener: Opener) -> None:
    """Enter on a step fills the panel with its message and moves nothing on the page."""
    page = opener("failing")
    height = page.evaluate("document.documentElement.scrollHeight")
    page.locator(".run[open] .graph.wide .node.is-row").nth(2).focus()
    page.keyboard.press("Enter")
    panel = page.locator(".run[open] .panel")
    assert "dbt-build(2)" in panel.inner_text()
    assert "main: Error (exit code 1)" in panel.inner_text()
    assert page.evaluate("document.documentElement.scrollHeight") == height


def test_lineage_is_followed(opener: Opener) -> None:
    """Focus on a table marks all it is made from and all that is made from it, and no other."""
    page = opener("passing")
    page.locator(".lineage-graph .wide .node[aria-label^='lake.raw.weather ·']").focus()
    near = page.locator(".lineage-graph .wide .node.near .name").all_text_contents()
    assert sorted(set(near)) == [
        "lake.curated.flights", "lake.marts.carrier_daily", "lake.marts.route_daily", "lake.raw.weather", "ops.weather",
        "reporting.carrier_daily", "reporting.route_daily",
    ]  # fmt: skip


def test_query_is_copied(opener: Opener) -> None:
    """The copy button puts the query, as it is, on the clipboard."""
    page = opener("failing", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    query = failing_sample()["items"]["M03"]["checks"][0]["evidence"]["query"]
    assert page.evaluate("navigator.clipboard.readText()") == query


def test_links_unfold_what_they_point_to(opener: Opener) -> None:
    """A tile of the board opens its item."""
    page = opener("passing")
    page.locator(".board a", has_text="M07").click()
    assert page.get_by_text("The waits between attempts grow by the factor").is_visible()


def test_page_is_read_without_script(opener: Opener) -> None:
    """With scripts off there is no dead button, and folds open all the same."""
    page = opener("failing", java_script_enabled=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator(".panel:visible").count() == 0
    page.get_by_text("All steps as a table").locator("visible=true").click()
    page.locator(".run[open] .steps summary", has_text="dbt-build(2)").click()
    assert page.get_by_text("Exit code", exact=True).locator("visible=true").count() == 1
    assert page.locator(".steps .says", has_text="main: Error (exit code 1)").first.is_visible()


@pytest.mark.parametrize("width", [390, 1400])
def test_lineage_page_can_be_read(chromium: Browser, tmp_path: Path, width: int) -> None:
    """The lineage page alone passes the same probes, and its panel tells about a table from the start."""
    path = tmp_path / "lineage.html"
    path.write_text(render_lineage(lineage()), encoding="utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    page.evaluate(PROBES)
    for probe in ("labels", "clipped", "outside", "faint"):
        assert page.evaluate(f"window.probes.{probe}()") == [], probe
    assert "transform.dbt-build" in page.locator(".panel").inner_text()
    page.close()


@pytest.mark.usefixtures("chromium")
def test_screenshot_tool(pages: dict[str, Path], tmp_path: Path) -> None:
    """The tool writes a picture of the asked size, and a missing report is one line on stderr and exit 2."""
    tool = Path(__file__).parents[3] / "tools" / "screenshot.py"
    options = ["--width", "500", "--height", "300", "--dark"]
    subprocess.run([sys.executable, tool, pages["passing"], tmp_path / "a.png", *options], check=True)
    header = (tmp_path / "a.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(header[at : at + 4], "big") for at in (16, 20)] == [500, 300]
    missing = [sys.executable, str(tool), str(tmp_path / "none.html"), str(tmp_path / "b.png")]
    done = subprocess.run(missing, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
