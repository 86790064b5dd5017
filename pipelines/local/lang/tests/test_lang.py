"""The small languages behave as the libraries that Argo uses: facts that are easy to get wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipelines.local.lang import Lang, LangError, fnv32a, quote_json


@pytest.fixture(scope="module")
def lang() -> Iterator[Lang]:
    """Give the shared client."""
    yield Lang.shared()
    Lang.shared().close()


def _refusal(call: object, *arguments: object, **named: object) -> str:
    assert callable(call)
    with pytest.raises(LangError) as caught:
        call(*arguments, **named)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{{foo}} {{ foo }}", {"foo": "bar"}, "bar bar"),
        ("{{foo}}", {}, "{{foo}}"),
        ("{{= foo }}", {"foo": 'a"b'}, 'a"b'),
        ("{{=asInt(n) + 1}}", {"n": "41"}, "42"),
        ("{{=nope}}", {}, "{{=nope}}"),
        ("{{=sprig.int(retries)}}", {}, "{{=sprig.int(retries)}}"),
        ("{{=retries ?? 'none'}}", {}, "{{=retries ?? 'none'}}"),
        ("{{=workflow.status == 'Failed' ? 'bad' : 'good'}}", {}, "{{=workflow.status == 'Failed' ? 'bad' : 'good'}}"),
        ("{{='workflow.status' + ''}}", {}, "workflow.status"),
        ("{{=a.b < 'c' && true}}", {"a": "gone", "a.b": "b"}, "true"),
        ("{{=toJson([1, '2', {an: 'object'}])}}", {}, '[1,"2",{"an":"object"}]'),
        ("{{=jsonpath(doc, '$.a[1]')}}", {"doc": '{"a": [1, "x"]}'}, "x"),
        ("{{=sprig.trunc(5, m)}}", {"m": "hello world"}, "hello"),
        ("{{=1 + \n1}}", {}, "2"),
        ("{{- with {{ {{ }} secret {{m}} -}}", {"m": "s"}, "{{- with {{ {{ }} secret s -}}"),
        ("{{größe}}", {"größe": "ß\t"}, "ß\t"),
    ],
)
def test_replace(lang: Lang, text: str, values: dict[str, str], expected: str) -> None:
    """Tags are substituted inside JSON; what has no value yet stays."""
    template = json.dumps({"v": text}, ensure_ascii=False)
    assert json.loads(lang.replace(template, values, allow_unresolved=True)) == {"v": expected}


def test_replace_sees_html_escapes_of_go(lang: Lang) -> None:
    """An expression whose `>` came through Go's JSON as an escape is the same expression."""
    assert lang.replace(r'"{{=2 \u003e 1 \u0026\u0026 true}}"', {}, allow_unresolved=False) == '"true"'


def test_replace_refuses(lang: Lang) -> None:
    """Where every tag must have a value, the first that has none is named."""
    assert _refusal(lang.replace, '"{{foo}}"', {}, False) == "failed to resolve {{foo}}"
    assert _refusal(lang.replace, '"{{=foo}}"', {}, False) == (
        "failed to evaluate expression: unknown name foo (1:1)\n | foo\n | ^"
    )
    assert _refusal(lang.replace, "{{foo}}", {}, False) == "cannot do template replacements with invalid JSON"
    assert "Cannot find end tag" in _refusal(lang.replace, '"{{foo"', {}, True)


@pytest.mark.parametrize("value", ["\x1b[0m", "\a", "\x7f", b"\xff".decode(errors="surrogateescape"), "\ud800"])
def test_values_that_break_json(lang: Lang, value: str) -> None:
    """Control characters and invalid UTF-8 cannot go into a template: Go quotes them in a way that JSON has not."""
    message = "cannot finish template replacement because the result was invalid JSON"
    assert _refusal(lang.replace, '"{{foo}}"', {"foo": value}, True) == message


def test_replace_many_answers_each(lang: Lang) -> None:
    """One template's refusal does not hide the other's result."""
    good, bad = lang.replace_many(['"{{a}}"', '"{{b}}"'], {"a": "1"}, allow_unresolved=False)
    assert good == '"1"'
    assert isinstance(bad, LangError)
    assert bad.message == "failed to resolve {{b}}"


