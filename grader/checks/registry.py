"""Declaring checks: a function's docstring is the title that a learner sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from grader.checks.model import PIPELINES, Check, Function


class Registry:
    """The checks of one module, in the order of their declaration."""

    def __init__(self, item: str) -> None:
        self.item = item
        self.checks: list[Check] = []

    def check(
        self,
        name: str,
        *,
        points: int = 1,
        needs: Iterable[str] = ("first",),
        depends: Iterable[str] = (),
        pipelines: Iterable[str] = PIPELINES,
        whole: bool = False,
        hints: Iterable[str] = (),
    ) -> Callable[[Function], Function]:
        """Declare a function as the check `<item>-<name>`.

        Args:
            name: short name, unique within the item.
            points: weight within the item.
            needs: what the probe must have.
            depends: full ids of checks that must pass first.
            pipelines: the pipelines whose plays it looks at.
            whole: it needs the plays of all of them at once.
            hints: up to three, from general to concrete, for failures that bring none of their own.

        Raises:
            ValueError: it has no docstring, or the name is taken.
        """

        def declare(function: Function) -> Function:
            title = (function.__doc__ or "").strip().partition("\n")[0]
            if not title:
                raise ValueError(f"check {name} of {self.item} has no title: give the function a docstring")
            if any(one.id == f"{self.item}-{name}" for one in self.checks):
                raise ValueError(f"check {self.item}-{name} is declared twice")
            self.checks.append(
                Check(
                    id=f"{self.item}-{name}", title=title, item=self.item, points=points, needs=tuple(needs),
                    depends=tuple(depends), function=function, pipelines=tuple(pipelines), whole=whole,
                    hints=tuple(hints),
                )
            )  # fmt: skip
            return function

        return declare
