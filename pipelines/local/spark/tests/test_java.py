"""Which Java is taken, and what is said when none will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.spark import java


def home(folder: Path, version: str, modules: str = "java.base jdk.incubator.vector") -> Path:
    """Make a folder that looks like a Java installation."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    return folder


def found(monkeypatch: pytest.MonkeyPatch, *homes: Path) -> None:
    """Have only these installations on this machine."""
    monkeypatch.setattr(java, "_candidates", lambda: iter([(each, "test") for each in homes]))


def test_documented_version_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java 21 is taken before a newer one that Spark does not document, whatever comes first."""
    found(monkeypatch, home(tmp_path / "a", "25.0.1"), home(tmp_path / "b", "11.0.2"), home(tmp_path / "c", "21.0.4"))
    assert java.find().version == "21.0.4"


def test_java_11_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Java 11 only, the message says so, and what to do."""
    found(monkeypatch, home(tmp_path / "a", "11.0.2"), home(tmp_path / "b", "1.8.0_402"))
    with pytest.raises(
        BadInput, match=r"Java 17 or newer is needed, found only Java 11.0.2 .*Java 1.8.0_402.*JAVA_HOME"
    ):
        java.find()


def test_incomplete_java_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java without the module that Spark asks for is not taken."""
    found(monkeypatch, home(tmp_path / "a", "17.0.1", modules="java.base"))
    with pytest.raises(BadInput, match=r"without the module jdk.incubator.vector"):
        java.find()


def test_none_and_none_to_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is installed and none can be fetched, both are said."""
    import cjdk

    def refuse(**_: object) -> None:
        raise OSError("network unreachable")

    found(monkeypatch)
    monkeypatch.setattr(cjdk, "java_home", refuse)
    with pytest.raises(BadInput, match=r"no Java found, and none could be fetched \(network unreachable\)"):
        java.find_or_fetch()


def test_fetched_java_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was fetched is used, and found without fetching the next time."""
    import cjdk

    made = home(tmp_path / "jdk-17", "17.0.9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(java, "_fetched_root", lambda: tmp_path)
    monkeypatch.setattr(cjdk, "java_home", lambda **_: made)
    monkeypatch.setattr(java, "_candidates", lambda: iter(()))
    assert java.find_or_fetch().home == made
    monkeypatch.undo()
    monkeypatch.setattr(java, "_fetched_root", lambda: tmp_path)
    assert made in {each.home for each in java.installed()}


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("1.8.0_402", 8), ("21", 21), ("25-ea", 25)])
def test_feature_release(version: str, major: int) -> None:
    """Old and new version schemes are read."""
    assert java.Java(home=Path("x"), version=version, source="test").major == major
