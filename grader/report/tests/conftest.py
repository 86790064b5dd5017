"""Chromium for the tests marked `browser`: where it is missing they are skipped, or fail if it is required."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",  # small in containers
]


def _missing(why: str) -> None:
    if os.environ.get("BATCHLAB_REQUIRE_BROWSER") == "1":
        pytest.fail(f"BATCHLAB_REQUIRE_BROWSER=1, but {why}")
    pytest.skip(f"{why}: the report is not looked at in a browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        _missing("there is no Chromium (on Debian: apt-get install chromium)")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as play:
        try:
            browser = play.chromium.launch(executable_path=path, args=_ARGUMENTS + ["--no-sandbox"] * root)
        except Error as error:
            _missing(f"Chromium does not start ({error.message.splitlines()[0]})")
            raise
        yield browser
        browser.close()
