"""Finding templates: by name in the workflow, by reference in WorkflowTemplates, or inline."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.nodes import Node
from pipelines.local.engine.specs import Json, by_name, template_type


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls a template: a step, a task, a hook, or a node made earlier.

    `kind` is `step`, `task` or `node`; hooks and the entrypoint count as steps without a name, as in Argo.
    """

    kind: str
    name: str = ""
    template: str = ""
    ref: Json | None = None
    inline: Json | None = None

    @classmethod
    def of(cls, kind: str, holder: Mapping[str, Any]) -> Caller:
        """Take the caller's part out of a step, task or hook."""
        return cls(
            kind=kind,
            name=holder.get("name", ""),
            template=holder.get("template", ""),
            ref=holder.get("templateRef"),
            inline=holder.get("inline"),
        )

    @classmethod
    def of_node(cls, node: Node) -> Caller:
        """Call again what a node was made from; nodes do not keep inline templates."""
        return cls(kind="node", name=node.name, template=node.template_name, ref=node.template_ref)


class Templates:
    """Every template that a run can reach, and the copies it stored of foreign ones."""

    def __init__(self, spec_templates: list[Json], library: Mapping[str, Json], stored: dict[str, Json]) -> None:
        self._own = {template["name"]: template for template in reversed(spec_templates) if "name" in template}
        self._library = library
        self.stored = stored

    def root(self, workflow_name: str) -> Scope:
        """Return the scope of the workflow itself."""
        return Scope(templates=self, name=f"local/{workflow_name}")

    def scope(self, name: str) -> Scope:
        """Return the scope that a node remembers (`local/…`, `namespaced/NAME`)."""
        return Scope(templates=self, name=name or "local/")

    def library(self, name: str) -> Json:
        """Return a WorkflowTemplate.

        Raises:
            NodeProblem: there is none of that name.
        """
        if name not in self._library:
            raise NodeProblem(f"workflow template {name} not found")
        return self._library[name]

    def local(self, name: str) -> Json | None:
        """Return a template by its bare name: the workflow's own, else a stored one of that name."""
        found = self._own.get(name)
        return found or next((template for template in self.stored.values() if template.get("name") == name), None)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where a bare template name is looked up."""

    templates: Templates
    name: str

    @property
    def is_local(self) -> bool:
        """Whether it is the workflow itself."""
        return self.name.startswith("local/")

    def resolve(self, caller: Caller) -> tuple[Scope, Json]:
        """Return the scope inside the called template, and the template (not to be changed).

        Raises:
            NodeProblem: it cannot be found.
        """
        key = self._stored_key(caller)
        template = self.templates.stored.get(key) if key else None
        if template is None:
            template = self._find(caller)
            if key:
                self.templates.stored[key] = copy.deepcopy(template)
            self._store_inline(template)
        if not template_type(template):
            raise NodeProblem(f"template '{template.get('name', '')}' type is unknown")
        return self._inner(caller), template

    def _inner(self, caller: Caller) -> Scope:
        return Scope(templates=self.templates, name=f"namespaced/{caller.ref['name']}") if caller.ref else self

    def _find(self, caller: Caller) -> Json:
        if caller.inline is not None:
            return caller.inline
        if caller.ref is not None:
            name, wanted = caller.ref["name"], caller.ref.get("template", "")
            found = by_name(self.templates.library(name).get("spec", {}).get("templates"), wanted)
            if found is None:
                raise NodeProblem(f"template {wanted} not found in workflow template {name}")
            return found
        if not caller.template:
            raise NodeProblem("failed to get a template")
        found = self._by_name(caller.template)
        if found is None:
            raise NodeProblem(f"template {caller.template} not found")
        return found

    def _by_name(self, name: str) -> Json | None:
        if self.is_local:
            return self.templates.local(name)
        library = self.templates.library(self.name.partition("/")[2])
        return by_name(library.get("spec", {}).get("templates"), name)

    def _stored_key(self, caller: Caller) -> str:
        if caller.ref is not None:
            return f"namespaced/{caller.ref['name']}/{caller.ref.get('template', '')}"
        if self.is_local:
            return ""
        return f"{self.name}/inline/{caller.name}" if caller.inline is not None else f"{self.name}/{caller.template}"

    def _store_inline(self, template: Json) -> None:
        """Keep inline templates of foreign templates, so that they are found again by their caller's name."""
        if self.is_local:
            return
        steps = [step for group in template.get("steps", []) for step in group]
        for holder in [*steps, *template.get("dag", {}).get("tasks", [])]:
            if holder.get("inline") is not None:
                self.templates.stored.setdefault(f"{self.name}/inline/{holder.get('name', '')}", holder["inline"])
