"""Layered drawing, step two: coordinates of nodes and routes of edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.report.layered import Edge, Layering, is_joint, layer

Point = tuple[float, float]
_ROUNDS = 10
_JOINT_SIZE = 10.0
_STRAIGHT = 8.0  # px before a layer in which an edge runs straight, so that its head points where it goes
_JOINT_PULL = 4.0  # how much more a long edge wants to be straight than a node wants to be centred


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where everything goes, in px: upper left corners, routes, the whole's size; and the nodes by layer.

    From a route's points of even number to the next it is inside a layer, from those of odd number between two.
    """

    corners: Mapping[str, Point]
    routes: Mapping[Edge, Sequence[Point]]
    width: float
    height: float
    layers: Sequence[Sequence[str]]


def place(
    sizes: Mapping[str, tuple[float, float]], edges: Iterable[Edge], *, across: bool, layer_gap: float, gap: float
) -> Placement:
    """Lay out nodes of the given (width, height) in px; `across` puts layers side by side, else below each other."""
    layering = layer(sizes, edges)
    # `along` is the direction in which layers follow each other, `side` the other one.
    along = {name: sizes[name][0 if across else 1] for name in sizes}
    side = {name: sizes[name][1 if across else 0] for name in sizes}
    starts, thickness = _bands(layering, along, layer_gap)
    centres = _centres(layering, side, gap)
    level = {name: number for number, names in enumerate(layering.layers) for name in names}

    def point(a: float, s: float) -> Point:
        return (round(a, 1), round(s, 1)) if across else (round(s, 1), round(a, 1))

    corners: dict[str, Point] = {}
    ends: dict[str, tuple[float, float]] = {}
    for name in sizes:
        begin = starts[level[name]] + (thickness[level[name]] - along[name]) / 2
        corners[name] = point(begin, centres[name] - side[name] / 2)
        ends[name] = (begin, begin + along[name])
    routes: dict[Edge, list[Point]] = {}
    for edge, chain in layering.chains.items():
        turn = -1 if level[chain[0]] > level[chain[-1]] else 1
        bands = [(starts[level[name]], starts[level[name]] + thickness[level[name]])[::turn] for name in chain]
        stops = [(at, centres[name]) for name, band in zip(chain, bands, strict=True) for at in band]
        stops[0] = (ends[chain[0]][::turn][1], centres[chain[0]])
        stops[-1] = (ends[chain[-1]][::turn][0], centres[chain[-1]])
        first, last = (bands[0][1], stops[0][1]), (bands[-1][0], stops[-1][1])
        routes[edge] = [point(*stop) for stop in (stops[0], first, *stops[2:-2], last, stops[-1])]
    depth = starts[-1] + thickness[-1] if starts else 0.0
    breadth = max((centres[name] + side.get(name, 0) / 2 for name in centres), default=0.0)
    return Placement(
        corners=corners,
        routes=routes,
        width=depth if across else breadth,
        height=breadth if across else depth,
        layers=[[name for name in names if not is_joint(name)] for names in layering.layers],
    )


def _bands(layering: Layering, along: Mapping[str, float], layer_gap: float) -> tuple[list[float], list[float]]:
    thickness = [max((along.get(name, 0.0) for name in names), default=0.0) for names in layering.layers]
    starts, at = [], 0.0
    for size in thickness:
        starts.append(at)
        at += size + layer_gap
    return starts, thickness


def _centres(layering: Layering, side: Mapping[str, float], gap: float) -> dict[str, float]:
    """Pull every node towards the mean of its neighbours, layer by layer, without changing order or spacing."""
    near: dict[str, list[str]] = {}
    for upper, lower in layering.links:
        near.setdefault(upper, []).append(lower)
        near.setdefault(lower, []).append(upper)
    centres: dict[str, float] = {}
    offsets: list[list[float]] = []
    for names in layering.layers:
        offsets.append(_offsets(names, side, gap))
        middle = offsets[-1][-1] / 2 if names else 0.0
        centres.update({name: at - middle for name, at in zip(names, offsets[-1], strict=True)})
    order = list(range(len(layering.layers)))
    for turn in range(_ROUNDS):
        for number in order if turn % 2 == 0 else order[::-1]:
            names = layering.layers[number]
            wanted = [_mean([centres[other] for other in near.get(name, ())], centres[name]) for name in names]
            pull = [_JOINT_PULL if is_joint(name) else 1.0 for name in names]
            centres.update(zip(names, _spread(wanted, pull, offsets[number]), strict=True))
    edge = min((at - side.get(name, 0.0) / 2 for name, at in centres.items()), default=0.0)
    return {name: at - edge for name, at in centres.items()}


def _offsets(names: Sequence[str], side: Mapping[str, float], gap: float) -> list[float]:
    result: list[float] = []
    for position, name in enumerate(names):
        if not position:
            result.append(0.0)
            continue
        halves = (side.get(names[position - 1], _JOINT_SIZE) + side.get(name, _JOINT_SIZE)) / 2
        result.append(result[-1] + halves + gap)
    return result


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _spread(wanted: Sequence[float], pull: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Give the places nearest to the wanted ones (weighted least squares) that keep order and spacing.

    With the spacing subtracted this is isotonic regression: pool neighbours that would overlap until none do.
    """
    pools: list[list[float]] = []  # mean, weight, how many
    for want, weight, offset in zip(wanted, pull, offsets, strict=True):
        pools.append([want - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, total, size = pools.pop()
            other = pools[-1]
            joined = other[1] + total
            pools[-1] = [(other[0] * other[1] + mean * total) / joined, joined, other[2] + size]
    levels = [mean for mean, _, size in pools for _ in range(int(size))]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def curve(points: Sequence[Point], *, across: bool, shift: Point = (0.0, 0.0)) -> str:
    """Write a route as SVG path data: straight inside layers, smooth between them."""
    moved = [(round(x + shift[0], 1), round(y + shift[1], 1)) for x, y in points]
    path = f"M{moved[0][0]:g} {moved[0][1]:g}"
    for number, (x, y) in enumerate(moved[1:], 1):
        px, py = moved[number - 1]
        if number % 2 or px == x or py == y:
            path += f"L{x:g} {y:g}"
        elif across:
            near = x - _STRAIGHT if x > px else x + _STRAIGHT
            half = (px + near) / 2
            path += f"C{half:g} {py:g} {half:g} {y:g} {near:g} {y:g}H{x:g}"
        else:
            near = y - _STRAIGHT if y > py else y + _STRAIGHT
            half = (py + near) / 2
            path += f"C{px:g} {half:g} {x:g} {half:g} {x:g} {near:g}V{y:g}"
    return path
