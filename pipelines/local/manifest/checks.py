"""All checks of a set of manifests: strict reading, what this machine refuses, and Argo's validation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelines.local.lang import Lang
from pipelines.local.manifest.documents import KINDS, Document, Documents
from pipelines.local.manifest.lint.base import title
from pipelines.local.manifest.lint.extra import problems as extra_problems
from pipelines.local.manifest.lint.manifests import findings as resource_findings
from pipelines.local.manifest.lint.manifests import operator_findings
from pipelines.local.manifest.lint.pitfalls import warnings as pitfalls
from pipelines.local.manifest.lint.workflow import validate
from pipelines.local.manifest.normal import normal
from pipelines.local.manifest.problems import Notice, Problem
from pipelines.local.manifest.schema import types
from pipelines.local.manifest.strict import Finding, Strict

_ARGO = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_SPARK = ("SparkApplication", "ScheduledSparkApplication")
_LATE = ("type", "required")  # what the API server says when a step creates the object


def lint(documents: Documents, *, lang: Lang | None = None) -> list[Problem]:
    """List every problem of the manifests: what Argo says, unknown fields, and fields that this machine refuses."""
    lang = lang or Lang.shared()
    normalized = _normalized(documents)
    findings = [_strict(document) for document in documents.all]
    readable = [not any(each.kind == "type" for each in of_one) for of_one in findings]
    found: list[Problem] = []
    for index, document in enumerate(documents.all):
        found.extend(_problem(document, each) for each in findings[index] if each.kind != "notice")
        if document.kind in _ARGO and all(readable):  # one that cannot be read may be what another refers to
            found.extend(_validated(normalized, index, lang))
        if readable[index]:
            found.extend(extra_problems(normalized.all[index], lang))
    return found


def _validated(documents: Documents, index: int, lang: Lang) -> list[Problem]:
    document = documents.all[index]
    resources = [
        replace(_problem(document, each), late=each.kind in _LATE)
        for each in resource_findings(document)
        if each.kind != "notice"
    ]
    return [*validate(documents, document, lang), *resources]


def notices(documents: Documents) -> list[Notice]:
    """List the fields that have no effect here, each field once however often it is used."""
    found: dict[tuple[str, str], Notice] = {}
    for document in documents.all:
        for each in _strict(document):
            if each.kind == "notice":
                key = (re.sub(r"\[\d+\]", "", each.path), each.message)
                found.setdefault(key, _notice(document, each))
    for document in documents.without_effect:
        key = (document.kind, "")
        message = f"a {document.kind} has no effect here"
        found.setdefault(key, Notice(path="", message=message, file=document.file, line=document.line))
    return list(found.values())


def warnings(documents: Documents, *, lang: Lang | None = None) -> list[Notice]:
    """List what is allowed, and rarely meant."""
    lang = lang or Lang.shared()
    return [each for document in _normalized(documents).all for each in pitfalls(document, lang)]


def _normalized(documents: Documents) -> Documents:
    def clean(document: Document) -> Document:
        body: Any = normal(document.body, document.kind) if document.kind in types() else document.body
        return replace(document, body=body)

    return Documents(all=tuple(clean(each) for each in documents.all))


def _strict(document: Document) -> list[Finding]:
    if document.kind not in KINDS:
        return []
    found = list(_version(document))
    if document.kind in ("ConfigMap", "Secret"):
        return [*found, *_config(document)]
    found += Strict(required=document.kind in _SPARK).check(document.body, document.kind)
    if document.kind in _SPARK and not any(each.kind in _LATE for each in found):
        found += _operator(document)
    return found


def _operator(document: Document) -> Iterator[Finding]:
    """Say what the operator of this machine cannot do with a SparkApplication, or with one that a schedule makes."""
    if document.kind == "SparkApplication":
        return operator_findings(document.body)
    application = {**document.body, "kind": "SparkApplication", "spec": document.body["spec"]["template"]}
    return operator_findings({**application, "apiVersion": KINDS["SparkApplication"]}, "spec.template")


def _version(document: Document) -> Iterator[Finding]:
    version, wanted = document.body.get("apiVersion"), KINDS[document.kind]
    if version != wanted:
        yield Finding(kind="version", path="apiVersion", message=f"of a {document.kind} is {wanted}, not {version}")


def _config(document: Document) -> Iterator[Finding]:
    """Check that the data of a ConfigMap or Secret are texts."""
    known = {"apiVersion", "kind", "metadata", "immutable", "data", "binaryData"}
    if document.kind == "Secret":
        known |= {"stringData", "type"}
    for name in document.body:
        if name not in known:
            yield Finding(kind="unknown", path=name, message=f'unknown field "{name}"')
    for name in ("data", "stringData", "binaryData"):
        yield from Strict().check(document.body.get(name), "{}string", name, answered=False)


def _problem(document: Document, finding: Finding) -> Problem:
    return Problem(
        path=finding.path,
        message=finding.message,
        file=document.file,
        line=document.line_of(finding.path),
        object=title(document),
    )


def _notice(document: Document, finding: Finding) -> Notice:
    return Notice(path=finding.path, message=finding.message, file=document.file, line=document.line_of(finding.path))
