"""What steps and tasks may refer to: inputs, and what other steps put out."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.local.engine.clock import show_time
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import compact, marshal, remarshal, squeeze
from pipelines.local.engine.nodes import SUCCEEDED, Node, Nodes
from pipelines.local.engine.specs import Json
from pipelines.local.engine.templating import Templating
from pipelines.local.lang import Lang, LangError


class Scope:
    """Names that resolve inside one template: texts (parameters) and artifacts."""

    def __init__(self, template: Json) -> None:
        inputs = template.get("inputs") or {}
        self.texts: dict[str, str] = {
            f"inputs.parameters.{p['name']}": p.get("value", "") for p in inputs.get("parameters") or []
        }
        self.artifacts: dict[str, Json] = {f"inputs.artifacts.{a['name']}": a for a in inputs.get("artifacts") or []}

    def add_outputs(self, prefix: str, outputs: Json | None) -> None:
        """Add what a step put out (`steps.X`, `tasks.X`), or what the workflow did (`workflow`)."""
        if not outputs:
            return
        if prefix != "workflow":
            if "result" in outputs:
                self.texts[f"{prefix}.outputs.result"] = outputs["result"]
            if "exitCode" in outputs:
                self.texts[f"{prefix}.exitCode"] = outputs["exitCode"]
        for parameter in outputs.get("parameters") or []:
            if "value" in parameter:
                self.texts[f"{prefix}.outputs.parameters.{parameter['name']}"] = parameter["value"]
        for artifact in outputs.get("artifacts") or []:
            self.artifacts[f"{prefix}.outputs.artifacts.{artifact['name']}"] = artifact

    def add_node(self, prefix: str, node: Node, nodes: Nodes) -> None:
        """Add what is known of a step's node; of a Retry node, its last attempt."""
        node = last_attempt(node, nodes) or node
        self.texts[f"{prefix}.id"] = node.id
        for name, moment in (("startedAt", node.started_at), ("finishedAt", node.finished_at)):
            if moment:
                self.texts[f"{prefix}.{name}"] = show_time(moment) or ""
        if node.phase:
            self.texts[f"{prefix}.status"] = node.phase
        if node.host:
            self.texts[f"{prefix}.hostNodeName"] = node.host
        self.add_outputs(prefix, node.outputs)

    def add_aggregate(self, prefix: str, children: list[Node], lang: Lang) -> None:
        """Add what the children of a loop put out, as JSON lists in the order of their index.

        Raises:
            LangError: a result is not JSON.
        """
        ordered = sorted((c for c in children if not c.hooked and not c.retried), key=lambda c: _index(c.name))
        if not children:
            return
        results, rows = [], []
        columns: dict[str, list[str]] = {}
        for node in ordered:
            if not node.outputs or node.phase != SUCCEEDED:
                continue
            parameters = {p["name"]: p.get("value", "") for p in node.outputs.get("parameters") or []}
            if parameters:
                rows.append(parameters)
                for name, value in parameters.items():
                    columns.setdefault(name, []).append(value)
            if "result" in node.outputs:
                results.append(_raw_json(node.outputs["result"], lang))
        self.texts[f"{prefix}.outputs.result"] = f"[{','.join(results)}]"
        self.texts[f"{prefix}.outputs.parameters"] = marshal(rows)
        for name, values in columns.items():
            self.texts[f"{prefix}.outputs.parameters.{name}"] = _json_list(values)

    def resolve_artifact(self, artifact: Json, templating: Templating) -> Json | None:
        """Return the artifact that `from` or `fromExpression` names; None if it names none.

        Raises:
            NodeProblem: it cannot be found.
        """
        if artifact.get("fromExpression"):
            found = self._artifact_expression(artifact["fromExpression"], templating)
        elif artifact.get("from"):
            tag = artifact["from"].removeprefix("{{").removesuffix("}}").strip()
            if tag.startswith("="):
                found = self._artifact_expression(tag[1:], templating)
            elif tag in self.artifacts:
                found = self.artifacts[tag]
            else:
                raise NodeProblem(f"Unable to resolve: {json.dumps(tag)}")
        else:
            return None
        found = copy.deepcopy(found)
        if artifact.get("subPath"):
            sub_path = templating.value(artifact["subPath"], self.texts)
            key = found.get("s3", {}).get("key", "")
            found["s3"] = {**found.get("s3", {}), "key": f"{key.rstrip('/')}/{sub_path}"}
        return found

    def _artifact_expression(self, expression: str, templating: Templating) -> Json:
        env: dict[str, Any] = {**self.texts, **self.artifacts}
        found = templating.lang.expr(expression, env, now=templating.clock.now())
        if not isinstance(found, dict):
            raise NodeProblem(f"Variable {{{{{expression}}}}} is not an artifact")
        return found

    def template_outputs(self, template: Json, templating: Templating) -> Json | None:
        """Work out the outputs that a steps or dag template declares; None if it declares none.

        Raises:
            NodeProblem: one cannot be resolved and has no default.
        """
        declared = template.get("outputs") or {}
        if not declared.get("parameters") and not declared.get("artifacts"):
            return None
        outputs: Json = {}
        parameters = [self._output_parameter(p, templating) for p in declared.get("parameters") or []]
        if parameters:
            outputs["parameters"] = parameters
        artifacts = [a for a in (self._output_artifact(a, templating) for a in declared.get("artifacts") or []) if a]
        if artifacts:
            outputs["artifacts"] = artifacts
        return outputs

    def _output_parameter(self, parameter: Json, templating: Templating) -> Json:
        source = parameter.get("valueFrom")
        if source is None:
            raise NodeProblem("output parameters must have a valueFrom specified")
        try:
            value = self._resolve_parameter(source, templating)
        except (NodeProblem, LangError):
            if "default" not in source:
                raise
            value = source["default"]
        return {**{key: item for key, item in parameter.items() if key != "valueFrom"}, "value": value}

    def _resolve_parameter(self, source: Json, templating: Templating) -> str:
        if source.get("expression"):
            env: dict[str, Any] = {**self.texts, **self.artifacts}
            return templating.lang.value(source["expression"], env, now=templating.clock.now()).text
        if not source.get("parameter"):
            return ""
        tag = source["parameter"].removeprefix("{{").removesuffix("}}").strip()
        if tag.startswith("="):
            return templating.lang.value(tag[1:], dict(self.texts), now=templating.clock.now()).text
        if tag not in self.texts:
            raise NodeProblem(f"Unable to resolve: {json.dumps(tag)}")
        return self.texts[tag]

    def _output_artifact(self, artifact: Json, templating: Templating) -> Json | None:
        try:
            found = self.resolve_artifact(artifact, templating)
        except NodeProblem as error:
            if "Unable to resolve" in str(error) and artifact.get("optional"):
                return None
            raise NodeProblem(f"unable to resolve outputs from scope: {error}") from error
        return {**found, "name": artifact["name"]} if found else None


