"""Programs that are run, and kubectl above all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.errors import BadInput

PATIENCE = 600.0  # seconds that a program may take, unless told otherwise


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that a cluster needs.

    Args:
        name: of its executable.
        why: what it does here.
        remedy: how to get it.
    """

    name: str
    why: str
    remedy: str

    def there(self) -> bool:
        """Tell whether it is on the path."""
        return shutil.which(self.name) is not None


DOCKER = Tool(
    name="docker",
    why="runs the nodes",
    remedy="install Docker Desktop, Colima or Docker Engine: docs.docker.com/get-docker",
)
KIND = Tool(name="kind", why="makes the cluster", remedy="`brew install kind`, or `go install sigs.k8s.io/kind@latest`")
KUBECTL = Tool(
    name="kubectl", why="talks to the cluster", remedy="`brew install kubectl`: kubernetes.io/docs/tasks/tools"
)
FLUX = Tool(
    name="flux",
    why="installs what the cluster gets",
    remedy="`brew install fluxcd/tap/flux`: fluxcd.io/flux/installation",
)


def require(tools: Sequence[Tool]) -> None:
    """Refuse to begin without every program.

    Raises:
        BadInput: some are missing; it names them all, and how to get each.
    """
    missing = [tool for tool in tools if not tool.there()]
    if missing:
        raise BadInput(
            "; ".join(f"{tool.name} is missing ({tool.why})" for tool in missing),
            remedy="; ".join(f"{tool.name}: {tool.remedy}" for tool in missing),
        )


def run(
    words: Sequence[str | Path],
    *,
    given: str | None = None,
    env: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
    check: bool = True,
) -> str:
    """Run a program; returns what it printed.

    Raises:
        BadInput: it failed, was not there or took too long; the message has the last lines of its complaint.
    """
    name = str(words[0])
    try:
        done = subprocess.run(
            [str(word) for word in words], input=given, capture_output=True, text=True, check=False, timeout=patience,
            env={**os.environ, **(env or {})},
        )  # fmt: skip
    except FileNotFoundError:
        raise BadInput(f"{name} is missing") from None
    except subprocess.TimeoutExpired:
        raise BadInput(f"did not end within {patience:.0f} s", where=" ".join(map(str, words[:3]))) from None
    if check and done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
        raise BadInput(
            " / ".join(said[-3:])[-600:] or f"exit code {done.returncode}", where=" ".join(map(str, words[:3]))
        )
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """One cluster; `kubeconfig` empty: what KUBECONFIG or the user's own file says."""

    kubeconfig: str = ""

    def __call__(self, *words: str, given: str | None = None, patience: float = PATIENCE, check: bool = True) -> str:
        """Run kubectl; returns what it printed."""
        return run(["kubectl", *words], given=given, env=self.environment, patience=patience, check=check)

    @property
    def environment(self) -> dict[str, str]:
        """What other programs need to find the same cluster."""
        return {"KUBECONFIG": self.kubeconfig} if self.kubeconfig else {}

    def items(self, kinds: str, *words: str) -> list[dict[str, Any]]:
        """List objects; none where the cluster does not know the kind."""
        text = self("get", kinds, *words, "-o", "json", "--ignore-not-found", patience=60, check=False)
        return list(json.loads(text).get("items", [])) if text.strip() else []

    def apply(self, document: Mapping[str, Any]) -> None:
        """Make an object be as given."""
        self(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=batchlab",
            "-f",
            "-",
            given=json.dumps(document),
        )

    def reachable(self) -> None:
        """Ask the cluster whether it is ready.

        Raises:
            BadInput: it does not answer, or not this user.
        """
        try:
            self("get", "--raw", "/readyz", "--request-timeout=10s", patience=30)
        except BadInput as error:
            where = self.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
            raise BadInput(
                f"the cluster does not answer: {error.what}", where=where,
                remedy="check with `kubectl get nodes`, and that KUBECONFIG names the right file",
            ) from error  # fmt: skip
        allowed = self("auth", "can-i", "*", "*", "--all-namespaces", check=False, patience=30).strip()
        if allowed != "yes":
            raise BadInput(
                "this user may not install controllers", where="kubectl auth can-i '*' '*' --all-namespaces",
                remedy="ask for a kubeconfig with the role cluster-admin",
            )  # fmt: skip
