"""Plain tags are substituted here exactly as the helper would do it."""

from __future__ import annotations

import pytest

from pipelines.local.engine.clock import VirtualClock
from pipelines.local.engine.templating import Templating
from pipelines.local.engine.tests.conftest import BEGIN
from pipelines.local.lang import Lang, LangError

VALUES = {"a": "x", "b": 'q"\\\n\té', "c": "", "d": "{{a}}", "e": "\x1b", "workflow.name": "w"}


@pytest.mark.parametrize(
    "template",
    [
        '"{{a}} {{ b }} {{c}}{{d}}"',
        '"{{unknown}} {{a}}"',
        '"{{a}"',
        '"{{{a}}}"',
        '"{{inputs.{{a}}}}"',
        "\"{{=a + '!'}} {{a}}\"",
        '{"k": ["{{workflow.name}}", "}}"]}',
    ],
)
def test_same_as_the_helper(template: str) -> None:
    """Whatever way a template takes, the result is the helper's."""
    lang = Lang.shared()
    templating = Templating(lang, VirtualClock(BEGIN))

    def outcome(allow: bool, *, here: bool) -> str:
        try:
            if here:
                return templating.text(template, VALUES, allow_unresolved=allow)
            return lang.replace(template, VALUES, allow)
        except LangError as error:
            return f"error: {error}"

    for allow in (True, False):
        assert outcome(allow, here=True) == outcome(allow, here=False)


def test_control_characters_break_a_template() -> None:
    """A value with an escape character makes invalid JSON, as in Argo."""
    templating = Templating(Lang.shared(), VirtualClock(BEGIN))
    with pytest.raises(LangError, match="invalid JSON"):
        templating.text('"{{e}}"', VALUES)
