"""An executor in a process that its parent may kill: at each step's start and end it waits to be told to go.

Reads one JSON job, then `go` lines, from standard input; writes `{"step", "phase"}` lines.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.grading.limits import isolation_here
from pipelines.local.assembly import on_platform
from pipelines.local.engine import Event, VirtualClock
from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir


def main() -> int:
    """Run or resume the job's workflow; 0 when it has ended, whatever its phase, 2 where it cannot be started."""
    job = json.loads(sys.stdin.readline())
    seen: set[tuple[str, str]] = set()

    def listen(event: Event) -> None:
        node = event.node
        if node is None or node.get("type") != "Pod":
            return
        step = str(node.get("name", "")).removeprefix(f"{event.run}.").replace("(0)", "")
        told = (str(node["id"]), str(node.get("phase")))
        if told in seen or told[1] == "Pending":
            return
        seen.add(told)
        print(json.dumps({"step": step, "phase": told[1]}), flush=True)
        if sys.stdin.readline() != "go\n":
            raise SystemExit(1)

    platform = Platform(StateDir(root=Path(job["state"])))
    engine = on_platform(
        platform, VirtualClock(datetime.fromisoformat(job["start"])), image=job["image"], listener=listen,
        instead=job["instead"], isolation=isolation_here(),
    )  # fmt: skip
    with closing(engine):
        try:
            _go(engine, job)
        except BadInput as error:
            print(error, file=sys.stderr)
            return 2
    return 0


def _go(engine: Any, job: dict[str, Any]) -> None:
    known = {run.name: run.phase for run in engine.runs()} if job["resume"] else {}
    if known.get(job["name"]) in {"Succeeded", "Failed", "Error"}:
        return  # it was killed after its last write
    if job["name"] in known:
        engine.resume(job["name"])
    else:
        engine.run(
            job["workflow"], templates=job["templates"], name=job["name"], objects=job["objects"],
            scheduled_time=datetime.fromisoformat(job["due"]),
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
