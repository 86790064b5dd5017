"""The answer: every write that holds content computed from the bad input, whether it is still there, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from grader.lineage.datasets import WEBHOOK
from grader.lineage.graph import Graph
from grader.lineage.makers import step_of
from grader.lineage.taint.history import History, Write
from grader.lineage.taint.question import Question, Start
from grader.lineage.taint.repair import Repair, repairs
from grader.lineage.taint.spread import Spread, Tainted, spread

TAINTED, AGAIN, CLEAN = "tainted", "tainted again", "clean"
_SLACK = timedelta(seconds=2)
"""A receiver's clock and an emitter's may differ, and a delivery is recorded while the run that makes it goes on."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One partition that a run tainted.

    Args:
        tainted: the write, the columns, and what they came from.
        now: the write that the partition's content is from by now; the same, if it is still there.
        dirty: whether the partition holds tainted content now, from this write or from another.
    """

    tainted: Tainted
    now: Write
    dirty: bool

    @property
    def write(self) -> Write:
        """The write."""
        return self.tainted.write

    @property
    def status(self) -> str:
        """`tainted`: it is still there; `tainted again`: rewritten with tainted content; else `clean`: rewritten."""
        return TAINTED if self.now == self.write else AGAIN if self.dirty else CLEAN

    def as_json(self) -> dict[str, Any]:
        """Give it as `batchlab taint --json` has it."""
        return {
            **write_json(self.write),
            "columns": None if self.tainted.columns is None else sorted(self.tainted.columns),
            "from": [write_json(one) for one in self.tainted.sources],
            "status": self.status,
            "rewrittenBy": None if self.now == self.write else write_json(self.now),
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a bad input has tainted.

    Args:
        question: the bad input.
        inputs: the bad writes themselves; none where no run writes the dataset.
        found: partitions of other datasets, in the order in which they were written.
        deliveries: calls of the webhook that told of them.
        repairs: backfills that put right what is tainted now.
        notes: what could not be followed, or is otherwise worth knowing.
    """

    question: Question
    inputs: Sequence[Found]
    found: Sequence[Found]
    deliveries: Sequence[Mapping[str, Any]]
    repairs: Sequence[Repair]
    notes: Sequence[str]

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        dirty = {(one.write.dataset, one.write.partition) for one in self.found if one.dirty}
        cleaned = {(one.write.dataset, one.write.partition) for one in self.found} - dirty
        text = f"{_count(len(dirty), 'partition')} of {_count(len({name for name, _ in dirty}), 'table')}"
        text = f"{text} now {'holds' if len(dirty) == 1 else 'hold'} content computed from {self.question}"
        if not dirty:
            text = f"nothing now holds content computed from {self.question}"
        if cleaned:
            text += f"; {_count(len(cleaned), 'partition')} did, and {_has(cleaned)} been rewritten since"
        acted = sum(bool(one["effect"]) for one in self.deliveries)
        if acted:
            text += f"; the webhook acted on {_count(acted, 'announcement')} of it"
        return text

    def within(self, graph: Graph) -> Graph:
        """Keep, of a lineage graph, what leads from the bad input to what it tainted."""
        told = {WEBHOOK} if self.deliveries else set()
        names = {self.question.dataset, *told, *(one.write.dataset for one in self.found)}
        return Graph(edges={pair: edge for pair, edge in graph.edges.items() if set(pair) <= names})

    def as_json(self) -> dict[str, Any]:
        """Give the document that `batchlab taint --json` prints."""
        asked = self.question
        return {
            "input": {
                "dataset": asked.dataset, "partitions": list(asked.partitions), "column": asked.column,
                "snapshot": asked.snapshot, "run": asked.run, "writes": [one.as_json() for one in self.inputs],
            },
            "tainted": [one.as_json() for one in self.found],
            "deliveries": list(self.deliveries),
            "repair": [one.as_json() for one in self.repairs],
            "notes": list(self.notes),
            "summary": self.sentence,
        }  # fmt: skip


def answer(start: Start, history: History, deliveries: Iterable[Mapping[str, Any]] = ()) -> Answer:
    """Follow a bad input to all that was made from it.

    Args:
        start: the bad input.
        history: the past.
        deliveries: calls of the webhook, as its receiver lists them.
    """
    went = spread(history, start.seeds, start.source)
    all_found = [_found(one, went.tainted, history) for one in went.tainted.values()]
    all_found.sort(key=lambda one: one.write.moment)
    told = [one for one in all_found if one.write.dataset == WEBHOOK]
    rest = [one for one in all_found if one.write not in start.seeds and one.write.dataset != WEBHOOK]
    inputs = [one for one in all_found if one.write in start.seeds]
    dirty = [one.now for one in (*inputs, *rest) if one.dirty]
    notes = [*start.notes, *_notes(start, went, history, [*inputs, *rest])]
    return Answer(
        question=start.question, inputs=inputs, found=rest, repairs=repairs(dirty, history.runs), notes=notes,
        deliveries=[each for one in told for each in _deliveries(one.write, history, deliveries)],
    )  # fmt: skip


def _notes(start: Start, went: Spread, history: History, found: Sequence[Found]) -> Iterable[str]:
    """Say what could not be followed, so that more, or less, may be tainted than is listed."""
    for source, target in went.wide:
        yield f"runs read other days of {source} than their own: {target} of the days around counts as made from it"
    if start.question.column:
        for source, target in went.blind:
            yield f"no event tells which columns of {target} come from {source}: all are taken"
    for dataset in dict.fromkeys(one.write.dataset for one in found if not one.dirty and _unknown(one.now, history)):
        yield f"{dataset} was rewritten by a commit that names no run: what it was made from is not known"
    if start.source is not None and any(one.dirty for one in found):
        yield f"no run writes {start.source.dataset}: put it right first, then run the commands"


def _unknown(write: Write, history: History) -> bool:
    return not write.workflow or write.workflow not in history.runs


def _found(one: Tainted, tainted: Mapping[Write, Tainted], history: History) -> Found:
    now = history.current(one.write.dataset, one.write.partition)
    return Found(tainted=one, now=now, dirty=now in tainted)


def _deliveries(write: Write, history: History, deliveries: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Give the calls that came for the day while the run told the webhook."""
    times = [
        (one.started - _SLACK, one.ended + _SLACK)
        for one in history.executions
        if one.workflow == write.workflow and WEBHOOK in one.writes
    ]
    for one in deliveries:
        body = one.get("body")
        day = str(body.get("ds", "")) if isinstance(body, dict) else ""
        moment = datetime.fromisoformat(str(one["receivedAt"]))
        if day == write.ds and any(first <= moment <= last for first, last in times):
            yield {
                "key": one.get("key") or "", "ds": day, "at": str(one["receivedAt"]), "effect": bool(one["effect"]),
                "run": write.workflow,
            }  # fmt: skip


def write_json(one: Write) -> dict[str, Any]:
    """Give a write's fields, the node without the run's name."""
    return {
        "dataset": one.dataset, "partition": one.partition, "run": one.workflow,
        "node": step_of(one.workflow, one.node), "snapshot": one.snapshot,
        "at": one.moment.isoformat(timespec="milliseconds"),
    }  # fmt: skip


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _has(some: Iterable[Any]) -> str:
    return "has" if len(list(some)) == 1 else "have"
