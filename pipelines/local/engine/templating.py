"""Substitution of tags in manifests: plain tags here, everything else by Argo's own libraries in the language helper.

Most tags are plain (`{{inputs.parameters.x}}`) and most values are plain text; answering those here saves a message to
the helper for each of them. Whatever is not plainly simple goes to the helper, so both ways give the same result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.local.engine.clock import Clock
from pipelines.local.engine.gojson import compact
from pipelines.local.lang import Lang

_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
VOLATILE = ("workflow.duration", "workflow.status", "workflow.failures")


class Templating:
    """Substitutes tags; expressions see the run's clock."""

    def __init__(self, lang: Lang, clock: Clock) -> None:
        self.lang = lang
        self.clock = clock

    def text(self, template: str, values: Mapping[str, str], *, allow_unresolved: bool = True) -> str:
        """Substitute tags in JSON text.

        Raises:
            LangError: a tag could not be resolved, or the result is not JSON.
        """
        if "{{" not in template:
            return template
        done = _simple(template, values, allow_unresolved=allow_unresolved)
        if done is not None:
            return done
        return self.lang.replace(template, _texts(values), allow_unresolved, now=self.clock.now())

    def value(self, value: Any, values: Mapping[str, str], *, allow_unresolved: bool = True) -> Any:
        """Substitute tags in a JSON value; returns a new value (or the same one where it has no tag)."""
        template = compact(value)
        if "{{" not in template:
            return value
        return json.loads(self.text(template, values, allow_unresolved=allow_unresolved))

    def plain(self, text: str, values: Mapping[str, str]) -> str:
        """Substitute every tag of a text that is no JSON."""
        return self.lang.substitute(text, _texts(values), False, now=self.clock.now())


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    return dict(values)


def _simple(template: str, values: Mapping[str, str], *, allow_unresolved: bool) -> str | None:
    """Substitute where every tag is a plain name with a plain value; None where the helper must answer."""
    pieces = template.split("{{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        tag, closed, rest = piece.partition("}}")
        if not closed or tag.startswith("="):
            return None
        value = values.get(tag.strip())
        if value is None:
            if not allow_unresolved:
                return None
            out.append("{{" + tag + "}}")
        elif _ODD.search(value) or not (value.isascii() or value.replace("\n", "").replace("\t", "").isprintable()):
            return None
        else:
            out.append(value.translate(_ESCAPES))
        out.append(rest)
    return "".join(out)
