"""`draw()`: the picture of another process as an image with words, or one line that says why there is none."""

from __future__ import annotations

import base64
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from grader.notebook import CouldNotDraw, draw
from grader.notebook.picture import Drawn

DOCUMENT = {
    "title": "Steps of w", "alt": 'w "ran" <well>', "svg": "<svg>é</svg>", "columns": ["step", "phase"],
    "rows": [["first", "Succeeded"], ["<b>", "Failed"]],
}  # fmt: skip


def stand_in(folder: Path, code: str) -> str:
    """Write a program that stands for `batchlab`. The kernel reads no interpreter from a path with a space."""
    script, program = folder / "stand_in.py", folder / "batchlab"
    script.write_text(f"import json, sys\n{code}\n")
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
    program.chmod(0o755)
    return str(program)


def test_a_picture_is_an_image_with_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image needs nothing from outside; its words, and the table, are escaped; the text says the same."""
    code = f"assert sys.argv[1:] == ['draw', 'run', 'w', '--json'], sys.argv\nprint({json.dumps(DOCUMENT)!r})"
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, code))
    found = draw("run", "w")
    assert isinstance(found, Drawn)
    html = found._repr_html_()
    image = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert image
    assert base64.b64decode(image[1]).decode() == "<svg>é</svg>"
    assert 'alt="w &quot;ran&quot; &lt;well&gt;"' in html
    assert "<td>&lt;b&gt;</td>" in html
    assert not re.search(r"<script|https?://|\son\w+=", html)
    assert repr(found).splitlines() == [
        'Steps of w. w "ran" <well>',
        "step | phase",
        "first | Succeeded",
        "<b> | Failed",
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('noise', file=sys.stderr); print('batchlab: RUN: there is no run', file=sys.stderr); sys.exit(2)",
         "RUN: there is no run"),
        ("sys.exit(1)", "batchlab draw ended with exit code 1"),
        ("print('no JSON')", "cannot be run"),
    ],
)  # fmt: skip
def test_no_picture_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    """What the command said, without its traceback."""
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, code))
    with pytest.raises(CouldNotDraw, match=said) as refused:
        draw("run")
    assert refused.value._render_traceback_() == [f"CouldNotDraw: {refused.value}"]
