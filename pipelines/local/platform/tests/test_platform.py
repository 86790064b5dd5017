"""The servers for real: found again, repaired, apart from each other, small."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg
import pytest

from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform
from pipelines.local.platform.tests.conftest import add_table, pid, tables
from pipelines.local.processes import await_end
from pipelines.local.state import StateDir


def test_everything_answers_on_loopback_only(platform: Platform) -> None:
    """Every part is healthy and listens on 127.0.0.1 and nowhere else."""
    for part in platform.status():
        assert part.healthy, part
        listening = [each for each in psutil.Process(part.pid).net_connections() if each.status == psutil.CONN_LISTEN]
        assert {each.laddr.ip.removeprefix("::ffff:") for each in listening} == {"127.0.0.1"}, part.name


def test_database_asks_for_the_generated_password(platform: Platform) -> None:
    """SCRAM, a password in a file of its owner only, logical WAL, the schemas in place."""
    credentials = platform.state.platform / "credentials.json"
    assert credentials.stat().st_mode & 0o077 == 0
    with psycopg.connect(platform.endpoints.postgres_dsn) as connection:
        row = connection.execute("SHOW wal_level").fetchone()
        assert row == ("logical",)
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('ops', 'reporting')").fetchall()
        assert len(found) == 2
    host = platform.endpoints.postgres_dsn.partition("@")[2]
    for login in ("batchlab", "batchlab:wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{login}@{host}")


def test_objects_say_where_everything_is(platform: Platform) -> None:
    """The ConfigMap and the Secret name the servers as they run now."""
    config, secret = platform.objects(image="batchlab/work:x")
    data = config["data"]
    with urlopen(f"{data['catalogUri']}/v1/config") as answer:
        assert answer.status == 200
    login = secret["stringData"]
    dsn = f"postgresql://{login['postgresUser']}:{login['postgresPassword']}@{data['postgresHost']}:{data['postgresPort']}"
    psycopg.connect(f"{dsn}/{data['postgresDatabase']}").close()
    assert data["warehouse"] == f"file://{platform.state.warehouse}"
    assert all(isinstance(value, str) for value in {**data, **login}.values())


def test_start_leaves_alone_what_runs(platform: Platform) -> None:
    """A second command finds the same processes."""
    before = [part.pid for part in platform.status()]
    Platform(platform.state).start(warm=False)
    assert [part.pid for part in platform.status()] == before


@pytest.mark.parametrize("killed", ["postgres", "catalog", "webhook"])
def test_killed_part_is_repaired_and_no_table_lost(platform: Platform, killed: str) -> None:
    """After kill -9 of any part the next start repairs it, and every committed table is there."""
    add_table(platform, f"before_{killed}", 3)
    expected = tables(platform)
    victim = pid(platform, killed)
    os.kill(victim, signal.SIGKILL)
    assert await_end([psutil.Process(victim)], timeout=5) == []
    assert {part.name: part.message for part in platform.status()}[killed] == "died"
    Platform(platform.state).start(warm=False)
    assert pid(platform, killed) not in {0, victim}
    assert tables(platform) == expected
    add_table(platform, f"after_{killed}", 1)


def test_hanging_part_is_replaced(platform: Platform) -> None:
    """A server that is there but does not answer is started again."""
    victim = pid(platform, "webhook")
    os.kill(victim, signal.SIGSTOP)
    platform.start(warm=False)
    assert pid(platform, "webhook") not in {0, victim}


def test_taken_ports_are_chosen_anew(platform: Platform) -> None:
    """When somebody else listens on the old ports after a stop, new ones are taken and the tables are found."""
    expected = tables(platform)
    old = {part.name: part.address for part in platform.status()}
    platform.stop()
    taken = [
        socket.create_server(("127.0.0.1", int(address.rpartition(":")[2].partition("/")[0])))
        for address in old.values()
    ]
    try:
        platform.start(warm=False)
        assert not set(old.values()) & {part.address for part in platform.status()}
        assert tables(platform) == expected
    finally:
        for each in taken:
            each.close()


def test_second_checkout_is_another_world(platform: Platform, tmp_path: Path) -> None:
    """Two state directories run at once and see nothing of each other."""
    other = Platform(StateDir(root=tmp_path / ".batchlab"))
    other.start(warm=False)
    try:
        assert not {part.pid for part in platform.status()} & {part.pid for part in other.status()}
        add_table(other, "theirs", 1)
        assert "t.theirs" not in tables(platform)
        assert tables(other) == {"t.theirs": 1}
    finally:
        other.stop()
    assert all(part.healthy for part in platform.status())
    assert not any(part.running for part in other.status())


def test_servers_outlive_the_command_that_started_them(platform: Platform) -> None:
    """Servers started by a command that is killed go on, and the next command finds them."""
    platform.stop()
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from pipelines.local.platform import Platform\n"
        "from pipelines.local.state import StateDir\n"
        "Platform(StateDir(root=Path(sys.argv[1]))).start(warm=False)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(platform.state.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    before = [part.pid for part in platform.status()]
    assert 0 not in before
    platform.start(warm=False)
    assert [part.pid for part in platform.status()] == before


def test_idle_servers_are_small(platform: Platform) -> None:
    """PostgreSQL, catalog and receiver together hold less than 300 MiB; a warm JVM has the rest of the gigabyte."""
    assert 0 < sum(part.memory for part in platform.status()) < 300 << 20


def test_full_or_read_only_folder_is_told(tmp_path: Path) -> None:
    """A state directory that cannot be written is the user's to mend, and is named."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(BadInput, match=r"cannot be written.*BATCHLAB_HOME"):
        Platform(StateDir(root=blocked / ".batchlab")).start(warm=False)


def test_nothing_runs_is_no_error(tmp_path: Path) -> None:
    """Status and stop work where nothing was ever started, and make nothing."""
    never = Platform(StateDir(root=tmp_path / ".batchlab"))
    assert [part.message for part in never.status()] == ["stopped"] * 3
    assert never.stop() == []
    assert not never.state.root.exists()
