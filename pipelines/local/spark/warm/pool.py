"""Warm driver JVMs of one state directory: leased to one application at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.local.processes import Record, end, spawn
from pipelines.local.spark.gateway import Address
from pipelines.local.spark.warm.jvm import Jvm
from pipelines.local.spark.warm.shape import fingerprint, log_path
from pipelines.local.spark.warm.slot import FREE, LEASED, OVER, WARMING, Slot
from pipelines.local.state import StateDir

SLOTS = (1, 2)
KEEPER = "pipelines.local.spark.warm.keeper"
PATIENCE = 60.0  # seconds to wait for a JVM that warms up or is being cleaned, before going without
START = 90.0  # seconds that a new JVM may take
HANDOVER = 10.0  # seconds in which a keeper that was started to warm up takes the lock


@dataclass
class Lease:
    """The right to use one JVM, until `release`, or the end of this process."""

    slot: Slot
    address: Address
    _descriptor: int
    _jvm: Jvm = field(repr=False)

    def prepare(self, properties: Mapping[str, str], *, log: Path, work: Path) -> None:
        """Give the JVM this application's settings, log and folder; raises `Doubt`."""
        self._jvm.prepare(properties, log=log, work=work)

    def stop_context(self) -> None:
        """Stop what the application left running; raises `Doubt`."""
        self._jvm.stop_context()

    def release(self, *, finished: bool = True) -> None:
        """Let go of the JVM; its keeper cleans it, and replaces it where the user did not finish."""
        if finished:
            self.slot.phase = OVER
        self._jvm.close()
        os.close(self._descriptor)


class Pool:
    """The places for warm JVMs.

    Seen from a step's own process namespace (`foreign`), the JVMs' pids mean nothing: only what is clean is used, and
    nothing is started or ended.
    """

    def __init__(self, state: StateDir, *, foreign: bool = False) -> None:
        self._state = state
        self._folder = state.platform / "warm"
        self._foreign = foreign

    @property
    def slots(self) -> list[Slot]:
        """Every place."""
        return [Slot(self._folder, number) for number in SLOTS]

    def prewarm(self, catalog: str) -> bool:
        """Start the first JVM in the background if it is not there; returns whether one was started."""
        self._folder.mkdir(parents=True, exist_ok=True)
        slot = self.slots[0]
        held = slot.try_hold()
        if held is None:
            return False
        try:
            if slot.keeper() is not None and (slot.phase != FREE or self._usable(slot) is not None):
                return False
            _end(slot)
            slot.phase = WARMING
        finally:
            os.close(held)
        self._spawn(slot, catalog)
        return True

    def lease(self) -> Lease | None:
        """Take a JVM; None where all are in use. Starts one where there is a place for it.

        One that warms up or is being cleaned is waited for: that is quicker than starting another.
        """
        if not self._folder.is_dir():
            if self._foreign:
                return None
            self._folder.mkdir(parents=True, exist_ok=True)
        self.hold_off()
        deadline = time.monotonic() + PATIENCE
        while True:
            soon = False
            for slot in self.slots:
                held = slot.try_hold()
                if held is None:
                    soon = soon or slot.phase != LEASED
                elif self._usable(slot) is None and (soon or self._promising(slot)):
                    os.close(held)
                    soon = True
                elif (lease := self._take(slot, held)) is not None:
                    return lease
            if not soon or time.monotonic() > deadline:
                return None
            time.sleep(0.02)

    def hold_off(self) -> None:
        """Have no exercise run now: an application needs the processor."""
        self.slots[0].want()

    def stop(self) -> int:
        """End every JVM and its keeper; returns how many ran."""
        count = 0
        for slot in self.slots:
            count += slot.jvm() is not None or slot.keeper() is not None
            _end(slot)
        return count

    def _promising(self, slot: Slot) -> bool:
        """Tell whether a keeper is about to make this slot's JVM ready; we hold the lock."""
        if slot.phase == FREE:
            return False
        return slot.idle_seconds() < HANDOVER and (self._foreign or slot.phase == WARMING or slot.keeper() is not None)

    def _usable(self, slot: Slot) -> Record | None:
        """Return the JVM of a slot whose lock we hold, if it can serve: alive, cleaned, of today's kind."""
        jvm = Record.load(slot.jvm_record) if self._foreign else slot.jvm()
        if jvm is None or slot.phase != FREE or not slot.baseline.exists() or jvm.info.get("kind") != fingerprint():
            return None
        return jvm

    def _take(self, slot: Slot, held: int) -> Lease | None:
        """Lease a slot whose lock we hold, starting its JVM if needed; releases the lock where that fails."""
        jvm = self._usable(slot)
        if jvm is None and not self._foreign:
            slot.phase = LEASED
            _end(slot)
            jvm = self._start(slot)
        if jvm is None:
            if not self._foreign:
                slot.phase = FREE
            os.close(held)
            return None
        slot.phase = LEASED
        address = Address(port=jvm.port, secret=jvm.info["secret"])
        return Lease(slot=slot, address=address, _descriptor=held, _jvm=Jvm(address))

    def _start(self, slot: Slot) -> Record | None:
        self._spawn(slot)
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if (jvm := slot.jvm()) is not None:
                return jvm
            if Record.load(slot.keeper_record) is not None and slot.keeper() is None:
                return None
            time.sleep(0.02)
        return None

    def _spawn(self, slot: Slot, *options: str) -> None:
        argv = [sys.executable, "-I", "-m", KEEPER, str(self._state.root), str(slot.number), *options]
        spawn(argv, log=log_path(self._state, slot))


def _end(slot: Slot) -> None:
    for record in (slot.keeper(), slot.jvm()):
        process = record.process() if record else None
        if process is not None:
            end(process, patience=3.0)
    slot.clear()
