"""The templates, and what they are made of."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """Give the templates; every text that they set is escaped."""
    made = Environment(
        loader=PackageLoader("grader.report", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["m"] = made.get_template("macros.html.j2").module
    return made


@cache
def asset(*names: str) -> str:
    """Give style sheets or scripts, joined."""
    loader = environment().loader
    assert loader is not None
    return "\n".join(loader.get_source(environment(), name)[0].strip() for name in names)
