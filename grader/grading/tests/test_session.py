"""What a person sees of a grading in a box."""

from __future__ import annotations

import pytest

from grader.grading.session import MOST_HEARD, Heard

OUTPUT = "✓ ingest: in order   8.1 s\nwarning: whatever\n✓ \x1b[2Jcleared\n✓ publish: in order  1.3 s\n".encode()


@pytest.mark.parametrize("size", [1, 7, len(OUTPUT)])
def test_stages_are_picked_out(size: int) -> None:
    """However the output is cut up, finished stages are shown, and neither other lines nor what steers a terminal."""
    said: list[str] = []
    heard = Heard(said.append)
    for at in range(0, len(OUTPUT), size):
        heard(OUTPUT[at : at + size])
    assert said == ["✓ ingest: in order   8.1 s", "✓ publish: in order  1.3 s"]


def test_a_line_without_end_is_not_kept() -> None:
    """Who prints for ever costs no memory, and is shown once he ends his line, if at all."""
    said: list[str] = []
    heard = Heard(said.append)
    for _ in range(1000):
        heard(b"x" * MOST_HEARD)
    heard(b"\n" + "✓ then\n".encode())
    assert said == ["✓ then"]
