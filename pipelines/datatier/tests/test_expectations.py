"""Declared expectations, checked by the engine that Python steps use."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.datatier.audit import duckdb_query, enforce
from pipelines.datatier.errors import ExpectationFailed
from pipelines.datatier.expectations import Expectation, check, not_null, one_of, row_count, unique, within
from pipelines.datatier.tests.memory import NUMBERS

ROWS = pa.table({"k": [1, 2, 2, 4], "v": [10, None, -5, 99], "s": ["a", "b", "x", None]})


def _broken(*expectations: Expectation) -> list[str]:
    return [str(found) for found in check(duckdb_query(rows=ROWS), "rows", expectations, ("k",))]


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (not_null("v")[0], "v is not null: 1 broken, such as (2, None)"),
        (unique("k"), "(k) is unique: 1 broken, such as (2, 2)"),
        (within("v", 0, 50), "v is within 0…50: 2 broken, such as (2, -5), (4, 99)"),
        (one_of("s", ["a", "b"]), "s is one of a, b: 1 broken, such as (2, x)"),
        (row_count(5, 9), "row count is within 5…9: 1 broken, such as (4)"),
    ],
)
def test_a_broken_rule_is_counted_and_shown(expectation: Expectation, message: str) -> None:
    """Every kind of rule finds what breaks it and shows the key beside the value."""
    assert _broken(expectation) == [message]


def test_rules_that_hold_say_nothing() -> None:
    """NULL is no value to ranges and lists."""
    held = [not_null("k")[0], unique("k", "v"), within("v", -5, 99), one_of("s", ["a", "b", "x"]), row_count(4, 4)]
    assert _broken(*held) == []


def test_an_empty_partition_breaks_only_its_row_count() -> None:
    """A day without rows is checked like any other."""
    query = duckdb_query(rows=ROWS.slice(0, 0))
    rules = [*not_null("k", "v"), unique("k"), within("v", 0, 1), row_count(1, 9)]
    assert [found.expectation.name for found in check(query, "rows", rules, ("k",))] == ["row count is within 1…9"]


def test_a_warning_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed; only failures raise, and each is in the message."""
    findings = check(duckdb_query(rows=ROWS), "rows", [within("v", 0, 50, warn=True)], ("k",))
    enforce(NUMBERS, "b", findings)
    assert "warning: lake.t.numbers: v is within 0…50" in capsys.readouterr().err
    findings += check(duckdb_query(rows=ROWS), "rows", [unique("k")], ("k",))
    with pytest.raises(ExpectationFailed, match=r"branch b, not published\): \(k\) is unique") as caught:
        enforce(NUMBERS, "b", findings)
    assert caught.value.exit_code == 3
    assert len(caught.value.failures) == 1


def test_text_in_a_list_is_quoted() -> None:
    """A value with a quote is a value, not SQL."""
    assert _broken(one_of("s", ["a", "b", "x", "o'hare"])) == []
