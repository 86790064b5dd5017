"""Strict reading: unknown fields, wrong types, and fields that this machine refuses or that have no effect here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.manifest.answers import Answer, rule
from pipelines.local.manifest.schema import Type, types

_QUANTITY = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
_GO = {
    "string": "string",
    "boolean": "bool",
    "integer": "int64",
    "int32": "int32",
    "int64": "int64",
    "number": "float64",
}
_KUBERNETES = re.compile(
    r"^(Container|Env|ConfigMap|Secret|Volume|Resource(Requirements|Claim)|Probe|Affinity|Toleration|Pod|Node|ObjectMeta)"
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about one field: `kind` is unknown, type, required, refused or notice."""

    kind: str
    path: str
    message: str


@dataclass(kw_only=True)
class Strict:
    """Checks one value against its type. `templated` says that texts may stand for anything (`{{…}}`)."""

    templated: Callable[[Any], bool] = lambda _: False
    required: bool = False
    found: list[Finding] = field(default_factory=list)

    def check(self, value: Any, type_name: str, path: str = "", *, answered: bool = True) -> list[Finding]:
        """Check a value of a type; `answered` also asks the table what this machine does with each field."""
        self._value(value, type_name, path, "", answered)
        return self.found

    def _add(self, kind: str, path: str, message: str) -> None:
        self.found.append(Finding(kind=kind, path=path, message=message))

    def _value(self, value: Any, type_name: str, path: str, owner: str, answered: bool) -> None:
        if value is None or self.templated(value):
            return
        if type_name.startswith("[]"):
            self._list(value, type_name, path, owner, answered)
        elif type_name.startswith("{}"):
            self._mapping(value, type_name, path, owner, answered)
        elif type_name in types():
            self._object(value, types()[type_name], path, owner, answered)
        elif not _fits(value, type_name):
            self._mismatch(value, type_name, path, owner)

    def _list(self, value: Any, type_name: str, path: str, owner: str, answered: bool) -> None:
        if not isinstance(value, list):
            self._mismatch(value, type_name, path, owner)
            return
        for index, each in enumerate(value):
            self._value(each, type_name[2:], f"{path}[{index}]", owner, answered)

    def _mapping(self, value: Any, type_name: str, path: str, owner: str, answered: bool) -> None:
        if not isinstance(value, Mapping):
            self._mismatch(value, type_name, path, owner)
            return
        for key, each in value.items():
            self._value(each, type_name[2:], f"{path}.{key}", owner, answered)

    def _object(self, value: Any, kind: Type, path: str, owner: str, answered: bool) -> None:
        if not isinstance(value, Mapping):
            self._mismatch(value, kind.name, path, owner)
            return
        for name, each in value.items():
            below = f"{path}.{name}" if path else name
            if name not in kind.fields:
                self._add("unknown", below, f'unknown field "{below}"')
                continue
            if each is None:
                continue
            known = self._answer(kind.name, name, below, answered)
            self._value(each, kind.fields[name], below, kind.name, known)
            if (
                name in kind.enums
                and isinstance(each, str)
                and not self.templated(each)
                and each not in kind.enums[name]
            ):
                choice = ", ".join(f'"{one}"' for one in kind.enums[name])
                self._add("type", below, f'Unsupported value: "{each}": supported values: {choice}')
        for name in sorted(kind.required) if self.required else ():
            if value.get(name) is None:
                self._add("required", f"{path}.{name}" if path else name, "Required value")

    def _answer(self, type_name: str, name: str, path: str, answered: bool) -> bool:
        """Tell what this machine does with the field; False where the fields below it have the same answer."""
        found = rule(type_name, name) if answered else None
        if found is None:
            return False
        if found.answer is Answer.REFUSED:
            self._add("refused", path, f"is not supported on this machine: {found.reason}")
        elif found.answer is Answer.NOTICE:
            self._add("notice", path, f"has no effect here: {found.reason}")
        return found.answer in (Answer.RUN, Answer.SIMULATE)

    def _mismatch(self, value: Any, type_name: str, path: str, owner: str) -> None:
        if type_name == "AnyString":
            self._add("notice", path, f"Argo takes an {_json_name(value)} for an empty text here: quote it")
            return
        self._add("type", path, mismatch(value, type_name, path, owner))


def _fits(value: Any, type_name: str) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match type_name:
        case "any" | "Item":
            return True
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "int64":
            return whole and -(2**63) <= value < 2**63
        case "int32":
            return whole and -(2**31) <= value < 2**31
        case "number":
            return whole or isinstance(value, float)
        case "IntOrString":
            return isinstance(value, str) or (whole and -(2**31) <= value < 2**31)
        case "AnyString":
            return isinstance(value, str | bool | int | float)
        case "Quantity":
            return whole or isinstance(value, float) or (isinstance(value, str) and bool(_QUANTITY.fullmatch(value)))
    return False


def mismatch(value: Any, type_name: str, path: str, owner: str) -> str:
    """Say that a value has the wrong type, as Go's JSON decoder does."""
    if type_name == "Quantity":
        return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    got = _json_name(value)
    if type_name in _GO and got == "number" and (isinstance(value, float) or "int" in _GO[type_name]):
        got = f"number {value}"
    if type_name == "IntOrString":
        return f"json: cannot unmarshal {got} into Go value of type {'int32' if 'number' in got else 'string'}"
    plain = re.sub(r"\[\d+\]", "", path)
    if re.search(r"\.steps\[\d+\]", path) and ".inline." not in path:
        owner = "Template"  # steps have a decoder of their own, which loses the name
    return f"json: cannot unmarshal {got} into Go struct field {owner}.{plain} of type {_go_name(type_name)}"


def _json_name(value: Any) -> str:
    names = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _go_name(type_name: str) -> str:
    if type_name.startswith("[]"):
        return "[]" + _go_name(type_name[2:])
    if type_name.startswith("{}"):
        return "map[string]" + _go_name(type_name[2:])
    if type_name in _GO:
        return _GO[type_name]
    if type_name == "any":
        return "interface {}"
    return f"v1.{type_name}" if _KUBERNETES.match(type_name) else f"v1alpha1.{type_name}"
