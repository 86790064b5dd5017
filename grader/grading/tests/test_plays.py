"""Which plays a check needs, in which order, and what they read."""

from __future__ import annotations

import pytest

from grader.checks.contents import PLAYS as MUST_SUCCEED
from grader.grading.player import KINDS
from grader.grading.plays import DAYS, PLAYS, needed, upstream_of


def names(*asked: str) -> list[str]:
    """Name the plays that some plays need."""
    return [play.name for play in needed(asked)]


def test_a_play_needs_what_it_goes_on_from() -> None:
    """Plays come in the order in which they are played, each once, whatever the order in which they are asked for."""
    assert names() == []
    assert names("first") == ["first"]
    assert names("crash") == ["first", "second", "crash"]
    assert names("empty") == ["first", "second", "replay", "empty"]
    assert names("empty", "first", "empty", "bad") == ["first", "second", "replay", "empty", "bad"]
    assert names(*reversed(PLAYS)) == list(PLAYS)


def test_a_play_that_there_is_not() -> None:
    """A name that no play has is a mistake of whoever wrote the check."""
    with pytest.raises(KeyError):
        needed(["tenth"])


def test_tables_that_a_play_reads() -> None:
    """A pipeline reads the tables of those before it, of the same play or of the one that it names."""
    assert upstream_of("ingest", PLAYS["second"]) == []
    assert upstream_of("transform", PLAYS["first"]) == [("ingest", "first")]
    assert upstream_of("publish", PLAYS["replay"]) == [("ingest", "replay"), ("transform", "replay")]
    assert upstream_of("publish", PLAYS["crash"]) == [("ingest", "replay"), ("transform", "replay")]
    assert upstream_of("publish", PLAYS["flaky"]) == [("ingest", "second"), ("transform", "second")]
    with pytest.raises(ValueError, match="not in tuple"):
        upstream_of("daily", PLAYS["first"])


def test_plays_can_be_played() -> None:
    """What a play goes on from, and reads, comes before it and is played by the pipelines that it needs."""
    order = list(PLAYS)
    for name, play in PLAYS.items():
        assert play.kind in KINDS
        assert play.pipelines, name
        if play.after:
            assert order.index(play.after) < order.index(name)
            assert set(play.pipelines) <= set(PLAYS[play.after].pipelines)
            assert not PLAYS[play.after].fault, "nothing goes on from a fault"
        for pipeline in play.pipelines:
            for before, other in upstream_of(pipeline, play):
                assert before in PLAYS[other].pipelines
                assert not PLAYS[other].fault, "nothing reads what a fault left"


def test_what_a_play_reads_saw_the_same_source() -> None:
    """A pipeline that plays after late data reads tables that were made after late data."""
    for play in PLAYS.values():
        for pipeline in play.pipelines:
            for _, other in upstream_of(pipeline, play):
                assert PLAYS[other].source == play.source, play.name


def test_days() -> None:
    """Days are given by position, the second play runs them in another order, and must succeed or is a fault."""
    assert PLAYS["first"].dates(DAYS) == DAYS
    assert PLAYS["second"].dates(DAYS) == DAYS[::-1]
    assert PLAYS["second"].parallel == len(DAYS)
    assert [name for name, play in PLAYS.items() if not play.fault] == list(MUST_SUCCEED)
