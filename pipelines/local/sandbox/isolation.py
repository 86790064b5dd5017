"""How far the executor keeps steps apart from itself: as usual, within limits, or as strangers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.local.sandbox.limits import Limits
from pipelines.local.state import StateDir

_KIT = Path(__file__).resolve().parents[2]
"""The package `pipelines`."""


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """Steps run code that nobody vouches for: as another user, in rooms that show nothing but what they need.

    Args:
        user: whose number they get; None where the machine gives only one user, and namespaces alone are the border.
        hide: folders that they must not see even if they are inside of one that they see.
    """

    user: int | None
    hide: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What steps and drivers may do.

    Args:
        limits: what each of them may use.
        strangers: how they are kept apart; None for code of one's own.
    """

    limits: Limits = field(default_factory=Limits)
    strangers: Strangers | None = None

    def around(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Add to a step's description what it takes to keep it apart."""
        limited = {**spec, "limits": self.limits.as_json()}
        if self.strangers is None:
            return limited
        state = StateDir(root=Path(spec["keep"][0]))
        code = [outside for _, outside in spec["mounts"] if Path(outside).is_relative_to(state.code)]
        events = [{"path": str(state.lineage), "to": str(state.lineage), "append": True}]
        room = self.room(
            read=[*code, state.cache / "spark", *_kit()], write=[state.warehouse],
            scratch=[state.lineage, state.logs / "spark-events", *spec.get("scratch", ())],
        )  # fmt: skip
        roots = [*spec["roots"], str(state.lineage)]
        return {**limited, "strict": {**room, "collect": [*events, *spec.get("collect", ())]}, "roots": roots}

    def room(
        self, *, read: Iterable[str | Path] = (), write: Iterable[str | Path] = (), scratch: Iterable[str | Path] = ()
    ) -> dict[str, Any]:
        """Describe a room for strangers: what they see, may write, and get empty."""
        assert self.strangers is not None
        return {
            "user": self.strangers.user,
            "read": [str(path) for path in read],
            "write": [str(path) for path in write],
            "scratch": [str(path) for path in scratch],
            "hide": [str(path) for path in (*self.strangers.hide, *_others())],
        }

    def command(
        self, argv: Sequence[str], *, at: Path, read: Iterable[str | Path] = (), write: Iterable[str | Path] = ()
    ) -> list[str]:
        """Return the command that runs a program in a room; as it is, where there are no strangers.

        Args:
            argv: the program.
            at: a folder to build the room over, which need not exist.
            read: what the program sees beside the system.
            write: what it sees and may write.
        """
        if self.strangers is None:
            return list(argv)
        room = {
            "private": str(at), "show": [], "mounts": [], "files": [], "cwd": "/", "isolate": True, "pids": True,
            "limits": self.limits.as_json(), "strict": self.room(read=read, write=write),
        }  # fmt: skip
        return [sys.executable, "-I", "-m", "pipelines.local.sandbox.enter", json.dumps(room), *argv]

    def prepare(self, state: StateDir) -> None:
        """Make the folders that strangers are shown, and give them the one that they write to."""
        if self.strangers is None:
            return
        for folder in (state.warehouse, state.lineage, state.cache / "spark"):
            folder.mkdir(parents=True, exist_ok=True)
        if self.strangers.user is not None:
            os.chown(state.warehouse, self.strangers.user, self.strangers.user)


def _kit() -> list[Path]:
    """Return what of the kit a step's own `spark-submit` runs from, where the kit is no installed package."""
    return [] if _KIT.is_relative_to(sys.prefix) else [_KIT / "__init__.py", _KIT / "local"]


def _others() -> list[Path]:
    """Return what of an installed kit is not a step's business: the reference's pipelines."""
    if not _KIT.is_relative_to(sys.prefix):
        return []
    return [folder for folder in _KIT.iterdir() if folder.is_dir() and folder.name != "local"]
