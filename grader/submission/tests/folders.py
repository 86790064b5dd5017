"""Small submissions, written into a folder."""

from __future__ import annotations

from pathlib import Path

WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: ingest
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: busybox
      command: [echo]
"""
INGEST = '[pipelines.ingest]\nmanifest = "ingest/workflow.yaml"\ncode = "ingest"\n'


def write(root: Path, text: str = INGEST, **files: str) -> Path:
    """Write a submission: its `submission.toml`, an `ingest` pipeline, and further files by name."""
    (root / "ingest").mkdir(parents=True, exist_ok=True)
    (root / "ingest" / "workflow.yaml").write_text(WORKFLOW)
    (root / "ingest" / "extract.py").write_text("print('rows')\n")
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "submission.toml").write_text(text)
    return root
