"""DAG templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.local.manifest.depends import Depends, Task, result_problem, topological_order
from pipelines.local.manifest.lint.arguments import validate_arguments
from pipelines.local.manifest.lint.base import Json, Scope, Site, artifacts, parameters
from pipelines.local.manifest.lint.names import is_tag, name_problems
from pipelines.local.manifest.lint.scopes import items_in_scope, outputs_in_scope, resolve
from pipelines.local.manifest.lint.steps import not_a_leaf, with_inline_inputs


@dataclass(kw_only=True)
class _Dag:
    site: Site
    name: str
    tasks: list[Json]
    depends: Depends
    order: list[int]
    targets: dict[str, Json | None] = field(default_factory=dict)

    def report(self, message: str, below: str) -> None:
        self.site.report(f"templates.{self.name}{message}", below)

    def each(self) -> Iterator[tuple[Json, str, str]]:
        """Give each task in an order in which what it depends on comes first, its path and its messages' start."""
        for index in self.order:
            task = self.tasks[index]
            yield task, f".dag.tasks[{index}]", f".tasks.{task.get('name') or ''}"


def validate(site: Site, scope: Scope, template: Json) -> None:
    """Check the tasks of a template: their dependencies, then what each refers to."""
    not_a_leaf(site, template)
    tasks = template["dag"].get("tasks") or []
    depends = Depends(tasks)
    order, problem = topological_order(tasks, depends)
    dag = _Dag(site=site, name=template.get("name") or "", tasks=tasks, depends=depends, order=order)
    if not tasks:
        dag.report(" must have at least one task", ".dag")
        return
    if problem:
        dag.report(f" sorting failed: {problem}", ".dag.tasks")
    for cycle in dag.depends.cycles():
        dag.report(f".tasks dependency cycle detected: {'->'.join(cycle)}", ".dag.tasks")
    for index, problem in name_problems([tasks[index] for index in order], of_parameters=False):
        dag.report(f".tasks{problem}", f".dag.tasks[{order[index]}]")
    for task, path, label in dag.each():
        _structure(dag, task, path, label, scope)
    _targets(dag, template, scope)
    for task, path, label in dag.each():
        _task(dag, task, path, label, scope)


def _structure(dag: _Dag, task: Json, path: str, label: str, scope: Scope) -> None:
    """Check how a task stands among the others, and the template it refers to."""
    from pipelines.local.manifest.lint.template import validate_holder

    using_depends = any(each.get("depends") for each in dag.tasks)
    name, listed = task.get("name") or "", task.get("dependencies") or []
    if (using_depends or listed) and name[:1].isdecimal():
        message = f"{label} name cannot begin with a digit when using either 'depends' or 'dependencies'"
        dag.report(message, f"{path}.name")
    if using_depends and listed:
        dag.report(" cannot use both 'depends' and 'dependencies' in the same DAG template", path)
    if using_depends and task.get("continueOn") is not None:
        dag.report(
            " cannot use 'continueOn' when using 'depends'. Instead use 'dep-task.Failed'/'dep-task.Errored'",
            f"{path}.continueOn",
        )
    target = validate_holder(dag.site.at(path).after(f"templates.{dag.name}{label} "), task, None)
    dag.targets[name] = target
    outputs_in_scope(dag.site.v, target, f"tasks.{name}", scope, aggregate=_loops(task))
    if problem := result_problem(task):
        dag.report(f"{label} {problem}", f"{path}.depends")
    for other, of_items in dag.depends.of(name).items():
        target_task = dag.depends.tasks.get(other)
        if target_task is None:
            dag.report(f"{label} dependency '{other}' not defined", path)
        elif of_items and not _loops(target_task) and target_task.get("withSequence") is None:
            what = "an items-based condition such as .AnySucceeded or .AllFailed but does not contain any items"
            dag.report(f".tasks.{other} dependency '{other}' uses {what}", f"{path}.depends")


def _loops(task: Task) -> bool:
    return bool(task.get("withItems") or task.get("withParam"))


def _targets(dag: _Dag, template: Json, scope: Scope) -> None:
    target = template["dag"].get("target") or ""
    resolve(dag.site.at(".dag.target").after(f"templates.{dag.name}.targets "), scope, target)
    for name in target.split(" ") if target else ():
        if not is_tag(name) and name not in dag.depends.tasks:
            dag.report(f".targets: target '{name}' is not defined", ".dag.target")


def _task(dag: _Dag, task: Json, path: str, label: str, scope: Scope) -> None:
    """Check what a task takes from the tasks before it."""
    from pipelines.local.manifest.lint.template import validate_holder

    v, site = dag.site.v, dag.site.at(path)
    name = task.get("name") or ""
    target = dag.targets.get(name)
    if task.get("hooks") is not None:
        scope[f"tasks.{name}.status"] = ""
    outputs_in_scope(v, target, f"tasks.{name}", scope)
    own = with_inline_inputs(v, task, scope)
    ancestors = dag.depends.ancestors(name)
    for other in ancestors:
        loops = _loops(dag.depends.tasks.get(other, {}))
        outputs_in_scope(v, dag.targets.get(other), f"tasks.{other}", own, aggregate=loops, ancestor=True)
    for problem in items_in_scope(task, own):
        dag.report(f"{label} {problem}", path)
    inside = site.after(f"templates.{dag.name}{label} ")
    resolve(inside, own, task)
    arguments = task.get("arguments")
    validate_arguments(site.at(".arguments"), arguments, f"templates.{dag.name}{label}.arguments.")
    _argument_dependencies(inside.at(".arguments"), arguments, ancestors)
    if target is not None:
        validate_holder(inside, task, arguments or {})


def _argument_dependencies(site: Site, arguments: Json | None, ancestors: set[str]) -> None:
    for kind, source, listed in (
        ("parameter", "value", parameters(arguments)),
        ("artifact", "from", artifacts(arguments)),
    ):
        for index, each in enumerate(listed):
            text = str(each.get(source) or "")
            other = text.split(".")[1] if text.startswith("{{tasks.") else ""
            if text.startswith("{{tasks.") and other not in ancestors:
                site.report(f"missing dependency '{other}' for {kind} '{each.get('name')}'", f".{kind}s[{index}]")
