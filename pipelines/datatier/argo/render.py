"""YAML that people read: multi-line text as blocks, keys in the order that manifests have them."""

from __future__ import annotations

from typing import Any

import yaml

FIRST = (
    "apiVersion", "kind", "metadata", "name", "spec", "schedules", "timezone", "type", "mode", "sparkVersion",
    "entrypoint", "onExit", "depends", "when", "template", "templateRef", "inputs", "outputs", "image",
    "imagePullPolicy", "mainApplicationFile", "command", "action", "args", "arguments", "env", "sparkConf",
)  # fmt: skip
LAST = ("manifest", "retryStrategy", "templates", "status")


class _Dumper(yaml.SafeDumper):
    """A dumper with literal blocks and indented lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: dict[str, Any]) -> str:
    """Write one document."""
    return yaml.dump(_ordered(document), Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = [key for key in FIRST if key in value]
    last = [key for key in LAST if key in value]
    middle = [key for key in value if key not in first and key not in last]
    return {key: _ordered(value[key]) for key in (*first, *middle, *last)}
