"""The small facts of a report: days, amounts, timings, side effects, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.report.read import mapping, mappings, moment, number, sequence, text
from grader.report.words import count, duration, plural


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One measured part; `width` is its share of the longest in percent."""

    label: str
    took: str
    width: float


@dataclass(frozen=True, kw_only=True)
class SideEffect:
    """Deliveries of one key and the effects they had; `doubled` where one key had several effects."""

    key: str
    deliveries: str
    effects: str
    doubled: bool


def days_fact(report: Mapping[str, Any]) -> tuple[str, str]:
    """Say which days were played and how many they are."""
    days = [text(day) for day in sequence(report.get("days"))]
    if not days:
        return "", ""
    first, last = days[0], days[-1]
    if first == last:
        return first, "1 day"
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    cut = first.rfind("-", 0, shared) + 1
    return f"{first} … {last[cut:]}", plural(len(days), "day")


def figures(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give the figures under the verdict: term, value, remark."""
    runs = mappings(report.get("runs"))
    days, how_many = days_fact(report)
    seconds = number(mapping(report.get("summary")).get("seconds"))
    if seconds is None:
        seconds = sum(number(entry.get("seconds")) or 0 for entry in mappings(report.get("timings"))) or None
    partitions = mappings(report.get("partitions"))
    tables = {text(entry.get("table")) for entry in partitions}
    failed = sum(text(run.get("phase")) in {"Failed", "Error"} for run in runs)
    result = [("Days", days, how_many)] if days else []
    if runs:
        result.append(("Workflow runs", count(len(runs)), f"{failed} failed" if failed else "all succeeded"))
        if not all(text(run.get("phase")) in {"Succeeded", "Failed", "Error"} for run in runs):
            result[-1] = ("Workflow runs", count(len(runs)), f"{failed} failed" if failed else "some unfinished")
    if partitions:
        result.append(("Partitions", count(len(partitions)), "in " + plural(len(tables), "table")))
    if seconds is not None:
        result.append(("Duration", duration(seconds), "from start to report"))
    return result


def timings(report: Mapping[str, Any]) -> list[Timing]:
    """Read the timings in the report's order."""
    known = [
        (text(entry.get("label"), "unnamed part"), seconds)
        for entry in mappings(report.get("timings"))
        if (seconds := number(entry.get("seconds"))) is not None
    ]
    longest = max((seconds for _, seconds in known), default=0) or 1
    return [
        Timing(label=label, took=duration(max(seconds, 0)), width=round(max(100 * seconds / longest, 0.5), 2))
        for label, seconds in known
    ]


def side_effects(report: Mapping[str, Any]) -> tuple[Sequence[SideEffect], str]:
    """Read the webhook's deliveries and effects, and say what they show."""
    entries = mappings(report.get("sideEffects"))
    found = [
        SideEffect(
            key=text(entry.get("key"), "no key"), deliveries=_amount(entry.get("deliveries")),
            effects=_amount(entry.get("effects")), doubled=(number(entry.get("effects")) or 0) > 1,
        )
        for entry in entries
    ]  # fmt: skip
    sent = round(sum(number(entry.get("deliveries")) or 0 for entry in entries))
    effects = round(sum(number(entry.get("effects")) or 0 for entry in entries))
    doubled = sum(effect.doubled for effect in found)
    said = f"{plural(sent, 'delivery', 'deliveries')} had {plural(effects, 'effect')}. "
    said += f"{plural(doubled, 'key')} took effect more than once." if doubled else "No key took effect twice."
    return found, said if found else ""


def _amount(value: Any) -> str:
    amount = number(len(value)) if isinstance(value, (list, tuple)) else number(value)
    return count(amount) if amount is not None else text(value, "?")


def versions(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Read the versions of what took part."""
    return [(text(name), text(version)) for name, version in mapping(report.get("versions")).items()]


def generated(report: Mapping[str, Any]) -> str:
    """Say when the report was made; as given where it is no time."""
    at = moment(report.get("generatedAt"))
    return at.strftime("%Y-%m-%d %H:%M %Z") if at else text(report.get("generatedAt"))
