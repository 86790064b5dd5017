"""A lab's source becomes two notebooks, the same bytes every time, and the released one holds no solution."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.notebook.cells import Asked, asked, role
from grader.notebook.percent import parse
from grader.notebook.release import instructor_notebook, released_notebook
from pipelines.local.errors import BadInput

LAB = """\
# ---
# jupyter:
#   kernelspec: python3
# ---

# %% [markdown] nbgrader={"grade": false, "grade_id": "title", "locked": true, "schema_version": 3, "solution": false}
# # Title
#
# A line, and `code`.

# %%
# !ls
x = 1

# %% nbgrader={"grade_id": "answer", "solution": true} tags=["a", "b"]
def double(n):
    ### BEGIN SOLUTION
    return 2 * n
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "checked", "locked": true, "points": 3}
check("M03-keys", points=3)

# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "points": 2, "solution": true}
# Because.
"""


def notebook(text: str) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    return cells


def test_a_source_is_read_into_cells() -> None:
    """Header, kinds, comments of Markdown, magics and metadata are understood."""
    cells = parse(LAB)
    assert [cell.kind for cell in cells] == ["markdown", "code", "code", "code", "markdown"]
    assert cells[0].source == "# Title\n\nA line, and `code`."
    assert cells[1].source == "!ls\nx = 1"
    assert cells[2].metadata["tags"] == ["a", "b"]
    assert [cell.line for cell in cells] == [6, 11, 15, 21, 24]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n# %%\n", "lab.py:1: there is text before the first"),
        ("# %% nbgrader={oops}\nx\n", "lab.py:1: cell metadata is not name=JSON: 'nbgrader={oops}'"),
        ("# %% [markdown]\ntext\n", "lab.py:1: a Markdown cell has a line that is no comment: 'text'"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_by_its_line(text: str, message: str) -> None:
    """The message says where."""
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


def test_the_release_has_stubs_locks_and_checksums() -> None:
    """Solutions are cut out in place or as a whole; what learners must not edit is locked."""
    title, free, answer, checked, why = notebook(released_notebook(parse(LAB)))
    assert "".join(answer["source"]) == "def double(n):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert "".join(why["source"]) == "YOUR ANSWER HERE"
    assert title["metadata"]["editable"] is checked["metadata"]["editable"] is False
    assert "editable" not in answer["metadata"]
    assert free["metadata"] == {}
    assert len(checked["metadata"]["nbgrader"]["checksum"]) == 32
    assert "Because" in instructor_notebook(parse(LAB))


def test_it_is_the_same_whenever_it_is_made() -> None:
    """No random cell ids, no times; another grade id gives another cell id."""
    once = released_notebook(parse(LAB))
    assert once == released_notebook(parse(LAB))
    other = notebook(released_notebook(parse(LAB.replace('"answer"', '"other"'))))
    changed = [mine["id"] != its["id"] for mine, its in zip(notebook(once), other, strict=True)]
    assert changed == [False, False, True, False, False]
    assert len({cell["id"] for cell in other}) == len(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %%\n### BEGIN SOLUTION\nx\n### END SOLUTION\n", "a solution stands in a cell that learners do not edit"),
        (
            '# %% nbgrader={"grade_id": "a", "solution": true}\n### BEGIN SOLUTION\nx\n',
            "a solution has no END SOLUTION",
        ),
        (
            '# %% nbgrader={"grade_id": "a", "solution": true}\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n',
            "a solution begins inside another",
        ),
    ],
)
def test_a_solution_that_would_leak_is_refused(text: str, message: str) -> None:
    """A region that cannot be cut out stops the release."""
    with pytest.raises(BadInput, match=message):
        released_notebook(parse(text))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('check("M03", points=4)', Asked(wanted="M03", points=4.0)),
        ('from grader.notebook import check\n\ncheck("M03-keys")', Asked(wanted="M03-keys", points=None)),
        ('x = check("M03")', None),
        ('print(1)\ncheck("M03")', None),
        ('check("M03", points=n)', None),
        ('check("M03", points=True)', None),
        ('check("M03", limit=3)', None),
        ('other("M03")', None),
        ("check(", None),
        ("", None),
    ],
)
def test_what_a_cell_asks_for_is_read_without_running_it(source: str, expected: Asked | None) -> None:
    """Only a call with literals counts: the answer is the same whoever runs the cell."""
    assert asked(source) == expected


def test_roles_of_cells() -> None:
    """Who grades a cell follows from its metadata and, for a check, from its source."""
    cells = parse(LAB)
    assert [role(cell.kind, cell.nbgrader, cell.source) for cell in cells] == [
        "locked", "free", "solution", "checked", "manual",
    ]  # fmt: skip
    assert role("code", {"grade": True}, "assert x") == "tested"
    assert role("markdown", {}) == "text"
