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
from pipelines.local.spark.warm.jvm import Doubt, Jvm
from pipelines.local.spark.warm.shape import fingerprint, log_path
from pipelines.local.spark.warm.slot import CLEANING, FREE, LEASED, WARMING, Slot
from pipelines.local.state import StateDir

SLOTS = (1, 2)
KEEPER = "pipelines.local.spark.warm.keeper"
PATIENCE = 60.0  # seconds to wait for a JVM that warms up or is being cleaned, before going without
START = 90.0
HANDOVER = 10.0  # seconds in which a keeper that was started to warm up takes the lock


@dataclass
class Lease:
    """The right to use one JVM, until `finish`."""

    slot: Slot
    address: Address
    log: Path  # the keeper's
    _descriptor: int
    _jvm: Jvm = field(repr=False)

    def prepare(self, properties: Mapping[str, str], *, log: Path, work: Path) -> None:
        """Give the JVM this application's settings, log and folder; raises `Doubt`."""
        self._jvm.prepare(properties, log=log, work=work)

    def stop_context(self) -> None:
        """Stop what the application left running; raises `Doubt`."""
        self._jvm.stop_context()

    def finish(self) -> None:
        """Clean the JVM and give it back, or end it where there is any doubt."""
        self.slot.phase = CLEANING
        try:
            self._jvm.reset(self.slot.load_baseline(), log=self.log)
        except (Doubt, OSError) as reason:
            self.discard(str(reason))
            return
        self._jvm.close()
        self.slot.phase = FREE
        os.close(self._descriptor)

    def discard(self, reason: str) -> None:
        """End the JVM and give the place back."""
        with self.log.open("a") as log:
            print(f"warm JVM {self.slot.number} is replaced: {reason}", file=log)
        _end(self.slot)
        self.slot.phase = FREE
        os.close(self._descriptor)


class Pool:
    """The places for warm JVMs."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._folder = state.platform / "warm"

    @property
    def slots(self) -> list[Slot]:
        """Every place."""
        return [Slot(self._folder, number) for number in SLOTS]

    def prewarm(self, catalog: str) -> bool:
        """Start the first JVM in the background if it is not there; returns whether one was started."""
        self._folder.mkdir(parents=True, exist_ok=True)
        slot = self.slots[0]
        with slot.held() as free:
            if not free or _usable(slot) is not None:
                return False
            _end(slot)
            slot.phase = WARMING
        self._spawn(slot, "--exercise", catalog)
        return True

    def lease(self) -> Lease | None:
        """Take a JVM; None where all are in use. Starts one where there is a place for it.

        One that warms up or is being cleaned is waited for: that is quicker than starting another.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE
        while True:
            soon = False
            for slot in self.slots:
                descriptor = slot.try_hold()
                if descriptor is None:
                    soon = soon or slot.phase != LEASED
                elif (soon and _usable(slot) is None) or (slot.phase == WARMING and slot.idle_seconds() < HANDOVER):
                    os.close(descriptor)
                    soon = True
                elif (lease := self._take(slot, descriptor)) is not None:
                    return lease
            if not soon or time.monotonic() > deadline:
                return None
            time.sleep(0.05)

    def stop(self) -> int:
        """End every JVM and its keeper; returns how many ran."""
        count = 0
        for slot in self.slots:
            count += slot.jvm() is not None or slot.keeper() is not None
            _end(slot)
        return count

    def _take(self, slot: Slot, descriptor: int) -> Lease | None:
        """Lease a slot whose lock we hold, starting its JVM if needed; releases the lock where that fails."""
        log = log_path(self._state, slot)
        jvm = _usable(slot)
        slot.phase = LEASED
        if jvm is None:
            _end(slot)
            jvm = self._start(slot)
        try:
            if jvm is not None:
                address = slot.address(jvm)
                lease = Lease(slot=slot, address=address, log=log, _descriptor=descriptor, _jvm=Jvm(address))
                return lease
        except (Doubt, OSError):
            pass
        _end(slot)
        slot.phase = FREE
        os.close(descriptor)
        return None

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


def _usable(slot: Slot) -> Record | None:
    """Return the JVM of a slot whose lock we hold, if it can serve: alive, cleaned, of today's kind."""
    jvm = slot.jvm()
    if jvm is None or slot.phase != FREE or not slot.baseline.exists() or jvm.info.get("kind") != fingerprint():
        return None
    return jvm


def _end(slot: Slot) -> None:
    for record in (slot.keeper(), slot.jvm()):
        process = record.process() if record else None
        if process is not None:
            end(process, patience=3.0)
    slot.clear()
