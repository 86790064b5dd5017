"""Validation of Argo manifests with Argo's own words: every problem, where Argo stops at the first."""

from __future__ import annotations
