"""Owns one warm JVM: starts it, exercises it, ends it when nobody has used it for a while.

`python -m pipelines.local.spark.warm.keeper STATE NUMBER [--exercise CATALOG]`. The JVM reads its standard input from
here and ends when this process is gone, so that killing either leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.local.processes import Record
from pipelines.local.spark import cds, command, conf, gateway
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import find
from pipelines.local.spark.warm.jvm import Doubt, Jvm
from pipelines.local.spark.warm.shape import HEAP, OPTIONS, fingerprint, log_path
from pipelines.local.spark.warm.slot import CLEANING, FREE, LEASED, WARMING, Slot
from pipelines.local.state import StateDir

IDLE = {1: 600.0, 2: 45.0}  # seconds without use, by slot: one stays for a while, a second only for a burst
TICK = 1.0
EXERCISE = Path(__file__).parents[1] / "exercise.py"

def start_jvm(state: StateDir, slot: Slot) -> tuple[subprocess.Popen[bytes], gateway.Address]:
    """Start the slot's JVM and record it.

    Raises:
        gateway.GatewayGone: it does not come up.
    """
    java = find()
    log4j = conf.prepare(state)
    argv = command.java_command(java.executable, heap=HEAP, log4j=log4j, archive=cds.existing(java), options=OPTIONS)
    env = gateway.spark_env(
        {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "LC_ALL", "USER", "TMPDIR"}},
        home=spark_home(), conf_dir=conf.empty_conf_dir(state), java_home=java.home, python=sys.executable,
    )  # fmt: skip
    info = slot.folder / f"gateway-{slot.number}"
    info.unlink(missing_ok=True)
    options = command.submit_arguments(name="warm", conf={"spark.ui.enabled": "false", **conf.FORCED})
    with log_path(state, slot).open("ab") as log:
        process = gateway.start(argv, options, info=info, env=env, cwd=slot.folder, log=log)
    address = gateway.await_address(process, info)
    jvm = Jvm(address)
    try:
        baseline = jvm.baseline()
        baseline["properties"] = {
            key: value for key, value in baseline["properties"].items() if not key.startswith("spark.")
        }
        slot.baseline.write_text(json.dumps(baseline))
    finally:
        jvm.close()
    Record.of(process.pid, port=address.port, info={"secret": address.secret, "kind": fingerprint()}).save(
        slot.jvm_record
    )
    return process, address


def warm_up(state: StateDir, slot: Slot, address: gateway.Address, catalog: str) -> None:
    """Run the exercise in the JVM and clean up after it.

    Raises:
        Doubt: it did not go well.
    """
    jvm = Jvm(address)
    with tempfile.TemporaryDirectory(prefix="warm-", dir=slot.folder) as scratch:
        work = Path(scratch)
        settings = {
            **conf.defaults(state, work),
            **conf.forced(2),
            "spark.app.name": "warm-up",
            "spark.eventLog.enabled": "false",
        }
        jvm.prepare(settings, log=log_path(state, slot), work=work)
        env = gateway.spark_env(
            os.environ,
            home=spark_home(),
            conf_dir=conf.empty_conf_dir(state),
            java_home=find().home,
            python=sys.executable,
        )
        with log_path(state, slot).open("ab") as log:
            done = subprocess.run(
                [sys.executable, "-I", EXERCISE, str(work), catalog],
                env={**env, **address.env()}, stdout=log, stderr=log, check=False, timeout=300,
            )  # fmt: skip
        if done.returncode != 0:
            raise Doubt(f"the exercise ended with {done.returncode}")
        jvm.stop_context()
        jvm.reset(slot.load_baseline(), log=log_path(state, slot))
    jvm.close()


def keep(state: StateDir, slot: Slot, process: subprocess.Popen[bytes]) -> str:
    """Wait until the JVM ends or should end; returns why."""
    while process.poll() is None:
        if not slot.jvm_record.exists():
            return "its record is gone"
        if not state.root.is_dir():
            return "the state directory is gone"
        with slot.held() as free:
            if free and slot.phase in {LEASED, CLEANING}:
                return "its user died"
            if free and slot.idle_seconds() > IDLE[slot.number]:
                return "nobody used it"
        time.sleep(TICK)
    return f"it ended with {process.returncode}"


def main(root: Path, number: int, catalog: str | None) -> None:
    """Keep one JVM until it is not needed any more; with a catalog's address (or "") it is exercised first."""
    state = StateDir(root=root)
    slot = Slot(state.platform / "warm", number)
    holding = slot.try_hold() if catalog is not None else None
    if catalog is not None and holding is None:
        return  # an application was quicker
    Record.of(os.getpid()).save(slot.keeper_record)
    if catalog is not None:
        slot.phase = WARMING
    process: subprocess.Popen[bytes] | None = None
    try:
        process, address = start_jvm(state, slot)
        if catalog is not None:
            warm_up(state, slot, address, catalog)
            slot.phase = FREE
            os.close(holding)  # type: ignore[arg-type]
        reason = keep(state, slot, process)
    except (gateway.GatewayGone, Doubt, subprocess.TimeoutExpired) as error:
        reason = str(error)
    print(f"warm JVM {number}: {reason}", flush=True)
    if holding is not None and slot.phase == WARMING:
        slot.phase = FREE
    if process is not None and process.poll() is None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    slot.clear()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[4] if len(sys.argv) > 4 else None)