def test_substitute_and_tags(lang: Lang) -> None:
    """Plain text needs no JSON around it, and its tags can be listed."""
    assert lang.substitute("x-{{a}}", {"a": "1"}, allow_unresolved=False) == "x-1"
    assert [(tag.text, tag.expression) for tag in lang.tags("{{a}} {{=b > c}} {{ d }}")] == [
        ("a", False),
        ("b > c", True),
        (" d ", False),
    ]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", True),
        ("heads == heads", True),
        ("5 == 5.0", True),
        ('"5" == 5', False),
        ("True == true", False),
        ("foobar =~ oba", True),
        ("a in (a, b)", True),
        ("'my-value' == 'my-value'", True),
        ("(a == b) || !(c == d) && 2 > 1", True),
    ],
)
def test_when(lang: Lang, when: str, expected: bool) -> None:
    """`when` is govaluate in which bare words are strings."""
    assert lang.should_execute(when) is expected


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("my-value == my-value", "Value 'my' cannot be used with the modifier '-', it is not a number"),
        ("v1.2 == v1.2", "No parameter 'v1' found."),
        ("a/b == a/b", "Value 'a' cannot be used with the modifier '/', it is not a number"),
        (" == a", "Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]"),
        ("{{x}} == a", "Invalid token: '{{' (hint: try wrapping the affected expression in quotes (\"))"),
        ("not true", "Cannot transition token types from VARIABLE [not] to BOOLEAN [true]"),
        ("1 + 1", "Expected boolean evaluation for '1 + 1'. Got 2"),
    ],
)
def test_when_errors(lang: Lang, when: str, message: str) -> None:
    """What looks harmless in `when` and is an error, with Argo's words."""
    assert _refusal(lang.should_execute, when).endswith(message)


def test_depends(lang: Lang) -> None:
    """Names with a minus work; a word that is no task, and a result that does not exist, are errors."""
    tasks = {"a-1": {"Succeeded": True}, "b": {"Failed": True}}
    assert lang.depends("a-1.Succeeded && !b.Succeeded", tasks) is True
    assert lang.depends("b.AllFailed", tasks) is False
    assert _refusal(lang.depends, "c.Succeeded", tasks).startswith(
        "unable to evaluate expression 'c.Succeeded': unknown name c"
    )
    assert "type controller.TaskResults has no field Foo" in _refusal(lang.depends, "b.Foo", tasks)


def test_expr(lang: Lang) -> None:
    """An expression's value has a JSON form and the form in which Argo writes it into a parameter."""
    value = lang.value("{a: [1, 'x'], b: steps.one.outputs.result}", {"steps.one.outputs.result": "r"})
    assert value.value == {"a": [1, "x"], "b": "r"}
    assert value.text == "map[a:[1 x] b:r]"
    assert lang.expr("sprig.now", {}) is None, "a function has no JSON form"
    assert lang.expr_bool("asInt(lastRetry.exitCode) > 1", {"lastRetry.exitCode": "-1"}) is False
    assert _refusal(lang.expr_bool, "'text'", {}) == "unable to cast expression result 'text' to bool"
    assert "unknown name env" in _refusal(lang.expr, "sprig.env('HOME') + env", {})


def test_virtual_now(lang: Lang) -> None:
    """With a virtual clock, expressions see its time."""
    now = datetime(2013, 3, 10, 6, 30, tzinfo=UTC)
    assert lang.expr("now().Format('2006-01-02')", {}, now=now) == "2013-03-10"
    assert lang.replace("\"{{=sprig.date('15:04', now())}}\"", {}, allow_unresolved=False, now=now) == '"06:30"'
    assert lang.replace('"{{=sprig.ago(sprig.now())}}"', {}, allow_unresolved=False, now=now) == '"0s"'


def test_items(lang: Lang) -> None:
    """Loop items: mappings sorted in names, no parentheses, strings keep their escapes, lists as Go prints them."""
    items = lang.items(r'["a(b)", {"k": "v", "a": [1]}, [1, "x"], true, 1e3, "q\"<"]')
    assert [item.suffix for item in items] == [
        "(0:ab)", "(1:a:[1],k:v)", "(2:[1 x])", "(3:true)", "(4:1e3)", '(5:q\\"<)',
    ]  # fmt: skip
    assert items[1].values == {"item": '{"a":[1],"k":"v"}', "item.k": "v", "item.a": "[1]"}
    assert items[5].values == {"item": 'q\\"<'}
    message = "json: cannot unmarshal object into Go value of type []v1alpha1.Item"
    assert _refusal(lang.items, '{"a": 1}') == message
    assert _refusal(lang.items, "oops") == "invalid character 'o' looking for beginning of value"


def test_sequence(lang: Lang) -> None:
    """Sequences go up and down, both ends included; a count of zero is empty."""
    assert [i.values["item"] for i in lang.sequence(start="3", end="1", fmt="%02x")] == ["03", "02", "01"]
    assert [i.values["item"] for i in lang.sequence(start="5", count="2")] == ["5", "6"]
    assert lang.sequence(count="0") == []
    assert _refusal(lang.sequence, count="{{n}}") == 'strconv.Atoi: parsing "{{n}}": invalid syntax'


