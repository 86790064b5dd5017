"""The files of a Flux tree: read once, with the lines of their documents, and none from outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.flux.errors import Unsupported
from pipelines.local.errors import BadInput
from pipelines.local.manifest import goyaml

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize calls its file."""
YAML = (".yaml", ".yml")
MOST_BYTES = 4 << 20
MOST_FILES = 2000


@dataclass(kw_only=True)
class Files:
    """Files below a folder.

    Args:
        root: nothing outside of it is read, as Flux reads nothing outside of an artifact.
    """

    root: Path
    _texts: dict[Path, str] = field(default_factory=dict)
    _documents: dict[Path, list[goyaml.Parsed]] = field(default_factory=dict)

    def name(self, path: Path) -> str:
        """Give a path as messages show it: from the root."""
        return path.relative_to(self.root).as_posix() or "."

    def inside(self, base: Path, text: str, where: str) -> Path:
        """Resolve a path that a file in `base` names.

        Raises:
            BadInput: it leads out of the tree, or is not there.
        """
        path = (base / text).resolve()
        if not path.is_relative_to(self.root):
            raise BadInput(f"{text} leads out of the tree", where=where)
        if not path.exists():
            raise BadInput(f"{text} is not there", where=where)
        return path

    def text(self, path: Path) -> str:
        """Read a file.

        Raises:
            BadInput: it cannot be read, is no text, or is larger than 4 MiB.
        """
        if path not in self._texts:
            try:
                if path.stat().st_size > MOST_BYTES:
                    raise BadInput("is larger than 4 MiB", where=self.name(path))
                self._texts[path] = path.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                raise Unsupported("is no UTF-8 text", where=self.name(path)) from None
            except OSError as error:
                raise BadInput(f"cannot be read: {error.strerror}", where=self.name(path)) from error
        return self._texts[path]

    def documents(self, path: Path) -> list[goyaml.Parsed]:
        """Read the YAML documents of a file.

        Raises:
            BadInput: it is no YAML; `where` has file and line.
        """
        if path not in self._documents:
            self._documents[path] = list(goyaml.parse(self.text(path), self.name(path)))
        return self._documents[path]

    def kustomization(self, folder: Path) -> Path | None:
        """Find a folder's kustomization file."""
        return next((folder / name for name in NAMES if (folder / name).is_file()), None)

    def manifests(self, folder: Path) -> Iterator[Path]:
        """List the YAML files below a folder, sorted, without hidden folders.

        Raises:
            BadInput: there are more than 2,000.
        """
        count = 0
        for path in sorted(folder.rglob("*")):
            if path.suffix in YAML and path.is_file() and not _hidden(path.relative_to(folder)):
                count += 1
                if count > MOST_FILES:
                    raise BadInput(f"more than {MOST_FILES} YAML files", where=self.name(folder))
                yield path


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
