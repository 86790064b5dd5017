"""Loading manifests: YAML by Go's rules, lines for messages, one-line errors for what is no manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.manifest import from_text, load
from pipelines.local.manifest.goyaml import parse, scalar
from pipelines.local.manifest.normal import any_string

HELLO = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: hello}\nspec:\n  entrypoint: main\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("2013-03-10", "2013-03-10"),
        ("010", 8),
        ("08", 8),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1.10", 1.1),
        ("1.0", 1),
        (".5", 0.5),
        ("+1", 1),
        ("-", "-"),
        ("1.2.3", "1.2.3"),
        ("yes", True),
        ("y", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("None", "None"),
        ("9223372036854775808", 9223372036854775808),
        ("99999999999999999999", 10**20),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    """Plain scalars mean what they mean to kubectl and Argo, where PyYAML would make times, dates and texts of them."""
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_tags_quotes_and_merges() -> None:
    """Quoted scalars are texts, tags convert, `<<` merges without overwriting, keys become texts."""
    text = 'a: "12"\nb: !!str 12\nc: !!binary aGk=\nbase: &base {x: 1, y: 2}\nd: {<<: *base, x: 3}\n1: one\non: 2\n'
    (parsed,) = parse(text, "f")
    assert parsed.data["a"] == parsed.data["b"] == "12"
    assert parsed.data["c"] == "hi"
    assert parsed.data["d"] == {"x": 3, "true": 2}
    assert {"1", "true"} <= set(parsed.data)


def test_any_string() -> None:
    """A parameter's number becomes a text without exponent, a boolean a word."""
    assert [any_string(value) for value in (1.1, 1e21, 10**20, True, "x", [1])] == [
        "1.1", "1000000000000000000000", "100000000000000000000", "true", "x", "",
    ]  # fmt: skip


def test_several_documents_and_lines() -> None:
    """A file may hold several documents; each field's line is known, that of an absent field is its holder's."""
    config = "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: lake}\ndata: {a: b}\n---\n---\n"
    documents = from_text("# a comment\n" + HELLO + config)
    assert documents.workflows[0]["metadata"]["name"] == "hello"
    assert documents.configmaps[0]["data"] == {"a": "b"}
    hello, lake = documents.all
    assert (hello.line, lake.line) == (2, 8)
    assert hello.line_of("spec.entrypoint") == 6
    assert hello.line_of("spec.templates[0].container") == 5


def test_a_list_is_its_items() -> None:
    """`kind: List`, which kubectl writes, stands for its items."""
    documents = from_text("kind: List\nitems:\n- kind: Secret\n  metadata: {name: s}\n  data: {a: b}\n")
    assert documents.secrets[0]["metadata"]["name"] == "s"
    assert documents.all[0].line_of("data.a") == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "f.yaml:2: not YAML: "),
        ("a: b: c", "f.yaml:1: not YAML: "),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 'f.yaml:4: key "c" already set in map'),
        ("- a", "f.yaml:1: a manifest is a mapping, this is a list"),
        ("just text", "f.yaml:1: a manifest is a mapping, this is a text"),
        ("a: 1", "f.yaml:1: a manifest names its kind"),
        ("kind: Wokflow\n", "f.yaml:1: unknown kind Wokflow; known are ClusterWorkflowTemplate, "),
        ("kind: Workflow\nmetadata: x\n", "f.yaml:1: metadata is a mapping"),
        ("", "f.yaml: there is no manifest"),
        ("a: !thing x", "f.yaml:1: unknown tag !thing"),
        ("a: .nan", "f.yaml:1: .nan is no JSON value"),
        ("a: &x [*x]", "f.yaml:1: "),
        ("\x01", "f.yaml: not YAML: "),
        (HELLO + "---\n" + HELLO, 'f.yaml:7: duplicate Workflow found: "hello", first at f.yaml:1'),
    ],
)
def test_what_is_no_manifest(text: str, message: str) -> None:
    """Each is one line that begins with file and line."""
    with pytest.raises(BadInput) as caught:
        from_text(text, "f.yaml")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_aliases_do_not_explode() -> None:
    """A small file whose aliases stand for millions of values is refused."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(BadInput, match="aliases"):
        from_text("\n".join(lines))


def test_files_and_folders(tmp_path: Path) -> None:
    """A folder stands for its YAML files; what cannot be read is told."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yml").write_text(HELLO)
    (tmp_path / "notes.txt").write_text("not a manifest")
    (tmp_path / "b.json").write_text('{"kind": "ConfigMap", "metadata": {"name": "x"}}')
    assert [each.kind for each in load([tmp_path]).all] == ["ConfigMap", "Workflow"]
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        load([tmp_path / "nothing.yaml"])
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(BadInput, match="not UTF-8"):
        load([tmp_path / "latin.yaml"])
    with pytest.raises(BadInput, match="no YAML file in this folder"):
        load([tmp_path / "sub" / "a.yml", _empty(tmp_path)])


def _empty(folder: Path) -> Path:
    found = folder / "empty"
    found.mkdir()
    return found
