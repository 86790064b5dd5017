"""How outcomes, phases, numbers and durations are said and marked."""

from __future__ import annotations

from dataclasses import dataclass

from grader.report.read import text
from grader.report.text import elide


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A state's look: `tone` is its colour, `shape` the glyph that tells it apart without colour, `word` its name."""

    tone: str
    shape: str
    word: str


OUTCOMES = {
    "pass": Mark(tone="ok", shape="check", word="pass"),
    "fail": Mark(tone="bad", shape="cross", word="fail"),
    "error": Mark(tone="bad", shape="bang", word="error"),
    "blocked": Mark(tone="hold", shape="bar", word="blocked"),
    "waiting": Mark(tone="hold", shape="clock", word="waiting"),
}
PHASES = {
    "Succeeded": Mark(tone="ok", shape="check", word="Succeeded"),
    "Failed": Mark(tone="bad", shape="cross", word="Failed"),
    "Error": Mark(tone="bad", shape="bang", word="Error"),
    "Running": Mark(tone="busy", shape="play", word="Running"),
    "Daemoned": Mark(tone="busy", shape="play", word="Daemoned"),
    "Pending": Mark(tone="hold", shape="clock", word="Pending"),
    "Skipped": Mark(tone="hold", shape="bar", word="Skipped"),
    "Omitted": Mark(tone="hold", shape="bar", word="Omitted"),
}
# The heat map draws no glyph but a sign, which its style sheet has.
CHANGES = {
    "created": Mark(tone="created", shape="none", word="created"),
    "rewritten-same": Mark(tone="same", shape="none", word="rewritten, same content"),
    "changed": Mark(tone="changed", shape="none", word="changed"),
    "untouched": Mark(tone="untouched", shape="none", word="untouched"),
    "absent": Mark(tone="absent", shape="none", word="absent"),
}
PLAYS = {"first": "First play", "second": "Second play", "replay": "Replay"}

_MINUTE = 60
_HOUR = 3600


def outcome_mark(outcome: object) -> Mark:
    """Look up an outcome; an unknown one is shown by its own name."""
    return OUTCOMES.get(text(outcome), Mark(tone="hold", shape="none", word=text(outcome, "unknown") or "unknown"))


def phase_mark(phase: object) -> Mark:
    """Look up an Argo phase; an unknown or absent one is shown by its own name."""
    return PHASES.get(text(phase), Mark(tone="hold", shape="none", word=text(phase, "not started") or "not started"))


def change_mark(change: object) -> Mark:
    """Look up what a run did to a partition."""
    return CHANGES.get(text(change), Mark(tone="absent", shape="none", word=text(change, "absent") or "absent"))


def play_name(play: object) -> str:
    """Name a play as headings do."""
    name = text(play)
    return PLAYS.get(name) or elide(name[:1].upper() + name[1:], 40) or "Runs"


def duration(seconds: float | None) -> str:
    """Say a duration: `0.4 s`, `12 s`, `2 min 05 s`, `1 h 03 min`; empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 10:
        # Argo's times have whole seconds: no decimal where none was measured.
        return f"{seconds:.1f} s" if seconds != int(seconds) else f"{seconds:.0f} s" if seconds else "< 1 s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def count(value: float | None) -> str:
    """Write a whole number with narrow spaces between thousands, others with up to two decimals."""
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{value:.2f}".rstrip("0").rstrip(".")


def short_count(value: float | None) -> str:
    """Write a row count in at most five characters: `897`, `27.0k`, `337k`, `1.2M`."""
    if value is None:
        return ""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if unit == "k" else limit)
            return f"{scaled:.0f}{unit}" if abs(scaled) >= 100 else f"{scaled:.1f}{unit}"
    return f"{value:.0f}"


def plural(amount: int, one: str, many: str = "") -> str:
    """Say an amount of things: `1 run`, `7 runs`, `0 runs`."""
    return f"{count(amount)} {one if amount == 1 else many or one + 's'}"


def listing(words: list[str], most: int = 4) -> str:
    """Join words as a sentence does, naming at most a few."""
    shown = words[:most] + ([f"{len(words) - most} more"] if len(words) > most else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else ""
