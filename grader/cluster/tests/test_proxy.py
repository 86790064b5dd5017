"""A proxy before the registry is told before anything is made."""

from __future__ import annotations

import pytest

from grader.cluster.proxy import check
from pipelines.local.errors import BadInput

HOSTS = ["127.0.0.1:5001", "kind-registry:5000"]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_proxy_there_is_nothing_to_say() -> None:
    """Nor with one that leaves the registry out."""
    check(HOSTS)


@pytest.mark.parametrize("said", ["127.0.0.1,kind-registry", ".example,kind-registry,127.0.0.1", "*"])
def test_hosts_that_are_left_out_are_fine(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """By name, with others, or all."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", said)
    check(HOSTS)


def test_hosts_behind_the_proxy_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy keeps what NO_PROXY has; a password in the proxy's address is not shown."""
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.example")
    with pytest.raises(BadInput) as refused:
        check(HOSTS)
    said = str(refused.value)
    assert "the proxy http://proxy.example:3128" in said
    assert "kind-registry would be reached through it" in said
    assert 'export NO_PROXY="127.0.0.1,.example,kind-registry"' in said
    assert "secret" not in said
