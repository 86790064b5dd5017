"""What the documents promise exists: commands, options, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from grader.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/*.md",
        "runbooks/*.md",
        "adrs/*.md",
        "reflections/**/*.md",
        "pipelines/**/*.md",
        "cluster/*.md",
        "labs/*.md",
        "solutions/*.md",
    )
    for page in ROOT.glob(pattern)
)


def commands(page: Path) -> list[list[str]]:
    """Every `batchlab …` line in the fenced blocks of a page, as words, without what follows a comment sign."""
    blocks = re.findall(r"```\w*\n(.*?)```", page.read_text(), flags=re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    calls = []
    for line in words:
        while line and re.fullmatch(r"[A-Z_]+=\S*", line[0]):
            line.pop(0)
        if line and line[0].endswith("batchlab"):
            calls.append(line[1:])
    return calls


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    """A command in a document is one that the command line knows, with options that it takes."""
    for words in commands(page):
        command: click.Command = cli
        context = click.Context(cli)
        rest = list(words)
        while isinstance(command, click.Group) and rest:
            found = command.get_command(context, rest[0])
            assert found is not None, f"{page.name}: batchlab {' '.join(words)}: no command {rest[0]!r}"
            command, rest = found, rest[1:]
        known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        given = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
        assert given <= known | {"--help"}, f"{page.name}: batchlab {' '.join(words)}: unknown {given - known}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link or picture in a document is a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_make_verb_in_the_readme_exists() -> None:
    """`make X` in the README is a verb of the Makefile, and every verb says what it does."""
    makefile = (ROOT / "Makefile").read_text()
    verbs = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*## \w", makefile, flags=re.MULTILINE))
    used = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert used <= verbs
    assert verbs == explained
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == verbs


def test_every_runbook_and_record_is_listed() -> None:
    """The folders' front pages name every page beside them."""
    for folder in ("runbooks", "adrs"):
        front = (ROOT / folder / "README.md").read_text()
        for page in (ROOT / folder).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in front, page.name