def test_conditions(lang: Lang) -> None:
    """Any failure clause fails and comes first; all success clauses are needed; a missing path satisfies `!=`."""
    app = {"status": {"state": "FAILED", "conditions": [{"type": "Ready"}]}}
    assert lang.conditions(app, "status.state", "status.state == FAILED, x == y") == (
        None,
        "failure condition '{status.state == [FAILED]}' evaluated true",
    )
    assert lang.conditions(app, "status.state in (COMPLETED)", "status.state == COMPLETED") == (None, None)
    assert lang.conditions(app, "status.conditions.0.type = Ready, status.state", "")[0] is not None
    assert lang.conditions(app, "", "status.gone != x")[1] == "failure condition '{status.gone != [x]}' evaluated true"
    assert lang.conditions(app, "", "status.state == COMPLETED")[0] is not None, "no success condition: at once"
    assert _refusal(lang.conditions, app, "status.state >= 3", "").startswith(
        "success condition 'status.state >= 3' failed to parse: "
    )


def test_queries(lang: Lang) -> None:
    """JSONPath prints as kubectl does, jq one result per line, gjson nothing for what is not there."""
    app = {"status": {"a": [1, 2.5], "b": {"c": "x"}}}
    assert lang.jsonpath(app, "{.status.a[*]} {.status.b} {.nope}") == '1 2.5 {"c":"x"} '
    assert lang.jsonpath(app, ".status.a") == ".status.a"
    assert lang.jq(app, ".status.a[], .status.b.c") == "1\n2.5\nx"
    assert lang.gjson(app, "status.a.#") == "2"
    assert lang.gjson(app, "status.z") == ""
    assert lang.selector("app in (x, y), !old", {"app": "x"}) is True


def _times(lang: Lang, schedule: str, zone: str, first: str, last: str) -> list[str]:
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return [f"{time:%m-%dT%H:%M}" for time in lang.cron_times(schedule, zone, start, end)]


def test_cron_times(lang: Lang) -> None:
    """A local time that the clock change skips does not fire; one that comes twice fires twice; start is included."""
    spring = ("2013-03-09T00:00:00-05:00", "2013-03-12T00:00:00-04:00")
    autumn = ("2013-11-03T00:00:00-04:00", "2013-11-04T00:00:00-05:00")
    assert _times(lang, "30 2 * * *", "America/New_York", *spring) == ["03-09T07:30", "03-11T06:30"]
    assert _times(lang, "30 1 * * *", "America/New_York", *autumn) == ["11-03T05:30", "11-03T06:30"]
    assert _times(lang, "@daily", "", "2013-01-01T00:00:00Z", "2013-01-02T00:00:00Z") == ["01-01T00:00"]
    assert _refusal(lang.cron_check, "0 0 * * 7") == "end of range (7) above maximum (6): 7"
    assert _refusal(lang.timezone_check, "America/Nowhere") == "unknown time zone America/Nowhere"


def test_cron_conditions(lang: Lang) -> None:
    """A CronWorkflow's `when` sees its last time; numbers work in expressions only; bare words are not strings here."""
    now = datetime(2013, 3, 10, 6, 30, tzinfo=UTC)
    never = "{{= cronworkflow.lastScheduledTime == nil }}"
    since = "{{= (now() - cronworkflow.lastScheduledTime).Seconds() > 30 }}"
    assert lang.cron_when(never, {"lastScheduledTime": None}, now=now) is True
    assert lang.cron_when(since, {"lastScheduledTime": "2013-03-10T06:29:50Z"}, now=now) is False
    assert lang.cron_when("{{= cronworkflow.failed }} < 3", {"failed": 2}) is True
    message = "failed to resolve {{cronworkflow.failed}} to string"
    assert _refusal(lang.cron_when, "{{cronworkflow.failed}} < 3", {"failed": 2}) == message
    assert _refusal(lang.cron_when, "a == a", {}) == "No parameter 'a' found."
    assert lang.cron_stop("cronworkflow.failed >= 3", {"failed": 3}) is True
    assert _refusal(lang.cron_stop, "failed >= 3", {"failed": 3}).startswith("failed to evaluate stop expression: ")


def test_durations(lang: Lang) -> None:
    """Bare numbers are seconds, units are Go's."""
    assert [lang.duration(text) for text in ("90", "1m30s", "0.5h", "100ms")] == [90, 90, 1800, 0.1]
    assert _refusal(lang.duration, "1 day").startswith("unable to parse 1 day as a duration: ")


def test_functions_of_go() -> None:
    """Hash and quoting are Go's."""
    assert fnv32a("hello") == 1335831723
    assert quote_json({"b": "<é>", "a": 1}) == '{"a":1,"b":"\\u003cé\\u003e"}'
