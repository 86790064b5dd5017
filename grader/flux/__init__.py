"""Flux trees rendered and checked on this machine, as Flux 2.9 would apply them."""

from __future__ import annotations

from grader.flux.errors import Unsupported
from grader.flux.objects import Layer, Rendered, Tree
from grader.flux.tree import load
from grader.flux.workloads import Hello, hello_workflows

__all__ = ["Hello", "Layer", "Rendered", "Tree", "Unsupported", "hello_workflows", "load"]
