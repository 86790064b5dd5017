"""Reads YAML as Argo and kubectl do (YAML 1.1 by the rules of their Go library), keeping line numbers."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

import yaml

from pipelines.local.errors import BadInput

_PLAIN = "!plain"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INT = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_PREFIX = "tag:yaml.org,2002:"
_MAX_NODES = 200_000


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes only; a plain scalar without a tag is marked, for PyYAML's own rules are not Go's."""

    yaml_implicit_resolvers: ClassVar[dict[Any, Any]] = {None: [(_PLAIN, re.compile(r"(?s).*"))]}


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """One document: its data, and the line (from 1) of each path like `spec.templates[0].name`."""

    data: Any
    line: int
    lines: dict[str, int]


def scalar(text: str) -> Any:
    """Give the value of a plain scalar: 08 and 1e3 are numbers, 12:30 and 2013-03-10 are texts, y and on are true."""
    if text in _WORDS:
        return _WORDS[text]
    if not text or text[0] not in "+-.0123456789":
        return text
    plain = text.replace("_", "") if text[0] != "." else text
    if match := _INT.fullmatch(plain):
        sign, *forms = match.groups()
        digits, base = next((d, b) for d, b in zip(forms, (16, 2, 8, 10), strict=True) if d is not None)
        number = int(sign + digits, base)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        if value in (float("inf"), float("-inf")):
            return text
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    return text


def parse(text: str, file: str) -> Iterator[Parsed]:
    """Read every document of a file that is not empty.

    Raises:
        BadInput: it is not YAML, has a key twice, or something that JSON has not.
    """
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                reader = _Reader(file=file)
                data = reader.value(node, "")
                if data is not None:
                    yield Parsed(data=data, line=node.start_mark.line + 1, lines=reader.lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise BadInput(f"not YAML: {error.problem or error.context}", where=where) from error
    except yaml.YAMLError as error:
        raise BadInput(f"not YAML: {' '.join(str(error).split())}", where=file) from error


@dataclass(kw_only=True)
class _Reader:
    file: str
    lines: dict[str, int] = field(default_factory=dict)
    count: int = 0
    open: list[int] = field(default_factory=list)

    def value(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if self.count > _MAX_NODES:
            self._refuse(node, f"more than {_MAX_NODES} values once its aliases are expanded")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self.open:
            self._refuse(node, "an alias that contains itself")
        self.open.append(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(each, f"{path}[{i}]") for i, each in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self.open.pop()

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.value == "<<" and key.tag == _PLAIN:
                for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(each, yaml.MappingNode):
                        self._refuse(value, "map merge requires map or sequence of maps as the value")
                    merged = {**self._mapping(each, path), **merged}
                continue
            name = self._key(key)
            if name in own:
                self._refuse(key, f'key "{name}" already set in map')
            below = f"{path}.{name}" if path else name
            self.lines[below] = key.start_mark.line + 1
            own[name] = self.value(value, below)
        return {**merged, **own}

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, "a key must be a text")
        key = self._scalar(node)
        if key is None:
            self._refuse(node, "a key must not be null")
        return str(key).lower() if isinstance(key, bool) else str(key)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text, tag = node.value, node.tag.removeprefix(_PREFIX)
        if tag == _PLAIN or (tag in ("int", "float", "bool", "null")):
            if _NOT_JSON.fullmatch(text):
                self._refuse(node, f"{text} is no JSON value")
            return scalar(text)
        if tag == "binary":
            try:
                return base64.b64decode(text).decode("utf-8", "replace")
            except binascii.Error:
                self._refuse(node, "!!binary value contains invalid base64 data")
        if tag not in ("str", "timestamp"):
            self._refuse(node, f"unknown tag {node.tag}")
        return text

    def _refuse(self, node: yaml.Node, what: str) -> NoReturn:
        raise BadInput(what, where=f"{self.file}:{node.start_mark.line + 1}")
