"""What keeps SparkApplications from running on a cluster: images, restarts, accounts, schedules, the webhook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from grader.flux.helm import Release
from grader.flux.install import Flaw, namespace_in_time
from grader.flux.objects import Rendered, Tree
from grader.flux.rbac import Account, Right, exists, lacking
from grader.flux.workloads import Application, applications, pinned
from pipelines.local.lang import Lang, LangError

ALL = "every namespace"
SUFFIX = 20
"""A schedule adds `-` and 19 digits to the names of its applications."""
_POLICIES = ("Allow", "Forbid", "Replace")
_BY_WEBHOOK = frozenset(
    {
        "affinity", "configMaps", "dnsConfig", "env", "envFrom", "gpu", "hostAliases", "hostNetwork", "initContainers",
        "lifecycle", "podSecurityContext", "ports", "priorityClassName", "schedulerName", "securityContext",
        "shareProcessNamespace", "sidecars", "terminationGracePeriodSeconds", "tolerations", "volumeMounts",
    }
)  # fmt: skip
"""Fields of driver and executor that only the operator's webhook puts into the pods."""
_OF_SPEC = ("hadoopConfigMap", "sparkConfigMap", "volumes")
_DEFAULTS = {"driver": ("cores", "memory"), "executor": ("cores", "instances", "memory")}


def watched(release: Release) -> tuple[str, ...] | None:
    """Give the namespaces in which an operator's release looks for applications; None for all."""
    found = release.value("spark.jobNamespaces", ["default"])
    names = [str(each or "") for each in found or []]
    return None if not names or "" in names else tuple(names)


def watch_flaws(tree: Tree, release: Release) -> Iterator[Flaw]:
    """Find applications that the operator does not see, and namespaces that its chart cannot be installed for."""
    where = release.object.at("spec.values.spark.jobNamespaces")
    if re.match(r"v?[01]\.", release.version):
        yield Flaw(
            what=f"chart {release.version} of the operator has other values than those of its version 2",
            where=release.object.at("spec.chart.spec.version"), expected="2.4.0, or newer", found=release.version,
        )  # fmt: skip
    names = watched(release)
    for each in applications(tree):
        if names is not None and each.namespace not in names:
            yield Flaw(
                what=f"the operator watches {', '.join(names)}, and {each.where} is in {each.namespace}", where=where,
                expected=f"{each.namespace} in spark.jobNamespaces", found=", ".join(names),
            )  # fmt: skip
    for name in names or ():
        if not namespace_in_time(tree, name, release.object):
            yield Flaw(
                what=f"namespace {name} of spark.jobNamespaces is not there when {release.object.title} is installed: "
                "the chart puts roles into it, so the installation fails",
                where=where, expected=f"a Namespace {name} beside the release or before it", found="later, or never",
            )  # fmt: skip
    if release.value("webhook.enable", default=True) is False:
        for each in applications(tree):
            yield from _without_webhook(each)


def _without_webhook(each: Application) -> Iterator[Flaw]:
    """Find what the operator leaves out, and what it does not fill in, when its webhook is off."""
    spec = each.spec
    ignored = [name for name in _OF_SPEC if spec.get(name)]
    absent = [] if spec.get("mode") else ["mode"]
    conf = spec.get("sparkConf") or {}
    for role, names in _DEFAULTS.items():
        pod = spec.get(role) or {}
        ignored += [f"{role}.{name}" for name in sorted(_BY_WEBHOOK & {key for key, value in pod.items() if value})]
        absent += [f"{role}.{name}" for name in names if name not in pod and f"spark.{role}.{name}" not in conf]
    if ignored:
        yield Flaw(
            what=f"the operator's webhook is off, so {', '.join(ignored)} of {each.where} have no effect",
            where=each.of.at(), expected="webhook.enable: true, or a pod template", found="webhook.enable: false",
        )  # fmt: skip
    if absent:
        yield Flaw(
            what=f"the operator's webhook is off, so nothing fills in {', '.join(absent)} of {each.where}",
            where=each.of.at(), expected="webhook.enable: true, or the fields", found="webhook.enable: false",
        )  # fmt: skip


def application_flaws(tree: Tree, each: Rendered, operator: Release | None) -> Iterator[Flaw]:
    """Find what is wrong with a SparkApplication beyond its schema."""
    spec = each.spec
    yield from _images(each, spec)
    yield from _restarts(each, spec.get("restartPolicy") or {})
    yield from _account(tree, each, spec, operator)


def _images(each: Rendered, spec: Mapping[str, Any]) -> Iterator[Flaw]:
    images = {"spec.image": spec.get("image")}
    images |= {f"spec.{role}.image": (spec.get(role) or {}).get("image") for role in ("driver", "executor")}
    given = {path: str(image) for path, image in images.items() if image}
    if not given:
        yield Flaw(what=f"{each.title} names no image", where=each.at("spec"), expected="spec.image", found="none")
    for path, image in given.items():
        if not pinned(image):
            yield Flaw(
                what=f"{each.title} runs image {image}, which may be another one tomorrow", where=each.at(path),
                expected="a tag that is not latest, or a digest", found=image,
            )  # fmt: skip


