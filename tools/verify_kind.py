"""Verify on a real kind cluster what is verified elsewhere on stand-ins; for a maintainer with Docker and internet.

    make verify-kind                      # or: .venv/bin/python tools/verify_kind.py [--keep] [--report FILE]

Makes the cluster as a learner does, checks the digests of what was pulled, runs the cluster's tests (the grading among
them), opens a finished run in Argo's pages with Chromium and compares the nodes shown with those of the API, and writes
a report to attach to a release. Exit code 1 if anything is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from grader.cluster.commands import Kubectl
from grader.cluster.place import load
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ARGO = "http://127.0.0.1:2746"
SHOWN = frozenset({"Pod", "DAG", "Steps", "Retry", "Suspend", "Skipped", "TaskGroup", "StepGroup"})
"""Types of nodes that the page draws."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: whether it is right, how long it took in seconds, and what was seen."""

    title: str
    right: bool
    seconds: float
    seen: str


def looked_at(title: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    """Look at one thing; what breaks is a finding, too."""
    print(f"verify-kind: {title}", file=sys.stderr, flush=True)
    begun = time.monotonic()
    try:
        right, seen = look()
    except (BadInput, subprocess.SubprocessError, OSError, ValueError) as error:
        right, seen = False, str(error)
    return Finding(title=title, right=right, seconds=round(time.monotonic() - begun, 1), seen=seen)


def run(*words: str | Path, env: Mapping[str, str] | None = None) -> tuple[bool, str]:
    """Run a command, showing what it prints; gives whether it succeeded, and its last line."""
    process = subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        print(line, end="", file=sys.stderr)
        last = line.strip() or last
    return process.wait() == 0, last


def images(kubectl: Kubectl) -> tuple[bool, str]:
    """List every image that a pod runs, with the digest that was pulled."""
    pods = kubectl.items("pods", "--all-namespaces")
    found = {
        (one["image"], one.get("imageID", "").rpartition("@")[2])
        for pod in pods
        for one in [
            *((pod.get("status") or {}).get("containerStatuses") or []),
            *((pod.get("status") or {}).get("initContainerStatuses") or []),
        ]
    }
    return bool(found), "\n".join(f"{image} {digest}" for image, digest in sorted(found))


def nodes_of(workflow: Mapping[str, Any]) -> list[str]:
    """Name the nodes of a workflow that its page draws, as it labels them."""
    return sorted(
        str(node["displayName"]) for node in workflow["status"]["nodes"].values() if node.get("type") in SHOWN
    )


def differences(wanted: Sequence[str], shown: Sequence[str]) -> list[str]:
    """Say which labels a page lacks; it may shorten a label, and draws some nodes several times."""
    return [name for name in dict.fromkeys(wanted) if not any(name == one or _short(name, one) for one in shown)]


def _short(name: str, shown: str) -> bool:
    stem = shown.rstrip("….").strip()
    return shown != stem and bool(stem) and name.startswith(stem)


def page(kubectl: Kubectl, folder: Path) -> tuple[bool, str]:
    """Open the last run that succeeded, and compare."""
    found = [
        each
        for each in kubectl.items("workflows.argoproj.io", "-n", "batch")
        if (each.get("status") or {}).get("phase") == "Succeeded"
    ]
    if not found:
        return False, "no workflow has succeeded"
    newest = max(found, key=lambda each: str(each["status"]["finishedAt"]))
    name, picture = newest["metadata"]["name"], folder / "argo.png"
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return False, "there is no Chromium"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium)
        opened = browser.new_page(viewport={"width": 1600, "height": 1200})
        opened.goto(f"{ARGO}/workflows/batch/{name}?nodeFilterByPhase=", wait_until="networkidle")
        opened.wait_for_selector(".graph", timeout=60_000)
        labels = opened.locator(".graph .node-label").all_inner_texts()
        opened.screenshot(path=str(picture))
        browser.close()
    lacking = differences(nodes_of(newest), [label.strip() for label in labels])
    if lacking:
        return False, f"{name}: the page shows {len(labels)} nodes and lacks {', '.join(lacking[:5])}; see {picture}"
    return True, f"{name}: all {len(set(nodes_of(newest)))} names are on the page; see {picture}"


def report(findings: Sequence[Finding], versions: str) -> str:
    """Write the report."""
    when = datetime.now(timezone.utc).isoformat(timespec="minutes")
    lines = [f"# Verified on kind, {when}", "", "```", versions.strip(), "```", ""]
    lines += ["| what | right | seconds |", "|---|---|---:|"]
    lines += [f"| {one.title} | {'yes' if one.right else 'NO'} | {one.seconds:.0f} |" for one in findings]
    for one in findings:
        lines += ["", f"## {one.title}", "", "```", one.seen, "```"]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    """Verify, and write the report."""
    parser = argparse.ArgumentParser(description="Verify the kit on a kind cluster, and write a report.")
    parser.add_argument("--keep", action="store_true", help="leave the cluster as it is at the end")
    parser.add_argument(
        "--report", type=Path, default=ROOT / ".batchlab" / "verify-kind.md", help="where it is written"
    )
    options = parser.parse_args(words)
    missing = [name for name in ("docker", "kind", "kubectl", "flux") if shutil.which(name) is None]
    if missing:
        print(f"verify-kind: {', '.join(missing)} missing: this is for a machine with Docker", file=sys.stderr)
        return 2
    options.report.parent.mkdir(parents=True, exist_ok=True)
    batchlab = BIN / "batchlab"
    findings = [looked_at("batchlab cluster up", lambda: run(batchlab, "cluster", "up"))]
    if findings[0].right:
        place = load(StateDir.locate())
        restart = "docker restart batchlab-control-plane"
        tests = (BIN / "pytest", "-m", "cluster and not slow", "grader")
        findings += [
            looked_at("images that run, and their digests", lambda: images(place.kubectl)),
            looked_at("the cluster's tests", lambda: run(*tests, env={"BATCHLAB_RESTART_NODE": restart})),
            looked_at("a finished run in Argo's pages", lambda: page(place.kubectl, options.report.parent)),
        ]
    if not options.keep:
        findings.append(looked_at("batchlab cluster down", lambda: run(batchlab, "cluster", "down", "--yes")))
    versions = (ROOT / "cluster" / "versions.env").read_text(encoding="utf-8")
    options.report.write_text(report(findings, versions), encoding="utf-8")
    options.report.with_suffix(".json").write_text(json.dumps([vars(one) for one in findings], indent=1))
    print(options.report)
    return 0 if all(one.right for one in findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
