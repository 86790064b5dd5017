"""Ports are kept, and chosen anew when somebody else has them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.platform.ports import Ports, is_free, port_range


def test_port_is_kept_until_it_is_taken(tmp_path: Path) -> None:
    """A server gets its old port back, and another one while somebody listens on it."""
    path = tmp_path / "ports.json"
    port = Ports(path).get("postgres")
    assert Ports(path).get("postgres") == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert Ports(path).get("postgres") != port


def test_two_servers_have_two_ports(tmp_path: Path) -> None:
    """Ports of one state directory differ even before anything listens."""
    ports = Ports(tmp_path / "ports.json")
    assert ports.get("postgres") != ports.get("catalog")


def test_range_is_obeyed_and_its_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ports of the range are used; when all are taken, that is the user's to mend."""
    free = next(port for port in range(21000, 30000, 2) if is_free(port) and is_free(port + 1))
    monkeypatch.setenv("BATCHLAB_PORTS", f"{free}-{free + 1}")
    ports = Ports(tmp_path / "ports.json")
    assert {ports.get("postgres"), ports.get("catalog")} == {free, free + 1}
    with pytest.raises(BadInput, match=r"is taken.*wider range"):
        ports.get("webhook")


@pytest.mark.parametrize("text", ["20000", "a-b", "30000-20000", "1-10", "60000-70000"])
def test_setting_that_is_no_range(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is no range is refused before anything starts."""
    monkeypatch.setenv("BATCHLAB_PORTS", text)
    with pytest.raises(BadInput, match="no port range"):
        port_range()
