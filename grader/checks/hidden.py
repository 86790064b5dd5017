"""Checks that only an instructor has: Python files in a folder outside of everything that is released.

A file declares checks as the kit's own modules do, with a `Registry`; their names begin with `hidden-`. They are run by
the grader, which in autograde mode is another process than the submission's, so a submission sees neither their code
nor that they exist.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from grader.checks.catalog import CHECKS
from grader.checks.course import items
from grader.checks.model import HIDDEN as PREFIX
from grader.checks.model import Check
from grader.checks.registry import Registry
from pipelines.local.errors import BadInput


def load(folder: Path) -> tuple[Check, ...]:
    """Read the checks of a folder's `*.py` files, in the order of the files' names.

    Messages name file and mistake, never a line of code: they may be seen by those from whom the checks are hidden.

    Raises:
        BadInput: there is no such folder, no check in it, or a file that declares something impossible.
    """
    if not folder.is_dir():
        raise BadInput("there is no such folder", where=str(folder), remedy="it holds the hidden checks, as *.py files")
    found: list[Check] = []
    for path in sorted(folder.glob("*.py")):
        registries = [one for one in vars(_module(path)).values() if isinstance(one, Registry)]
        for check in [check for registry in registries for check in registry.checks]:
            _require(check, [*CHECKS, *found], path.name)
            found.append(check)
    if not found:
        raise BadInput("no file of it declares a check", where=str(folder), remedy="see docs/instructor.md")
    return tuple(found)


def is_hidden(check: Check) -> bool:
    """Tell whether a check is an instructor's own."""
    return check.hidden


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"batchlab_hidden_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadInput(f"cannot be loaded: {type(error).__name__}", where=path.name) from error
    finally:
        sys.dont_write_bytecode = before
    return module


def _require(check: Check, known: Iterable[Check], file: str) -> None:
    ids = {one.id for one in known}
    if check.item not in {item.id for item in items()}:
        raise BadInput(f"there is no item {check.item}", where=file)
    if not is_hidden(check):
        raise BadInput(f"{check.id} must be called {check.item}-{PREFIX}…", where=file)
    if check.id in ids:
        raise BadInput(f"{check.id} is declared twice", where=file)
    for name in check.depends:
        if name not in ids:
            raise BadInput(f"{check.id} depends on {name}, which there is not", where=file)
