"""The platform for a user who is not root, and for root below a folder that only root may enter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.local.platform import Platform, parts
from pipelines.local.platform.postgres import binaries
from pipelines.local.platform.unprivileged import can_use_namespace, in_namespace, is_root
from pipelines.local.state import StateDir

PROGRAM = """
import sys; from pathlib import Path
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir
platform = Platform(StateDir(root=Path(sys.argv[1])))
platform.start(warm=False)
healthy = all(part.healthy for part in platform.status())
platform.stop()
sys.exit(0 if healthy else 1)
"""


@pytest.mark.skipif(
    os.geteuid() == 0 and not can_use_namespace(binaries() / "postgres"), reason="root cannot become somebody else here"
)
def test_ordinary_user_runs_it(tmp_path: Path) -> None:
    """Somebody who is not root starts and stops the platform (root becomes one in a user namespace)."""
    argv = [sys.executable, "-c", PROGRAM, str(tmp_path / ".batchlab")]
    done = subprocess.run(in_namespace(argv) if is_root() else argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_needs_no_open_folders(tmp_path: Path) -> None:
    """As root, PostgreSQL runs although every folder above its data is root's alone, and no permission is changed."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    platform = Platform(StateDir(root=locked / ".batchlab"))
    platform.state.ensure().platform.mkdir()
    platform.state.logs.mkdir()
    try:
        parts.ensure(platform.postgres, lambda _: None)
        assert locked.stat().st_mode & 0o777 == 0o700
    finally:
        parts.stop(platform.postgres)
