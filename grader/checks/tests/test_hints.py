"""Every failure comes with exactly three hints: its own, or its check's."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader import checks
from grader.checks.model import Check
from grader.checks.registry import Registry
from grader.checks.tests.judging import three

FOLDER = Path(checks.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("m[0-9][0-9]_*.py"))
HELPERS = ("contents", "blame", "duplicates", "dbt_artifacts")
"""Modules that several items share: what they raise must bring hints of its own."""


def failures(name: str) -> Iterator[tuple[ast.Call, ast.expr | None]]:
    """Find the places of a module that make a `Failure`, each with its hints."""
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Failure":
            yield node, next((one.value for one in node.keywords if one.arg == "hints"), None)


def values(node: ast.expr, module: ModuleType) -> Iterator[tuple[Any, ...]]:
    """Give what hints may be: a tuple, a name for one, or one of two; parts that are computed are shown as text."""
    if isinstance(node, ast.IfExp):
        yield from values(node.body, module)
        yield from values(node.orelse, module)
    elif isinstance(node, ast.Name):
        yield getattr(module, node.id)
    else:
        assert isinstance(node, ast.Tuple), ast.unparse(node)
        yield tuple(
            one.value
            if isinstance(one, ast.Constant)
            else getattr(module, one.id, "")
            if isinstance(one, ast.Name)
            else ast.unparse(one)
            for one in node.elts
        )


def declared(module: ModuleType) -> list[Check]:
    """The checks of a module's registries."""
    return [check for one in vars(module).values() if isinstance(one, Registry) for check in one.checks]


@pytest.mark.parametrize("name", [*MODULES, *HELPERS])
def test_three_hints_wherever_it_fails(name: str) -> None:
    """What a failure brings is three hints or none; where it is none, its check has three."""
    module = importlib.import_module(f"grader.checks.{name}")
    bare = []
    for call, given in failures(name):
        hints = list(values(given, module)) if given is not None else [()]
        for one in hints:
            if one:
                three(one, f"{name}.py line {call.lineno}")
            else:
                bare.append(call.lineno)
    for check in declared(module):
        if check.hints:
            three(check.hints, check.id)
        else:
            assert not bare, f"{check.id} has no hints for the failures in lines {bare} of {name}.py"
    if bare:
        assert declared(module), f"{name}.py, shared by several checks, has no hints in lines {bare}"


def test_the_walk_finds_what_it_is_for() -> None:
    """The places are really found, hints given in each way included."""
    assert len(MODULES) >= 10
    found = [given for name in MODULES for _, given in failures(name)]
    assert len(found) > 40
    assert {type(given) for given in found} >= {type(None), ast.Tuple, ast.Name, ast.IfExp}
