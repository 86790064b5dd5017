"""A proxy that this machine must use for the internet, and must not use for the registry beside the cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence

from requests.utils import get_environ_proxies

from pipelines.local.errors import BadInput


def check(hosts: Sequence[str]) -> None:
    """Require that no proxy stands before some hosts; nothing where no proxy is set.

    Args:
        hosts: names or addresses, each with or without a port.

    Raises:
        BadInput: the environment names a proxy, and NO_PROXY leaves out one of the hosts.
    """
    names = [host.rpartition(":")[0] or host for host in hosts]
    found = {name: proxies for name in names if (proxies := _before(name))}
    if found:
        wanted = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), *found]))
        proxy = _without_login(next(iter(found.values())))
        raise BadInput(
            f"the environment names the proxy {proxy}: {', '.join(found)} would be reached through it",
            where="NO_PROXY", remedy=f'export NO_PROXY="{wanted}", for Docker too, then try again',
        )  # fmt: skip


def _before(host: str) -> str:
    """Give the proxy that plain HTTP to a host goes through; empty for none."""
    proxies = get_environ_proxies(f"http://{host}/")
    return str(proxies.get("http") or proxies.get("all") or "")


def _without_login(address: str) -> str:
    """Leave a user and password out of an address."""
    scheme, separator, rest = address.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
