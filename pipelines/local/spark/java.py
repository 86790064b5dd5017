"""Which Java runs Spark and the catalog: one that is here, else one that `cjdk` fetches."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.errors import BadInput
from pipelines.local.spark import jars

OLDEST = 17
TESTED = range(17, 24)  # Spark 4.1 documents 17 and 21; from 24 on the JDK dropped what Hadoop's client calls
FETCHED = "17"
_REMEDY = "install Java 17 or 21 (a JRE with all modules, or a JDK), or set JAVA_HOME to one"


@dataclass(frozen=True, kw_only=True)
class Java:
    """One Java installation; `version` as its vendor writes it, `source` says how it was found."""

    home: Path
    version: str
    source: str
    complete: bool = True

    @property
    def executable(self) -> Path:
        """The `java` program."""
        return self.home / "bin" / "java"

    @property
    def major(self) -> int:
        """Feature release: 17 for `17.0.15`, 8 for `1.8.0_402`."""
        numbers = [int(number) for number in re.findall(r"\d+", self.version)]
        if not numbers:
            return 0
        return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]

    @property
    def usable(self) -> bool:
        """Whether Spark 4.1 runs on it: new enough, and with the vector module that Spark asks for."""
        return self.major >= OLDEST and self.complete


def installed() -> list[Java]:
    """Return the Java installations of this machine, in the order in which they are preferred."""
    seen: dict[Path, Java] = {}
    for home, source in _candidates():
        resolved = home.resolve()
        if resolved not in seen and (java := _inspect(resolved, source)):
            seen[resolved] = java
    # What the user points at comes first, as long as it is usable; versions that Spark documents before newer ones.
    return sorted(seen.values(), key=lambda java: (not java.usable, java.major not in TESTED))


def find() -> Java:
    """Return the Java to use.

    Raises:
        BadInput: there is none of version 17 or newer; the message names what was found instead.
    """
    found = installed()
    if found and found[0].usable:
        return found[0]
    if not found:
        raise BadInput("no Java found", remedy=_REMEDY)
    raise BadInput(f"Java {OLDEST} or newer is needed, found only {_listing(found)}", remedy=_REMEDY)


def find_or_fetch() -> Java:
    """Return the Java to use, fetching one into the user's cache where this machine has none that is new enough.

    Raises:
        BadInput: there is none, and none could be fetched.
    """
    try:
        return find()
    except BadInput as absent:
        return _fetch(absent)


def _fetch(absent: BadInput) -> Java:
    import cjdk

    try:
        home = cjdk.java_home(vendor="temurin", version=FETCHED, cache_dir=_fetched_root())
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BadInput(f"{absent.what}, and none could be fetched ({reason})", remedy=_REMEDY) from error
    java = _inspect(Path(home), "fetched")
    if java is None or not java.usable:
        raise BadInput(f"{absent.what}, and the fetched one does not start", where=str(home), remedy=_REMEDY)
    (_fetched_root() / "home").write_text(f"{java.home}\n")
    return java


def _fetched_root() -> Path:
    return jars.cache_root() / "jdk"


def _candidates() -> Iterator[tuple[Path, str]]:
    if given := os.environ.get("JAVA_HOME"):
        yield Path(given), "JAVA_HOME"
    if on_path := shutil.which("java"):
        program = Path(on_path).resolve()
        if program.parent.name == "bin":
            yield program.parent.parent, "PATH"
    if sys.platform == "darwin":  # /usr/bin/java is only a stub there
        for home in sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home")):
            yield home, "system"
        for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
            for home in sorted(Path(prefix).glob("openjdk*/libexec/openjdk.jdk/Contents/Home")):
                yield home, "Homebrew"
    for pattern in ("/usr/lib/jvm/*", "/usr/lib64/jvm/*", "/usr/java/*", "/opt/java/*", "/opt/jdk*"):
        for home in sorted(Path("/").glob(pattern[1:])):
            yield home, "system"
    user = Path.home()
    for folder in (user / ".sdkman/candidates/java", user / ".jdks", user / ".asdf/installs/java"):
        for home in sorted(folder.glob("*")):
            yield home, folder.name
    note = _fetched_root() / "home"
    if note.is_file():
        yield Path(note.read_text().strip()), "fetched"


def _inspect(home: Path, source: str) -> Java | None:
    """Read a Java home's `release` file, or ask the program where there is none; None where it is no Java."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    release = _release(home / "release")
    if version := release.get("JAVA_VERSION"):
        modules = release.get("MODULES", "")
        return Java(
            home=home, version=version, source=source, complete=not modules or "jdk.incubator.vector" in modules.split()
        )
    version = _ask(home / "bin" / "java")
    return Java(home=home, version=version, source=source) if version else None


def _release(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _ask(program: Path) -> str:
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r'version "([^"]+)"', done.stderr + done.stdout)
    return match[1] if match else ""


def _listing(found: list[Java]) -> str:
    return ", ".join(
        f"Java {java.version} ({java.home})" + ("" if java.complete else " without the module jdk.incubator.vector")
        for java in found
    )
