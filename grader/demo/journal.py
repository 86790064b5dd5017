"""What a demo has done so far, so that an interrupted one continues where it was."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from pipelines.local.errors import BadInput

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@contextmanager
def only_one(folder: Path, what: str = "a demo") -> Iterator[None]:
    """Hold the right to use a folder of a state directory; the OS takes it back when the holder dies.

    Args:
        folder: where the lock is.
        what: what is done there, for the message.

    Raises:
        BadInput: another process does it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / "lock").open("a")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"{what} is running here already",
                where=str(folder),
                remedy="wait for it, or set BATCHLAB_HOME to another folder",
            ) from None
        yield


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"the demo's journal cannot be written: {error.strerror or error}", where=str(path),
        remedy="free some space, or set BATCHLAB_HOME to another folder",
    )  # fmt: skip


@dataclass(kw_only=True)
class Journal:
    """The journal of one demo, kept in one JSON file that is replaced as a whole.

    Args:
        path: the file.
        tag: goes into the runs' names, so that a new demo's runs are new.
        days: the days played.
        code: hash of the code that runs.
        begun: when it began, ISO 8601.
        seconds: seconds spent by stage, over all attempts.
        done: stages that are complete.
        runs: per run: play, ds, name, `before` and, once it ended, `after` and `phase`.
        facts: other things to remember.
    """

    path: Path
    tag: str
    days: tuple[date, ...]
    code: str
    begun: str
    seconds: dict[str, float] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls, path: Path, days: Sequence[date], code: str) -> Journal:
        """Begin a journal; the first `save` replaces one that was there."""
        tag = "".join(secrets.choice(_LETTERS) for _ in range(5))
        return cls(path=path, tag=tag, days=tuple(days), code=code, begun=datetime.now(timezone.utc).isoformat())

    @classmethod
    def load(cls, path: Path) -> Journal | None:
        """Read a journal; None where there is none that can be read: a demo then begins anew."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            days = tuple(date.fromisoformat(day) for day in document.pop("days"))
            return cls(path=path, days=days, **document)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def save(self) -> None:
        """Write the file, whole or not at all."""
        document = {name: value for name, value in vars(self).items() if name != "path"}
        document["days"] = [str(day) for day in self.days]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            new.write_text(json.dumps(document), encoding="utf-8")
            new.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def finish(self, stage: str) -> None:
        """Note that a stage is complete."""
        if stage not in self.done:
            self.done.append(stage)
        self.save()

    def spend(self, stage: str, seconds: float) -> None:
        """Add to the time that a stage has taken."""
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + seconds, 3)

    def run(self, play: str, day: date) -> dict[str, Any]:
        """Give the entry of a run, made if it is not there."""
        for entry in self.runs:
            if (entry["play"], entry["ds"]) == (play, str(day)):
                return entry
        entry = {"play": play, "ds": str(day), "name": f"daily-{day:%Y%m%d}-{play}-{self.tag}"}
        self.runs.append(entry)
        return entry

    @property
    def complete(self) -> bool:
        """Whether the demo came to its report."""
        return "report" in self.done


def open_journal(path: Path, days: Sequence[date], code: str, *, fresh: bool) -> tuple[Journal, str]:
    """Continue the journal that is there, or begin one.

    Returns:
        The journal, and a sentence that says why it begins anew or where it goes on; empty for a first demo.
    """
    found = Journal.load(path)
    if found is None:
        return Journal.new(path, days, code), ""
    why = ""
    if fresh:
        why = "starting over, as asked"
    elif not found.complete:
        if found.days != tuple(days):
            why = "starting over: the last demo, which was interrupted, was for other days"
        elif found.code != code:
            why = "starting over: the code has changed since the demo was interrupted"
    if not why and not found.complete:
        return found, f"going on after: {found.done[-1]}" if found.done else "going on"
    return Journal.new(path, days, code), why
