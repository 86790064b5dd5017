"""`lint`, `explain`, `cron` and `backfill` as a user calls them: output, JSON shapes, exit codes, one-line errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.cli import main

CRON = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: tick}
spec:
  schedules: ["30 1 * * *"]
  timezone: America/New_York
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 60
  workflowSpec:
    entrypoint: main
    arguments:
      parameters:
      - name: ds
        value: >-
          {{= date(workflow.scheduledTime).In(timezone("America/New_York")).AddDate(0, 0, -1).Format("2006-01-02") }}
    templates:
    - name: main
      steps: [[{name: wait, template: wait}], [{name: say, template: say}]]
    - {name: wait, suspend: {duration: 26h}}
    - name: say
      container: {image: busybox, command: [sh, -c], args: ['test "{{workflow.parameters.ds}}" != 2013-03-10']}
"""


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a file with a CronWorkflow, and a state directory of its own."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "state"))
    file = tmp_path / "tick.yaml"
    file.write_text(CRON)
    return str(file)


def _call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code, out, _ = _call(capsys, *arguments, "--json")
    return code, json.loads(out)


def test_cron_plan(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan lists times, names and dates over the change of clocks, and runs nothing."""
    code, found = _json(capsys, "cron", manifest, "--from", "2013-03-10", "--to", "2013-03-11", "--plan")
    assert code == 0
    assert found == {
        "runs": [
            {"scheduledTime": "2013-03-10T06:30:00Z", "name": "tick-1362897000", "ds": "2013-03-09", "phase": ""},
            {"scheduledTime": "2013-03-11T05:30:00Z", "name": "tick-1362979800", "ds": "2013-03-10", "phase": ""},
        ],
        "skipped": [],
    }
    assert not (Path(manifest).parent / "state").exists()


def test_cron_play(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A play runs for real on virtual time: what overlaps is skipped, a failed run makes exit code 1."""
    days = ("--from", "2013-03-09", "--to", "2013-03-12")
    code, found = _json(capsys, "cron", manifest, *days)
    assert code == 1
    assert [(run["ds"], run["phase"]) for run in found["runs"]] == [
        ("2013-03-08", "Succeeded"),
        ("2013-03-10", "Failed"),
    ]
    assert [each["scheduledTime"] for each in found["skipped"]] == ["2013-03-10T06:30:00Z", "2013-03-12T05:30:00Z"]
    code, out, err = _call(capsys, "cron", manifest, *days)
    assert code == 0
    assert 'workflows.argoproj.io "tick-1362810600" already exists' in out
    assert "skipped" in err


def test_backfill(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each date is run once, two at a time, in an order that the seed decides."""
    arguments = ("--from", "2013-03-08", "--to", "2013-03-10", "--parallel", "2", "--shuffle", "1", "--virtual-time")
    code, found = _json(capsys, "backfill", manifest, *arguments)
    assert code == 1
    assert sorted((run["ds"], run["phase"]) for run in found["runs"]) == [
        ("2013-03-08", "Succeeded"),
        ("2013-03-09", "Succeeded"),
        ("2013-03-10", "Failed"),
    ]
    _, planned = _json(capsys, "backfill", manifest, *arguments[:4], "--shuffle", "1", "--plan")
    assert [run["ds"] for run in planned["runs"]] == [run["ds"] for run in found["runs"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cron", "{}", "--from", "2013-02-30", "--to", "2013-03-01"], "--from: '2013-02-30' is no date"),
        (["backfill", "{}", "--from", "2013-03-02", "--to", "yesterday"], "--to: 'yesterday' is no date"),
        (["cron", "{}", "--from", "2013-03-02", "--to", "2013-03-01"], "--from 2013-03-02 comes after --to"),
        (["cron", "gone.yaml", "--from", "2013-03-01", "--to", "2013-03-01"], "gone.yaml: cannot be read"),
        (["cron", "{}", "--name", "x", "--from", "2013-03-01", "--to", "2013-03-01"], "there is no CronWorkflow or"),
        (["explain", "retry", "{}"], "no template has a retryStrategy"),
        (["explain", "retry", "{}", "--attempt", "long"], "--attempt: unable to parse long as a duration"),
        (["lint", "gone.yaml"], "gone.yaml: cannot be read"),
    ],
)
def test_bad_input(manifest: str, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Wrong usage is one line on standard error and exit code 2."""
    code, out, err = _call(capsys, *[each.format(manifest) for each in arguments])
    assert code == 2
    assert not out
    assert message in err
    assert err.count("\n") == 1


def test_a_manifest_with_a_problem_is_not_run(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A play begins with lint; its first problem is the error, and says how to see the others."""
    file = Path(manifest)
    file.write_text(CRON.replace("entrypoint: main", "entrypoint: mian").replace("image: busybox", "imag: busybox"))
    code, _, err = _call(capsys, "cron", manifest, "--from", "2013-03-01", "--to", "2013-03-01")
    assert code == 2
    assert f"{file}:21: spec.workflowSpec.templates[2].container.imag: unknown field" in err
    assert "batchlab lint" in err
    code, out, err = _call(capsys, "lint", manifest)
    assert code == 1
    assert len(out.splitlines()) == 3
    assert "3 problems found" in err


def test_lint_json(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A valid file has no problems; JSON is all there is on standard output."""
    code, found = _json(capsys, "lint", manifest)
    assert code == 0
    assert found["problems"] == []


def test_explain_retry(manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Attempts, waits and the end are shown as a table and as JSON."""
    retry = "retryStrategy: {limit: 2, backoff: {duration: 10s, factor: 2, cap: 15s}}"
    Path(manifest).write_text(CRON.replace("- name: say\n", f"- name: say\n      {retry}\n"))
    code, out, _ = _call(capsys, "explain", "retry", manifest, "--attempt", "1m")
    assert code == 0
    assert "1m10s" in out
    assert "wait capped" in out
    assert "No more retries left" in out
    _, found = _json(capsys, "explain", "retry", manifest)
    assert [each["wait"] for each in found["strategies"][0]["attempts"]] == [0, 10, 15]
