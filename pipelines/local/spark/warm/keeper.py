"""Owns one warm JVM: starts it, exercises it, cleans it after each user, replaces or ends it.

`python -m pipelines.local.spark.warm.keeper STATE NUMBER [CATALOG]`: with a catalog's address (or "") the JVM is
exercised first. The JVM reads its standard input from here and ends when this process is gone, so that killing either
leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
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
from pipelines.local.spark.warm.slot import FREE, LEASED, OVER, WARMING, Slot
from pipelines.local.state import StateDir

IDLE = {1: 600.0, 2: 45.0}  # seconds without use, by slot: one stays for a while, a second only for a burst
REPLACEMENTS = 5
TICK = 0.1
LONGEST = 120.0  # seconds that an exercise may take
JUST_NOW = 5.0  # seconds before a keeper's own start in which somebody may have wanted the JVM already
QUIET = 30.0  # seconds without an application before a replacement is exercised
EXERCISE = Path(__file__).parents[1] / "exercise.py"
KEPT_ENV = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "USER", "LOGNAME"})


class Keeper:
    """The keeper of one slot."""

    def __init__(self, state: StateDir, number: int) -> None:
        self.slot = Slot(state.platform / "warm", number)
        self._state = state
        self._log = log_path(state, self.slot)

    def run(self, catalog: str | None) -> None:
        """Keep JVMs, one after the other, until none is needed any more."""
        held = None
        if catalog is not None:
            held = self.slot.try_hold()
            if held is None:
                return  # an application was quicker, and started its own
        Record.of(os.getpid()).save(self.slot.keeper_record)
        for _ in range(REPLACEMENTS):
            reason = self._one(catalog, held)
            print(f"warm JVM {self.slot.number}: {reason}", flush=True)
            if not reason.startswith("replaced"):
                break
            catalog = None if self.slot.wanted_since(time.time() - QUIET) else catalog or ""
            held = self.slot.try_hold()
            if held is None:
                break
        self.slot.clear()

    def _one(self, catalog: str | None, held: int | None) -> str:
        """Keep one JVM; returns why it ended. The lock, if held, is released when the JVM is ready or gone."""
        process: subprocess.Popen[bytes] | None = None
        begun = time.time() - JUST_NOW
        try:
            if held is not None:
                self.slot.phase = WARMING
            process, address = self._start()
            jvm = Jvm(address)
            if held is not None:
                if catalog is not None and not self.slot.wanted_since(begun):
                    self._warm_up(jvm, address, catalog)
                self.slot.phase = FREE
                os.close(held)
                held = None
            return self._watch(process, jvm)
        except (gateway.GatewayGone, subprocess.TimeoutExpired) as error:
            return str(error)
        except Doubt as doubt:
            return f"replaced: {doubt}"
        finally:
            if process is not None:
                _end(process)
            self.slot.jvm_record.unlink(missing_ok=True)
            if held is not None:
                self.slot.phase = FREE
                os.close(held)

    def _start(self) -> tuple[subprocess.Popen[bytes], gateway.Address]:
        java, slot = find(), self.slot
        scratch = slot.folder / f"tmp-{slot.number}"  # native libraries are unpacked there once
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        argv = command.java_command(
            java.executable,
            heap=HEAP,
            log4j=conf.prepare(self._state),
            archive=cds.existing(java),
            options=(*OPTIONS, f"-Djava.io.tmpdir={scratch}"),
        )
        info = slot.folder / f"gateway-{slot.number}"
        info.unlink(missing_ok=True)
        options = command.submit_arguments(name="warm", conf={"spark.ui.enabled": "false", **conf.FORCED})
        with self._log.open("ab") as log:
            process = gateway.start(argv, options, info=info, env=self._env(), cwd=slot.folder, log=log)
        address = gateway.await_address(process, info)
        baseline = Jvm(address).baseline()
        properties = baseline["properties"]
        baseline["properties"] = {key: properties[key] for key in properties if not key.startswith("spark.")}
        slot.baseline.write_text(json.dumps(baseline))
        record = Record.of(process.pid, port=address.port, info={"secret": address.secret, "kind": fingerprint()})
        record.save(slot.jvm_record)
        return process, address

    def _env(self) -> dict[str, str]:
        base = {name: value for name, value in os.environ.items() if name in KEPT_ENV}
        return gateway.spark_env(
            base,
            home=spark_home(),
            conf_dir=conf.empty_conf_dir(self._state),
            java_home=find().home,
            python=sys.executable,
        )

    def _warm_up(self, jvm: Jvm, address: gateway.Address, catalog: str) -> None:
        """Run the exercise in the JVM and clean up after it; raises `Doubt` where it does not go well."""
        with tempfile.TemporaryDirectory(prefix="warm-", dir=self.slot.folder) as scratch:
            work = Path(scratch)
            settings = {**conf.defaults(self._state, work), **conf.forced(2), "spark.eventLog.enabled": "false"}
            jvm.prepare({**settings, "spark.app.name": "warm-up"}, log=self._log, work=work)
            argv = [sys.executable, "-I", str(EXERCISE), str(work), *([catalog] if catalog else [])]
            env = {**self._env(), **address.env()}
            begun = time.time()
            with self._log.open("ab") as log:
                exercise = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
            while exercise.poll() is None:
                if self.slot.wanted_since(begun) or time.time() - begun > LONGEST:
                    exercise.kill()  # what it has loaded by now is loaded
                    exercise.wait()
                time.sleep(TICK / 2)
            if exercise.returncode > 0:
                raise Doubt(f"the exercise ended with {exercise.returncode}")
            self._clean(jvm)

    def _watch(self, process: subprocess.Popen[bytes], jvm: Jvm) -> str:
        """Clean up after each user until the JVM ends or should; returns why, raises `Doubt` to have it replaced."""
        slot = self.slot
        while process.poll() is None:
            if not slot.jvm_record.exists():
                return "its record is gone"
            phase = slot.phase
            if phase in {LEASED, OVER}:
                self._after_use(jvm)
            elif slot.idle_seconds() > IDLE[slot.number] and (held := slot.try_hold()) is not None:
                slot.jvm_record.unlink(missing_ok=True)
                os.close(held)
                return "nobody used it"
            time.sleep(TICK)
        return f"replaced: it ended with {process.returncode}" if slot.jvm_record.exists() else "it was ended"

    def _after_use(self, jvm: Jvm) -> None:
        held = self.slot.try_hold()
        if held is None:
            return
        try:
            if self.slot.phase == LEASED and jvm.busy():
                raise Doubt("its user was killed while a job ran")
            self._clean(jvm)
            self.slot.phase = FREE
        finally:
            os.close(held)

    def _clean(self, jvm: Jvm) -> None:
        jvm.stop_context()
        jvm.reset(self.slot.load_baseline(), log=self._log)
        for folder in self.slot.folder.glob(f"work-{self.slot.number}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    Keeper(StateDir(root=Path(sys.argv[1])), int(sys.argv[2])).run(sys.argv[3] if len(sys.argv) > 3 else None)
