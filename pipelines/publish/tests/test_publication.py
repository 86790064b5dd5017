"""The fingerprint of what is published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipelines.datatier.errors import BadParameter
from pipelines.publish.publication import Publication, fingerprint, sorted_by

ROWS = [(date(2013, 3, 9), "AA", 3, Decimal("1.50"), None), (date(2013, 3, 9), "B6", 4, Decimal("-0.25"), 7)]


def test_order_plays_no_part() -> None:
    """The same rows in another order, or tables in another order, are the same publication."""
    assert fingerprint({"a": ROWS, "b": []}) == fingerprint({"b": [], "a": ROWS[::-1]})


@pytest.mark.parametrize(
    "other",
    [
        {"a": ROWS[:1]},
        {"a": [*ROWS, ROWS[0]]},
        {"b": ROWS},
        {"a": [ROWS[0], (*ROWS[1][:3], Decimal("-0.26"), 7)]},
        {"a": [ROWS[0], (*ROWS[1][:4], None)]},
        {"a": [ROWS[0], (*ROWS[1][:4], "None")]},
        {"a": [], "b": []},
    ],
)
def test_other_content_is_another_publication(other: dict[str, list[tuple[object, ...]]]) -> None:
    """A row less, a row twice, another table, a cent, or a NULL more changes the fingerprint."""
    assert fingerprint(other) != fingerprint({"a": ROWS})


def test_it_passes_between_steps_unchanged() -> None:
    """Snapshot ids survive JSON: they are text."""
    made = Publication(ds="2013-03-09", snapshots={"m": str(2**62 + 1)}, rows={"m": 2}, fingerprint="f")
    assert Publication.from_json(made.to_json()) == made


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"ds": 1}'])
def test_what_is_no_publication_is_refused(text: str) -> None:
    """A tag that was not replaced, for one, is told as a bad parameter."""
    with pytest.raises(BadParameter, match="publication: is not what step read puts out"):
        Publication.from_json(text)


def test_rows_are_written_in_the_order_of_their_key() -> None:
    """The same rows make the same COPY."""
    assert sorted_by(ROWS[::-1], ["flight_date", "carrier", "a", "b", "c"], ["flight_date", "carrier"]) == ROWS
