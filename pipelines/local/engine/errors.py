"""Errors inside a run. Their texts are Argo's; some kinds steer the operation instead of failing a node."""

from __future__ import annotations

from pipelines.local.lang import LangError


class NodeProblem(Exception):  # noqa: N818 - an error of the workflow, which becomes a node's message
    """A node cannot go on; the text becomes its message."""


class ParallelismReached(NodeProblem):
    """No more may run now; try again in a later pass."""

    def __init__(self) -> None:
        super().__init__("Max parallelism reached")


class TemplateTimeout(NodeProblem):
    """A template's timeout passed while its node was pending."""

    def __init__(self) -> None:
        super().__init__("timeout")


class MaxDepthExceeded(NodeProblem):
    """Templates call one another too deeply."""

    def __init__(self) -> None:
        super().__init__(
            "Maximum recursion depth exceeded. "
            "See https://argo-workflows.readthedocs.io/en/release-3.7/scaling/#maximum-recursion-depth"
        )


PROBLEMS = (NodeProblem, LangError)
"""What the small languages and the engine raise where Go code would return an error."""
