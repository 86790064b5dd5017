"""The frame of jobs: arguments, identity, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from pipelines.datatier.errors import BadParameter, ExpectationFailed, JobError
from pipelines.datatier.job import Arguments, identity, required, run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobError("no"), 1),
        (BadParameter("ds", "no"), 2),
        (ExpectationFailed("t", "b", ["no"]), 3),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(error: JobError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for what a person can understand without one."""

    def main(_argv: Sequence[str]) -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        run(main, [])
    assert caught.value.code == code
    assert capsys.readouterr().err.startswith("error: ")


def test_a_bug_keeps_its_traceback() -> None:
    """What is no JobError is not dressed up as one."""
    with pytest.raises(ZeroDivisionError):
        run(lambda _argv: print(1 // 0), [])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--ds", "2013-02-30"], "error: ds: '2013-02-30' is no date; write it as YYYY-MM-DD"),
        (["--ds", "2014-01-01", "--last-day", "2013-12-31"], "error: ds: 2014-01-01 is outside the data"),
        ([], "error: arguments: the following arguments are required: --ds"),
        (["--ds", "2013-01-01", "--last-day", "soon"], "error: last-day: 'soon' is no date"),
    ],
)
def test_a_bad_date_ends_step_check_with_2_and_one_line(argv: list[str], message: str) -> None:
    """The first step of a pipeline refuses before anything is started."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.datatier.check", *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_identity_goes_into_every_commit() -> None:
    """The summary's entries are those of the contract."""
    given = Arguments("x").parse_args(["--ds", "2013-03-09", "--workflow", "w", "--node", "w.n", "--code", "i:1"])
    assert identity(given).snapshot_properties() == {
        "batchlab.workflow": "w",
        "batchlab.node": "w.n",
        "batchlab.ds": "2013-03-09",
        "batchlab.code": "i:1",
    }


def test_a_missing_setting_is_named() -> None:
    """Who runs a job by hand learns what the manifest would have set."""
    with pytest.raises(BadParameter, match="CATALOG_URI: is not set; the manifest sets it"):
        required({"CATALOG_URI": ""}, "CATALOG_URI")
