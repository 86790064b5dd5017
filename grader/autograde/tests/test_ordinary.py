"""Where the machine gives only one user, namespaces alone hold as well: everything again, as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from grader.autograde.box import ROOT
from grader.autograde.machine import can_isolate
from pipelines.local.spark import jars

NOBODY = 65534
BECOME = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pipelines.local.sandbox import linux
linux.unshare(linux.CLONE_NEWNS)
linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)
needed = sys.argv[1].split(os.pathsep)
tops = sorted({{"/" + path.split("/")[1] for path in needed}})
linux.mount("tmpfs", "/mnt", "tmpfs")
for number, path in enumerate(needed):
    os.mkdir(f"/mnt/{{number}}")
    linux.bind(path, f"/mnt/{{number}}")
for top in tops:
    if not os.stat(top).st_mode & 0o001:  # root's home, for one
        linux.mount("tmpfs", top, "tmpfs", 0, "mode=755")
        for number, path in enumerate(needed):
            if path.startswith(top + "/") and not os.path.isdir(path):
                os.makedirs(path)
                linux.bind(f"/mnt/{{number}}", path)
linux.detach("/mnt")
linux.mount("tmpfs", "/var/tmp", "tmpfs", 0, "mode=1777")
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
os.execv(sys.argv[2], sys.argv[2:])
"""
SUITES = ["grader/autograde/tests/test_hostile.py", "pipelines/local/sandbox/tests/test_strict.py"]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or bool(can_isolate()), reason="only root can become somebody else")
@pytest.mark.parametrize("suite", SUITES)
def test_all_of_it_as_an_ordinary_user(suite: str) -> None:
    """Every hostile submission, and every test of the rooms, as a user without any right."""
    needed = [sys.base_prefix, sys.prefix, str(ROOT), str(jars.cache_root())]
    again = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp=/var/tmp/t", str(ROOT / suite)]
    done = subprocess.run(
        [sys.executable, "-c", BECOME, os.pathsep.join(needed), *again], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, "HOME": "/var/tmp", "BATCHLAB_CACHE": str(jars.cache_root())},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
