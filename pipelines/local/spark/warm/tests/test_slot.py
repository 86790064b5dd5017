"""Slots: who holds one, and what is left when the holder is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipelines.local.spark.warm.jvm import _as_properties
from pipelines.local.spark.warm.pool import Pool
from pipelines.local.spark.warm.slot import FREE, LEASED, Slot
from pipelines.local.state import StateDir

HOLD = """
import sys; from pathlib import Path
from pipelines.local.spark.warm.slot import Slot
slot = Slot(Path(sys.argv[1]), 1)
assert slot.try_hold() is not None
slot.phase = "leased"
print("held", flush=True)
sys.stdin.read()
"""


def test_death_releases_the_lock_and_leaves_the_word(tmp_path: Path) -> None:
    """A holder that is killed lets go of the slot, and the slot says that it had not finished."""
    slot = Slot(tmp_path, 1)
    assert slot.phase == FREE
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert slot.try_hold() is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    held = slot.try_hold()
    assert held is not None
    os.close(held)
    assert slot.phase == LEASED


def test_step_never_starts_or_ends_a_jvm(tmp_path: Path) -> None:
    """A pool seen from inside a step gives nothing where nothing is warm, and changes nothing."""
    state = StateDir(root=tmp_path)
    assert Pool(state, foreign=True).lease() is None
    assert list(tmp_path.iterdir()) == []


def test_settings_reach_a_jvm_unchanged() -> None:
    """Whatever Java's properties format could read otherwise is escaped, beyond the basic plane too."""
    assert _as_properties({"a.b": "c=d:\\ #!\n"}) == "a\\u002eb=c\\u003dd\\u003a\\u005c\\u0020\\u0023\\u0021\\u000a\n"
    assert _as_properties({"x": "é😀"}) == "x=\\u00e9\\ud83d\\ude00\n"
