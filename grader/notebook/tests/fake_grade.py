#!/usr/bin/env python3
"""Stands for `batchlab grade`: takes the same arguments, prints the same document, decides by a few words in the code.

It looks at `*.py` in the submission: `.overwrite(` is right, `.append()` is wrong, and a comment `# grade: …` asks for
what cannot be had from three lines of code: `partly`, `broken`, `garbage`, `for ever`, `bad input`, `waiting`. It is
as noisy on stderr as a JVM.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

ROWS = [["2013-03-09", "AA", 1, "JFK", 2], ["2013-03-09", "B6", 5, "<EWR>", 2]]


def main(words: list[str]) -> int:
    """Grade as asked; returns the exit code."""
    assert words[0] == "grade"
    folder = Path(words[words.index("--submission") + 1])
    code = "\n".join(path.read_text() for path in sorted(folder.rglob("*.py")))
    asked = (re.findall(r"# grade: (.*)", code) or [""])[-1]
    if log := os.environ.get("FAKE_LOG"):
        with Path(log).open("a") as out:
            out.write(json.dumps([*words, os.environ.get("MPLBACKEND")]) + "\n")
    print("26/11/23 10:00:00 WARN NativeCodeLoader: Unable to load native-hadoop library", file=sys.stderr)
    if asked == "for ever":
        time.sleep(3600)
    if asked == "bad input":
        print("batchlab: submission.toml: [pipelines.ingest] has no manifest; name one", file=sys.stderr)
        print("nanobind: leaked 84 functions!", file=sys.stderr)
        return 2
    if asked == "garbage":
        print("Traceback (most recent call last):\nKeyError: 'x'", file=sys.stderr)
        return 1
    hidden = words[words.index("--hidden") + 1] if "--hidden" in words else ""
    checks = list(verdicts(code, asked, hidden))
    gained = sum(weight for weight, check in checks if check["outcome"] == "pass")
    weights = sum(weight for weight, _ in checks)
    outcome = next(
        (word for word in ("error", "fail", "blocked", "waiting") if any(c["outcome"] == word for _, c in checks)),
        "pass",
    )
    item = {
        "title": "Run twice, identical",
        "outcome": outcome,
        "points": round(10 * gained / weights, 1),
        "max_points": 10,
        "checks": [check for _, check in checks],
    }
    waiting = {
        "title": "Through Flux",
        "outcome": "waiting",
        "points": 0,
        "max_points": 10,
        "checks": [],
        "note": "waits for the cluster",
    }
    print(
        json.dumps(
            {"target": "local", "score": item["points"], "max_score": 20, "items": {"M01": waiting, "M03": item}}
        )
    )
    return int(outcome != "pass")


def verdicts(code: str, asked: str, hidden: str) -> Any:
    """Give weight and verdict of each check."""
    right = ".overwrite(" in code and ".append()" not in code
    broken = asked == "broken"
    yield 2, verdict("keys", "No key occurs twice", "error" if broken else "pass" if right else "fail")
    yield (
        1,
        verdict(
            "succeeds", "Every run succeeds", "error" if broken else "pass" if right or ".append()" in code else "fail"
        ),
    )
    later = "error" if broken else "pass" if right and asked != "partly" else "fail"
    yield 2, verdict("effects", "One effect for each content", later if right or broken else "blocked")
    if folder := os.environ.get("BATCHLAB_HIDDEN"):
        for path in sorted(Path(folder).glob("*.py")):
            secret = re.search(r"WORD = '(.*)'", path.read_text())
        outcome = "pass" if not secret or secret[1] in code else "fail"
        yield 5, verdict(f"hidden-{path.stem}", "An empty day", outcome, hint=secret[0] if secret else "")


def verdict(
    name: str, title: str, outcome: str, *, hint: str = "What does the write do with rows that are there?"
) -> dict[str, Any]:
    """Make one check's part of the document."""
    failed = outcome == "fail"
    evidence = {
        "columns": ["flight_date", "carrier", "flight", "origin", "copies"] if failed else [],
        "rows": ROWS if failed else [],
        "partitions": [],
        "expected": "every key once" if failed else "",
        "found": "2 keys twice" if failed else "",
        "query": "SELECT 1 < 2" if failed else "",
    }
    rationale = {
        "pass": "no key occurs twice",
        "fail": "lake.raw.flights flight_date=2013-03-09 has 2 duplicated keys",
        "blocked": "M03-succeeds did not pass",
        "error": "the check could not run: KeyError: 'x'",
    }[outcome]
    return {
        "id": f"M03-{name}",
        "title": title,
        "outcome": outcome,
        "rationale": rationale,
        "evidence": evidence,
        "hint": hint if failed else "",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
