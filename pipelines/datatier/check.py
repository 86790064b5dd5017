"""Step `check`: refuse a bad logical date in a second, before anything is started for it."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.datatier.job import Arguments, logical_date, run


def main(argv: Sequence[str]) -> None:
    """Read the shared arguments; a bad one ends the step with exit code 2."""
    given = Arguments(__doc__).parse_args(argv)
    print(f"{logical_date(given)} is within {given.first_day} … {given.last_day}")


if __name__ == "__main__":
    run(main)
