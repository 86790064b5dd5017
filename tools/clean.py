"""Remove what the kit made in this checkout, after saying what would be lost and asking.

python3 tools/clean.py [--yes]
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STATE = os.environ.get("BATCHLAB_HOME") or os.path.join(ROOT, ".batchlab")
MADE = (
    (STATE, "every table, workflow run, log and report of this checkout"),
    (os.path.join(ROOT, ".venv"), "the environment (make setup makes it again)"),
    (os.path.join(ROOT, ".venv-course"), "the environment of notebooks (tools/setup.py --with course makes it again)"),
    (os.path.join(ROOT, ".venv-dagster"), "the environment of Dagster (tools/setup.py --with dagster makes it again)"),
)
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache")


def main():
    """Say, ask, stop the platform, remove; exit 1 if the answer is no."""
    there = [(path, what) for path, what in MADE if os.path.isdir(path)]
    for path, what in there:
        print("%s: %s" % (path, what))
    if there and "--yes" not in sys.argv[1:] and not agreed():
        print("nothing was removed")
        sys.exit(1)
    batchlab = os.path.join(ROOT, ".venv", "bin", "batchlab")
    if os.path.isdir(STATE) and os.path.exists(batchlab):
        stopped = subprocess.run([batchlab, "platform", "stop"], cwd=ROOT)
        if stopped.returncode:
            print("the platform could not be stopped, so nothing was removed", file=sys.stderr)
            sys.exit(1)
    for path in [path for path, _ in there] + [os.path.join(ROOT, name) for name in CACHES]:
        shutil.rmtree(path, ignore_errors=True)


def agreed():
    """Ask at a terminal; anything else is a no, because a script that means yes says --yes."""
    if not sys.stdin.isatty():
        print("say `%s --yes` to remove them" % os.path.join("tools", "clean.py"))
        return False
    return input("Remove them? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    main()
