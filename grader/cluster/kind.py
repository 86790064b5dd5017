"""A kind cluster with a registry beside it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import grader
from grader.cluster.commands import Kubectl, run
from pipelines.local.errors import BadInput

NAME = "batchlab"
REGISTRY = "kind-registry"
REGISTRY_PORT = 5001
IMAGE = "registry:3.0.0"
CONFIGS = {1: "one-node.yaml", 3: "three-nodes.yaml"}
FOLDER = Path(grader.__file__).parent.parent / "cluster" / "kind"
PORTS = (2746, 8181, 7070, 15432, 18080)
MEMORY = 6 << 30
MIRRORED = ("docker.io",)
_HOSTS = """server = "https://registry-1.docker.io"
[host."http://kind-registry:5000"]
  capabilities = ["pull", "resolve"]
"""


def check_docker() -> None:
    """Require that Docker runs and has memory.

    Raises:
        BadInput: it does not, or has less than 6 GiB.
    """
    try:
        info = json.loads(run(["docker", "info", "--format", "{{json .}}"], patience=60))
    except BadInput as error:
        raise BadInput(f"Docker does not answer: {error.what}", remedy="start Docker, then try again") from error
    if info.get("ServerErrors") or not info.get("MemTotal"):
        raise BadInput("Docker does not run", remedy="start Docker, then try again")
    if info["MemTotal"] < MEMORY:
        raise BadInput(
            f"Docker has {info['MemTotal'] / 2**30:.1f} GiB of memory; the platform and a Spark job need 6",
            remedy="give it 8 GiB in its settings (Resources)",
        )


def clusters() -> list[str]:
    """Name the kind clusters of this machine."""
    return run(["kind", "get", "clusters"], patience=60, check=False).split()


def ensure(kubeconfig: Path, nodes: int) -> None:
    """Make the registry and the cluster where they are not there, and connect them; mend what is half made.

    Raises:
        BadInput: a port is taken; kind or Docker refuse.
    """
    _registry()
    if NAME not in clusters():
        taken = [port for port in PORTS if not _free(port)]
        if taken:
            raise BadInput(
                f"ports are taken on 127.0.0.1: {', '.join(map(str, taken))}",
                remedy="end what listens there (`lsof -i :PORT` says what), then try again",
            )
        run(
            ["kind", "create", "cluster", "--config", FOLDER / CONFIGS[nodes], "--kubeconfig", kubeconfig], patience=900
        )
    else:
        run(["docker", "start", *run(["kind", "get", "nodes", "--name", NAME]).split()])  # some may be stopped
        run(["kind", "export", "kubeconfig", "--name", NAME, "--kubeconfig", kubeconfig])
    if run(["docker", "inspect", "-f", "{{json .NetworkSettings.Networks.kind}}", REGISTRY]).strip() == "null":
        run(["docker", "network", "connect", "kind", REGISTRY])
    for node in run(["kind", "get", "nodes", "--name", NAME]).split():
        for host in MIRRORED:
            folder = f"/etc/containerd/certs.d/{host}"
            run(["docker", "exec", node, "mkdir", "-p", folder])
            run(["docker", "exec", "-i", node, "cp", "/dev/stdin", f"{folder}/hosts.toml"], given=_HOSTS)
    Kubectl(kubeconfig=str(kubeconfig))("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=180s")


def remove() -> None:
    """Delete the cluster and the registry, with everything in them."""
    run(["kind", "delete", "cluster", "--name", NAME], patience=300)
    run(["docker", "rm", "--force", "--volumes", REGISTRY], check=False)


def _registry() -> None:
    state = run(["docker", "inspect", "-f", "{{.State.Running}}", REGISTRY], check=False).strip()
    if state == "true":
        return
    if state == "false":
        run(["docker", "start", REGISTRY])
        return
    publish = f"127.0.0.1:{REGISTRY_PORT}:5000"
    run(["docker", "run", "--detach", "--restart=always", "--publish", publish, "--name", REGISTRY, IMAGE])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
