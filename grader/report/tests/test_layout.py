"""Layers, order, coordinates and labels."""

from __future__ import annotations

import random

import pytest

from grader.report.layered import crossings, is_joint, layer
from grader.report.placing import curve, place
from grader.report.text import cells, elide, wrap


def test_layers_follow_the_longest_path() -> None:
    """A node comes after all it depends on, and an edge over several layers has a joint in each."""
    result = layer("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    assert [[name for name in row if not is_joint(name)] for row in result.layers] == [["a"], ["b"], ["c"], ["d"]]
    assert len(result.chains["a", "c"]) == 3


def test_crossings_are_counted_and_removed() -> None:
    """Two crossing edges are seen, and the chosen order has none where none is needed."""
    assert crossings([["a", "b"], ["c", "d"]], {"a": ["d"], "b": ["c"]}) == 1
    edges = [("a", "z"), ("b", "y"), ("c", "x"), ("a", "y")]
    result = layer("abcxyz", edges)
    below = {start: [end for first, end in edges if first == start] for start in "abc"}
    assert crossings(result.layers, below) == 0


def test_order_is_never_worse_than_at_first() -> None:
    """On random graphs the kept order has fewer crossings than a random one has on average."""
    chance = random.Random(4)
    edges = [(f"a{chance.randrange(12)}", f"b{chance.randrange(12)}") for _ in range(24)]
    names = [f"{side}{number}" for side in "ab" for number in range(12)]
    below: dict[str, list[str]] = {}
    for start, end in dict.fromkeys(edges):
        below.setdefault(start, []).append(end)
    shuffled = [chance.sample([name for name in names if name[0] == side], 12) for side in "ab"]
    assert crossings(layer(names, edges).layers, below) < crossings(shuffled, below) / 2


def test_a_cycle_is_drawn() -> None:
    """A cycle ends, and every edge of it has a chain in its own direction."""
    result = layer("abc", [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert sorted(name for row in result.layers for name in row if not is_joint(name)) == ["a", "b", "c"]
    assert (result.chains["c", "a"][0], result.chains["c", "a"][-1]) == ("c", "a")


@pytest.mark.parametrize("across", [True, False])
def test_nodes_do_not_overlap_and_edges_touch_their_ends(across: bool) -> None:
    """On a random graph with sizes of every kind, boxes keep their distance and routes begin and end on borders."""
    chance = random.Random(11)
    sizes = {f"n{number}": (chance.uniform(20, 300), chance.uniform(20, 200)) for number in range(40)}
    pairs = [(chance.randrange(40), chance.randrange(40)) for _ in range(60)]
    edges = [(f"n{min(pair)}", f"n{max(pair)}") for pair in pairs if pair[0] != pair[1]]
    result = place(sizes, edges, across=across, layer_gap=30, gap=12)
    spots = [(*result.corners[name], *sizes[name]) for name in sizes]
    for number, (x, y, width, height) in enumerate(spots):
        assert x >= -0.1
        assert y >= -0.1
        assert x + width <= result.width + 0.1
        assert y + height <= result.height + 0.1
        for other in spots[:number]:
            apart = (x - other[0] - other[2], other[0] - x - width, y - other[1] - other[3], other[1] - y - height)
            assert max(apart) >= 11.8
    for (start, end), points in result.routes.items():
        side = 0 if across else 1
        assert points[0][side] == pytest.approx(result.corners[start][side] + sizes[start][side], abs=0.2)
        assert points[-1][side] == pytest.approx(result.corners[end][side], abs=0.2)


def test_a_straight_chain_is_drawn_straight() -> None:
    """Nodes one after the other share their middle, whatever their size."""
    sizes = {"a": (100.0, 40.0), "b": (300.0, 40.0), "c": (50.0, 40.0)}
    result = place(sizes, [("a", "b"), ("b", "c")], across=False, layer_gap=20, gap=10)
    middles = {name: result.corners[name][0] + sizes[name][0] / 2 for name in sizes}
    assert len({round(middle, 1) for middle in middles.values()}) == 1
    assert result.height == 160
    assert "C" not in curve(result.routes["a", "b"], across=False)


def test_nothing_to_place() -> None:
    """No nodes give an empty drawing."""
    result = place({}, [], across=True, layer_gap=1, gap=1)
    assert (result.width, result.height, result.routes) == (0, 0, {})


@pytest.mark.parametrize(
    "label", ["short", "a-very-long-name-of-a-step-that-nobody-read(0:it,em)", "東京" * 30, "x" * 500, "e\u0301" * 80]
)
def test_labels_keep_to_their_room(label: str) -> None:
    """Wrapped lines are at most so many and so wide; nothing is lost without an ellipsis."""
    lines = wrap(label, 18)
    assert len(lines) <= 2
    assert all(cells(line) <= 18 for line in lines)
    assert "".join(lines) == label or "…" in lines[-1]


def test_elision_keeps_both_ends() -> None:
    """The start and the end of an identifier tell it apart from its like."""
    assert elide("lake.marts.carrier_daily_by_airport", 16) == "lake.ma…_airport"
    assert elide("exactly", 7) == "exactly"
