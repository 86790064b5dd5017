"""Which sample a course has: one for all, or one for each student."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tomllib

import grader
from grader.sample.draw import MOST, seed_of
from pipelines.local.errors import BadInput

MANIFEST = Path(grader.__file__).parent.parent / "solutions" / "course.toml"


@dataclass(frozen=True, kw_only=True)
class Course:
    """What `[sample]` of the course's manifest says.

    Args:
        seed: of the class.
        per_student: whether each student has one of their own, made of the class's and their name.
    """

    seed: int = 0
    per_student: bool = False

    def seed_for(self, student: str | None) -> int:
        """Give the seed of a student; without a name, that of the class."""
        return seed_of(self.seed, student) if self.per_student and student else self.seed


def course(path: Path = MANIFEST) -> Course:
    """Read the manifest.

    Raises:
        BadInput: what it says of the sample is wrong.
    """
    given = tomllib.loads(path.read_text(encoding="utf-8")).get("sample", {})
    strange = sorted(set(given) - {"seed", "per_student"}) if isinstance(given, dict) else ["no table"]
    if strange:
        raise BadInput(f"unknown: {', '.join(strange)}", where=f"{path.name}: sample", remedy="seed, per_student")
    seed, per_student = given.get("seed", 0), given.get("per_student", False)
    if type(per_student) is not bool:
        raise BadInput("must be true or false", where=f"{path.name}: sample.per_student")
    return Course(seed=valid(seed, f"{path.name}: sample.seed"), per_student=per_student)


def valid(seed: object, where: str) -> int:
    """Give a seed that was read from a file.

    Raises:
        BadInput: it is none.
    """
    if type(seed) is not int or not 0 <= seed <= MOST:
        raise BadInput(f"{seed!r} is no seed: it must be a whole number from 0 to {MOST}", where=where)
    return seed
