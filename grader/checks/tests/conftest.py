"""Worlds for the checks' tests: made once, copied for each test that spoils one."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.tests.world import DAYS, World


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which the days were played once."""
    made = World.make(tmp_path_factory.mktemp("once"))
    made.play("first")
    return made


@pytest.fixture(scope="session")
def twice(once: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which everything went right: two plays, the second in another order."""
    made = once.copy(tmp_path_factory.mktemp("twice"))
    made.play("second", (DAYS[1], DAYS[2], DAYS[0]))
    return made


@pytest.fixture
def world(twice: World, tmp_path: Path) -> World:
    """A copy of the world in which everything went right, to be spoiled."""
    return twice.copy(tmp_path)
