"""What the documents promise exists: commands, options, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from grader.checks.catalog import CHECKS
from grader.cli import cli
from grader.prove.cases import MUTANTS

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


LABS = sorted(ROOT.glob("solutions/*/lab.py"))


def said(text: str) -> list[list[str]]:
    """Every command that a lab has people run: in its cells, and between backquotes in its text."""
    cells = re.findall(r"""batchlab\(\s*f?("{1,3}|'{1,3})(.*?)\1""", text, flags=re.DOTALL)
    quoted = re.findall(r"`batchlab ([^`\n]+)`", text)
    return [shlex.split(words) for words in [*(words for _, words in cells), *quoted]]


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
        assert unknown(words) == "", page.name


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.parent.name)
def test_every_command_of_a_lab_exists_with_its_options(lab: Path) -> None:
    """The same for the cells and texts of the labs."""
    for words in said(lab.read_text()):
        assert unknown(words) == ""


def test_a_command_that_there_is_not_is_told() -> None:
    """A misspelt command, and a misspelt option, in a cell and in text."""
    text = 'batchlab("run a.yaml --nonsense")\n# Type `batchlab nonsense now`, then `batchlab runs`.\n'
    assert [unknown(words) for words in said(text)] == [
        "batchlab run a.yaml --nonsense: no option --nonsense",
        "batchlab nonsense now: no command nonsense",
        "",
    ]


def unknown(words: list[str]) -> str:
    """Say what of a command there is not; empty: nothing."""
    line = f"batchlab {' '.join(words)}"
    command: click.Command = cli
    context, rest = click.Context(cli), list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return f"{line}: no command {rest[0]}"
        command, rest = found, rest[1:]
    if command.context_settings.get("ignore_unknown_options"):  # what follows is another program's
        return ""
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    given = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    wrong = sorted(given - known - {"--help"})
    return f"{line}: no option {', '.join(wrong)}" if wrong else ""


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


def test_questions_are_where_the_guide_says() -> None:
    """Cells, checks and mutants that the instructors' page names exist."""
    page = (ROOT / "docs" / "questions.md").read_text()
    cells = {match for lab in LABS for match in re.findall(r'"grade_id": "([^"]+)"', lab.read_text())}
    named = set(re.findall(r"`(l\d\d-[a-z-]+)`", page))
    assert len(named) > 10
    assert named <= cells
    assert set(re.findall(r"\bM\d\d-[a-z-]+", page)) <= {check.id for check in CHECKS}
    mutants = {case.id for case in MUTANTS}
    assert set(re.findall(r"`((?:ingest|transform|publish|cron|spark|retry)-[a-z-]+)`", page)) <= mutants