def _restarts(each: Rendered, policy: Mapping[str, Any]) -> Iterator[Flaw]:
    where = each.at("spec.restartPolicy")
    kind = policy.get("type", "Never")
    if kind == "Always":
        yield Flaw(
            what=f"{each.title} is restarted always: it never completes", where=where, expected="Never, or OnFailure",
            found="Always",
        )  # fmt: skip
    if kind == "OnFailure" and not isinstance(policy.get("onFailureRetries"), int):
        yield Flaw(
            what=f"{each.title} is to be restarted on failure and does not say how often: the operator then does not",
            where=where, expected="onFailureRetries: 2, say", found="none",
        )  # fmt: skip


def _account(tree: Tree, each: Rendered, spec: Mapping[str, Any], operator: Release | None) -> Iterator[Flaw]:
    """Find a driver that may not make its executors."""
    conf = spec.get("sparkConf") or {}
    name = (spec.get("driver") or {}).get("serviceAccount") or conf.get(
        "spark.kubernetes.authenticate.driver.serviceAccountName"
    )
    account = Account(namespace=each.namespace, name=str(name or "default"))
    if operator is not None and account.name == _chart_account(operator):
        names = watched(operator)
        if names is not None and account.namespace in names:
            return
    right = Right(group="", resource="pods", verb="create")
    if not exists(tree, account):
        what = f"{each.title} has its driver run as {account.title}, which nothing creates"
    elif lacking(tree, account, [right], ()):
        what = f"{each.title} has its driver run as {account.title}, which may not create pods: it gets no executors"
    else:
        return
    yield Flaw(
        what=what, where=each.at("spec.driver.serviceAccount"), found=account.title,
        expected="driver.serviceAccount with a Role for pods, configmaps, services; the operator's chart can make one",
    )  # fmt: skip


def _chart_account(operator: Release) -> str:
    """Name the service account that the chart makes for drivers; empty where it makes none, or one without rights."""
    if not operator.value("spark.serviceAccount.create", default=True) or not operator.value(
        "spark.rbac.create", default=True
    ):
        return ""
    spec = operator.object.spec
    target = spec.get("targetNamespace")
    name = str(spec.get("releaseName") or (f"{target}-{operator.object.name}" if target else operator.object.name))
    chart = str(operator.value("nameOverride") or "spark-operator")
    full = str(operator.value("fullnameOverride") or (name if chart in name else f"{name}-{chart}"))
    return str(operator.value("spark.serviceAccount.name") or f"{full}-spark")


def schedule_flaws(tree: Tree, each: Rendered, operator: Release | None, lang: Lang) -> Iterator[Flaw]:
    """Find what is wrong with a ScheduledSparkApplication beyond its schema."""
    template = each.spec.get("template") or {}
    yield from _times(each, lang)
    yield from _images(each, template)
    yield from _restarts(each, template.get("restartPolicy") or {})
    yield from _account(tree, each, template, operator)
    policy = each.spec.get("concurrencyPolicy")
    if policy not in _POLICIES:
        yield Flaw(
            what=f"{each.title} has no concurrencyPolicy: it starts no second run while its first application exists",
            where=each.at("spec"), expected=", ".join(_POLICIES), found=str(policy or "none"),
        )  # fmt: skip
    for name in ("successfulRunHistoryLimit", "failedRunHistoryLimit"):
        limit = each.spec.get(name, 1)
        if not isinstance(limit, int) or limit < 0:
            yield Flaw(
                what=f"{each.title} cannot keep {limit} past runs ({name})", expected="a number of 0 or more",
                where=each.at(f"spec.{name}"), found=str(limit),
            )  # fmt: skip
    if len(each.name) + SUFFIX > 63:
        yield Flaw(
            what=f"{each.title}: its applications' names, with `-` and 19 digits more, are longer than 63 characters",
            where=each.at("metadata.name"), expected=f"a name of at most {63 - SUFFIX}", found=str(len(each.name)),
        )  # fmt: skip


def _times(each: Rendered, lang: Lang) -> Iterator[Flaw]:
    schedule, zone = str(each.spec.get("schedule") or ""), str(each.spec.get("timeZone") or "")
    try:
        lang.cron_check(schedule)
    except LangError as error:
        yield Flaw(
            what=f"{each.title} has a schedule that cannot be read: {error}", where=each.at("spec.schedule"),
            expected="five fields, such as 30 6 * * *", found=schedule or "none",
        )  # fmt: skip
    if zone:
        try:
            lang.timezone_check(zone)
        except LangError as error:
            yield Flaw(
                what=f"{each.title} has a time zone that does not exist: {error}", where=each.at("spec.timeZone"),
                expected="a name such as America/New_York", found=zone,
            )  # fmt: skip
