"""The answers for SparkApplication, which are its operator's, and ScheduledSparkApplication."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.local.manifest.answers import Answer, Rule, row
from pipelines.local.manifest.answers_argo import A_RECORD, KEPT, NO_PODS, PLAYED
from pipelines.local.spark import fields

_APP = "SparkApplication.spec"
_KEY = row("key name optional")
_REASONS = {
    Answer.RUN: "",
    Answer.NOTICE: NO_PODS,
    Answer.REFUSED: "it would change what runs, and cannot be played without a cluster",
}


def rows() -> dict[str, dict[str, Rule]]:
    """Give the rows, with those that the SparkApplication operator of this machine declares."""
    return {**ROWS, **{f"SparkApplication.{path}": _of(each) for path, each in fields.TABLES.items()}}


def _of(declared: Mapping[str, fields.Answer]) -> dict[str, Rule]:
    answers = {name: Answer[each.name] for name, each in declared.items()}
    return {name: Rule(answer=answer, reason=_REASONS[answer]) for name, answer in answers.items()}


ROWS = {
    "SparkApplication": row("apiVersion kind metadata spec", refused={"status": A_RECORD}),
    "ScheduledSparkApplication": row("apiVersion kind metadata spec", refused={"status": A_RECORD}),
    "ScheduledSparkApplication.spec": row(
        "template",
        simulate={"concurrencyPolicy schedule suspend timeZone": PLAYED},
        notice={"failedRunHistoryLimit successfulRunHistoryLimit": KEPT},
    ),
    f"{_APP}.driver.env": row("name value valueFrom"),
    f"{_APP}.driver.env.valueFrom": row(
        "configMapKeyRef secretKeyRef",
        refused={"fieldRef resourceFieldRef": "there is no pod whose fields could be read"},
    ),
    f"{_APP}.driver.env.valueFrom.configMapKeyRef": _KEY,
    f"{_APP}.driver.envFrom": row("configMapRef prefix secretRef"),
    f"{_APP}.driver.envFrom.configMapRef": row("name optional"),
    f"{_APP}.driver.envSecretKeyRefs": row("key name"),
    f"{_APP}.dynamicAllocation": row(
        "enabled initialExecutors maxExecutors minExecutors shuffleTrackingEnabled shuffleTrackingTimeout"
    ),
}