def last_attempt(node: Node, nodes: Nodes) -> Node | None:
    """Return the last attempt of a Retry node that was not answered from a cache."""
    if node.type != "Retry" or (node.memoization or {}).get("hit"):
        return None
    for key in reversed(node.children):
        child = nodes.get(key)
        if child and not child.hooked:
            return child
    return None


def _index(name: str) -> int:
    """Return the loop index in a node's name: the number after its last opening parenthesis."""
    return int(name.rpartition("(")[2].partition(":")[0])


def _raw_json(text: str, lang: Lang) -> str:
    """Return a result as it goes into a list of results.

    Raises:
        LangError: it is not JSON.
    """
    try:
        json.loads(text)
    except ValueError:
        lang.items(text)
    return squeeze(text)


def _json_list(values: list[str]) -> str:
    """Join the values of one output: as JSON if all are lists or maps, else as texts."""
    for value in values:
        try:
            if not isinstance(json.loads(value), list | dict):
                return marshal(values)
        except ValueError:
            return marshal(values)
    return f"[{','.join(remarshal(value) for value in values)}]"


def refers_to_result(task: str, template: Mapping[str, Any]) -> bool:
    """Whether a dag or steps template uses the result of one of its tasks, so that it must be captured."""
    text = compact(template)
    kind = "tasks" if "dag" in template else "steps" if "steps" in template else ""
    quoted = rf"{kind}\[['\"]{task}['\"]\]\.outputs.result"
    return bool(re.search(rf"{kind}\.{task}\.outputs\.result", text) or re.search(quoted, text))
