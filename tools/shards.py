"""Run tests in shards; a shard that passed on this very tree is not run again.

.venv/bin/python tools/shards.py all/4         every shard of the suite without the labs' proof, in turn
.venv/bin/python tools/shards.py 2/4           one of them
.venv/bin/python tools/shards.py 2/4 labs      one of the tests that are marked so
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = ROOT / ".pytest_cache" / "shards"
NO_TESTS = 5


def main(request: str, marked: str = "not cluster and not labs") -> int:
    """Run what `K/N` or `all/N` names; return 0 when all of it passed, 1 when not, 2 for a bad request.

    Args:
        request: which shards of how many.
        marked: which tests, as pytest's `-m` has it.
    """
    which, _, total = request.partition("/")
    if not total.isdigit() or not (which == "all" or (which.isdigit() and 1 <= int(which) <= int(total))):
        print(f"shards: {request!r} is neither K/N nor all/N, as in 2/4", file=sys.stderr)
        return 2
    groups = range(1, int(total) + 1) if which == "all" else [int(which)]
    failed = [group for group in groups if run(group, int(total), marked)]
    return int(bool(failed))


def run(group: int, total: int, marked: str) -> bool:
    """Run one shard unless it passed on this tree; tell whether it failed."""
    stamp = PASSED / f"{tree()}-{group}-of-{total}-{marked.replace(' ', '-')}"
    if stamp.exists():
        print(f"shard {group}/{total} passed on this tree already")
        return False
    print(f"shard {group}/{total}", flush=True)
    pytest = [sys.executable, "-m", "pytest", "-m", marked, "--splits", str(total), "--group", str(group)]
    failed = subprocess.run(pytest, cwd=ROOT, check=False).returncode not in (0, NO_TESTS)
    if not failed:
        PASSED.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return failed


def tree() -> str:
    """Name this very tree: the commit, and whatever differs from it."""
    parts = ("rev-parse HEAD", "diff HEAD", "ls-files --others --exclude-standard")
    outputs = [
        subprocess.run(["git", *part.split()], cwd=ROOT, check=True, capture_output=True).stdout for part in parts
    ]
    return hashlib.sha256(b"\0".join(outputs)).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:3] or ["all/4"])))
