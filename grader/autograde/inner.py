"""The trusted program inside a box: calls a function of the kit and hands its result over a descriptor of its own.

`python -m grader.autograde.inner`: what to call is in `/box/argument.json`. No step has the descriptor or can see this
process, so a result is what this process says, whatever anybody prints.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from grader.autograde import kit
from grader.autograde.boot import RESULT
from grader.autograde.box import BOX
from pipelines.local.errors import BadInput
from pipelines.local.sandbox import linux, strict
from pipelines.local.sandbox.identity import STEP_USER
from pipelines.local.sandbox.isolation import Isolation, Strangers
from pipelines.local.sandbox.limits import Limits
from pipelines.local.state import StateDir

ARGUMENT = f"{BOX}/argument.json"
_MARK = "BATCHLAB_BOX"


def isolation() -> Isolation | None:
    """Return how steps are to be kept apart by a program that runs in a box; None outside of one."""
    if _MARK not in os.environ:
        return None
    several = json.loads(os.environ[_MARK])["several"]
    limits = Limits(**_plan()["step"])
    strangers = Strangers(user=STEP_USER if several else None, hide=kit.hidden_from_steps())
    return Isolation(limits=limits, strangers=strangers)


def _plan() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(ARGUMENT).read_text(encoding="utf-8"))
    return found


def _prepare() -> None:
    """Make the state directory, with a file system of their own for tables: who fills it stops only themselves."""
    state, kept_apart = StateDir.locate().ensure(), isolation()
    assert kept_apart is not None
    state.warehouse.mkdir(parents=True, exist_ok=True)
    settings = f"mode=755,size={_plan()['tables']},nr_inodes={strict.FILES}"
    linux.mount("tmpfs", str(state.warehouse), "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, settings)
    kept_apart.prepare(state)


def _call() -> dict[str, Any]:
    plan = _plan()
    module, _, function = plan["target"].partition(":")
    try:
        _prepare()
        return {"value": getattr(import_module(module), function)(plan["argument"])}
    except BadInput as error:
        return {"refused": str(error)}
    except BaseException as error:  # noqa: BLE001 - the top of this process: whatever it is, it is told
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Call what is asked for, and write its result as JSON."""
    os.set_inheritable(RESULT, False)
    text = json.dumps(_call())
    with os.fdopen(RESULT, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
    sys.stdout.flush()
    os._exit(0)  # what it has started, the kernel ends with the box


if __name__ == "__main__":
    main()
