"""Take a picture of a report: `tools/screenshot.py REPORT.html OUT.png [--width 1400] [--height 0] [--dark]`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ARGUMENTS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


def chromium() -> str:
    """Find Chromium; an empty string where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), "")


def main() -> int:
    """Open the file offline, and write its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1400, help="px of the window (default 1400)")
    parser.add_argument("--height", type=int, default=0, help="px of the picture; 0 takes the whole page")
    parser.add_argument("--dark", action="store_true", help="as on a dark desktop")
    options = parser.parse_args()
    browser_path = chromium()
    if not browser_path or not options.report.is_file():
        missing = str(options.report) if browser_path else "Chromium (on Debian: apt-get install chromium)"
        print(f"screenshot: not found: {missing}", file=sys.stderr)
        return 2
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=ARGUMENTS + sandbox)
        context = browser.new_context(
            viewport={"width": options.width, "height": options.height or 900},
            color_scheme="dark" if options.dark else "light",
            offline=True,
        )
        page = context.new_page()
        page.goto(options.report.resolve().as_uri())
        page.screenshot(path=options.picture, full_page=not options.height)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
