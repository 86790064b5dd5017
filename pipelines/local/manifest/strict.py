"""Strict reading: unknown fields, wrong types, and fields that this machine refuses or that have no effect here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.local.manifest.answers import Answer, rule
from pipelines.local.manifest.gotypes import embedded, json_name, mismatch, openapi_mismatch
from pipelines.local.manifest.schema import Type, types

_QUANTITY = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about one field: `kind` is unknown, type, required, refused, notice or version."""

    kind: str
    path: str
    message: str


@dataclass(frozen=True, kw_only=True)
class _Spot:
    """Where a value stands: its path, Go's path and struct, and whether the table is asked about what is below."""

    path: str
    go: str = ""
    owner: str = ""
    answered: bool = True

    def of(self, type_name: str, name: str) -> _Spot:
        dot = "." if self.path else ""
        go = f"{self.go}{dot}{embedded(type_name, name)}{name}"
        return replace(self, path=f"{self.path}{dot}{name}", go=go, owner=type_name)


@dataclass(kw_only=True)
class Strict:
    """Checks one value against its type. `templated` says that texts may stand for anything (`{{…}}`)."""

    templated: Callable[[Any], bool] = lambda _: False
    required: bool = False
    found: list[Finding] = field(default_factory=list)

    def check(self, value: Any, type_name: str, path: str = "", *, answered: bool = True) -> list[Finding]:
        """Check a value of a type; `answered` also asks the table what this machine does with each field."""
        self._value(value, type_name, _Spot(path=path, go=path, answered=answered))
        return self.found

    def _add(self, kind: str, path: str, message: str) -> None:
        self.found.append(Finding(kind=kind, path=path, message=message))

    def _value(self, value: Any, type_name: str, spot: _Spot) -> None:
        if value is None or self.templated(value):
            return
        if type_name.startswith("[]") and isinstance(value, list):
            for index, each in enumerate(value):
                self._value(each, type_name[2:], replace(spot, path=f"{spot.path}[{index}]"))
        elif type_name.startswith("{}") and isinstance(value, Mapping):
            for key, each in value.items():
                self._value(each, type_name[2:], replace(spot, path=f"{spot.path}.{key}"))
        elif type_name in types() and isinstance(value, Mapping):
            self._object(value, types()[type_name], spot)
        elif not _fits(value, type_name):
            self._mismatch(value, type_name, spot)

    def _object(self, value: Mapping[str, Any], kind: Type, spot: _Spot) -> None:
        for name, each in value.items():
            below = spot.of(kind.name, name)
            if name not in kind.fields:
                step = kind.name == "WorkflowStep"  # whose own decoder knows no paths
                text = f'json: unknown field "{name}"' if step else f'unknown field "{below.path}"'
                self._add("unknown", below.path, text)
            elif each is not None:
                below = replace(below, answered=self._answer(kind.name, name, below))
                self._value(each, kind.fields[name], below)
                self._choice(each, kind.enums.get(name, ()), below.path)
        for name in sorted(kind.required) if self.required else ():
            if value.get(name) is None:
                self._add("required", spot.of(kind.name, name).path, "Required value")

    def _choice(self, value: Any, choice: tuple[str, ...], path: str) -> None:
        if choice and isinstance(value, str) and value not in choice and not self.templated(value):
            listed = ", ".join(f'"{one}"' for one in choice)
            self._add("type", path, f'Unsupported value: "{value}": supported values: {listed}')

    def _answer(self, type_name: str, name: str, spot: _Spot) -> bool:
        """Tell what this machine does with the field; False where the fields below it have the same answer."""
        found = rule(type_name, name) if spot.answered else None
        if found is None:
            return False
        if found.answer is Answer.REFUSED:
            self._add("refused", spot.path, f"is not supported on this machine: {found.reason}")
        elif found.answer is Answer.NOTICE:
            self._add("notice", spot.path, f"has no effect here: {found.reason}")
        return found.answer in (Answer.RUN, Answer.SIMULATE)

    def _mismatch(self, value: Any, type_name: str, spot: _Spot) -> None:
        if type_name == "AnyString":
            self._add("notice", spot.path, f"Argo takes an {json_name(value)} for an empty text here: quote it")
            return
        of_spark = spot.owner.startswith(("SparkApplication", "ScheduledSparkApplication")) and type_name != "Quantity"
        text = openapi_mismatch(value, type_name, spot.path) if of_spark else ""
        self._add("type", spot.path, text or mismatch(value, type_name, spot.owner, spot.go))


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
