"""Pictures of runs: every step is in the picture and in the table beside it, and a retry shows its waits."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from grader.pictures import Picture, draw
from pipelines.local.engine import Engine, VirtualClock
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
FLAKY = """
- name: main
  dag:
    tasks:
    - {name: first, template: good}
    - {name: flaky, template: bad, depends: first}
- {name: good, script: {image: bash, command: [bash], source: 'exit 0'}}
- name: spared
  retryStrategy: {limit: 2}
  script: {image: bash, command: [bash], source: 'exit 0'}
- name: bad
  retryStrategy: {limit: 2, backoff: {duration: 10s, factor: 2}}
  script: {image: bash, command: [bash], source: 'echo "no <luck>"; exit 3'}
"""


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state directory with three runs: two that went well, then one whose step failed three times."""
    found = StateDir(root=tmp_path / "state")
    with closing(Engine(found, VirtualClock(BEGIN))) as engine:
        for name, entry in (("quiet", "good"), ("lucky", "spared"), ("unlucky", "main")):
            spec = {"entrypoint": entry, "templates": yaml.safe_load(FLAKY)}
            engine.run({"kind": "Workflow", "metadata": {"name": name}, "spec": spec})
    return found


def texts(picture: Picture) -> str:
    """Give everything that is written in a picture; it is well-formed, and says itself what it is."""
    root = ET.fromstring(picture.svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.findtext(f"{space}title") == picture.title
    assert root.findtext(f"{space}desc") == picture.alt
    assert not list(root.iter(f"{space}script"))
    return " ".join(text for each in root.iter(f"{space}text") for text in each.itertext())


def test_a_run_is_drawn_with_its_phases(state: StateDir) -> None:
    """The last run without a name; every step is in the picture and the table, the failed one with its message."""
    picture = draw(state, "run")
    assert picture.title == "Steps of unlucky"
    assert picture.alt == "unlucky Failed. 2 steps · 1 failed · flaky took 3 attempts."
    for word in ("first", "flaky", "attempt 1", "attempt 3"):
        assert word in texts(picture)
    steps = {row[0].strip(): row for row in picture.rows}
    assert steps["first"][2] == "Succeeded"
    assert steps["flaky(2)"][2:5:2] == ("Failed", "main: Error (exit code 3)")
    assert draw(state, "run", "quiet").alt.startswith("quiet Succeeded")


def test_attempts_are_drawn_on_one_axis(state: StateDir) -> None:
    """Three attempts; the waits between them double."""
    picture = draw(state, "retry", "unlucky")
    assert picture.alt == "flaky took 3 attempts, with waits of 10 s, 20 s."
    said = texts(picture)
    assert "flaky, attempt 3" in said
    assert "after 20 s" in said
    assert [row[1:3] for row in picture.rows] == [("1", "Failed"), ("2", "Failed"), ("3", "Failed")]


def test_a_step_that_needed_no_retry_is_drawn_with_its_one_attempt(state: StateDir) -> None:
    """Whoever has repaired a step looks at the same picture again, and sees that nothing was tried twice."""
    picture = draw(state, "retry", "lucky")
    assert picture.alt == "lucky took 1 attempt."
    assert [row[1:3] for row in picture.rows] == [("1", "Succeeded")]
    assert "attempt 1" in texts(picture)


def test_what_cannot_be_drawn_is_told(state: StateDir, tmp_path: Path) -> None:
    """No such kind or run, no step that would be tried again, nothing run yet."""
    for words, said in (
        (("tree",), "there is no picture tree"),
        (("run", "other"), "there is no run named other"),
        (("retry", "quiet"), "no step of quiet has a retryStrategy"),
    ):
        with pytest.raises(BadInput, match=said):
            draw(state, *words)
    with pytest.raises(BadInput, match="nothing was run here yet"):
        draw(StateDir(root=tmp_path / "empty"), "run")
