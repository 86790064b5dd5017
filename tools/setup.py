"""Set up this checkout: a virtual environment from the lock file, then what the platform needs.

Runs on the system's Python with nothing installed (its syntax stays old on purpose, so that an old
Python can say what is wrong). Does nothing, in a few milliseconds, when nothing has changed.

    python3 tools/setup.py [--check]
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "batchlab-setup")
OLDEST, NEWEST = (3, 11), (3, 13)
# What the environment is made of: a change in any of these makes set-up run again.
INPUTS = (
    "requirements.lock",
    "pyproject.toml",
    "tools/setup.py",
    "pipelines/local/spark/jars.lock",
    "pipelines/local/lang/go",
)


def main():
    """Bring the environment up to date; exit 2 with a remedy where that cannot be done."""
    if "--check" in sys.argv[1:]:
        sys.exit(0 if is_current() else 1)
    if is_current():
        return
    ensure_python()
    begun = time.time()
    uv = shutil.which("uv")
    make_environment(uv)
    install(uv)
    run([python(), "-m", "pipelines.local.prepare"], "preparing the platform", quiet=False)
    with open(STAMP, "w") as stamp:
        stamp.write(fingerprint())
    say("ready in %d s" % (time.time() - begun))


def is_current():
    """Tell whether the environment was made from just these inputs and is still where it was made."""
    try:
        with open(STAMP) as stamp:
            return stamp.read() == fingerprint() and os.path.exists(python())
    except OSError:
        return False


def fingerprint():
    """Hash every input, and the checkout's path: an environment cannot be moved."""
    digest = hashlib.sha256(ROOT.encode())
    for name in INPUTS:
        for path in files(os.path.join(ROOT, name)):
            with open(path, "rb") as handle:
                digest.update(path.encode() + b"\0" + handle.read())
    return digest.hexdigest()


def files(path):
    """List one file, or all files under a folder, in a fixed order."""
    if os.path.isdir(path):
        return sorted(os.path.join(d, f) for d, _, names in os.walk(path) for f in names)
    return [path] if os.path.exists(path) else []


def ensure_python():
    """Hand over to a Python that the kit supports, or say which ones it does."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which("python3.%d" % minor)
        if other and subprocess.call([other, "-c", "import venv"]) == 0:
            os.execv(other, [other] + sys.argv)
    fail(
        "Python %d.%d to %d.%d is needed, this is %s" % (OLDEST + NEWEST + (sys.version.split()[0],)),
        "install one (Debian: apt install python3 python3-venv; macOS: brew install python@3.13), run make again",
    )


def make_environment(uv):
    """Create the virtual environment anew: half-made ones are not mended."""
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, VENV], "creating .venv with uv")
        return
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        fail("this Python has no venv module", "Debian, Ubuntu: apt install python3-venv; then run make again")
    run([sys.executable, "-m", "venv", VENV], "creating .venv")


def install(uv):
    """Install the locked packages, all there are and checked by hash, then this checkout in place."""
    lock = os.path.join(ROOT, "requirements.lock")
    pip = (
        [uv, "pip", "install", "--python", python()]
        if uv
        else [python(), "-m", "pip", "install", "--disable-pip-version-check"]
    )
    run(
        pip + ["--quiet", "--require-hashes", "--no-deps", "-r", lock],
        "installing the locked packages (1.6 GiB, some minutes the first time)",
    )
    run(pip + ["--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT], "installing batchlab")


def python():
    """Path of the environment's interpreter."""
    return os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")


def run(command, what, quiet=True):
    """Run one step; its output is shown when it fails, or always when not quiet."""
    say(what)
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None
        )
    except OSError as error:
        fail("cannot run %s: %s" % (command[0], error), "mend that and run make again")
    except KeyboardInterrupt:
        say("interrupted; run make again to go on")
        sys.exit(130)
    if done.returncode:
        if quiet:
            sys.stderr.write(done.stdout.decode(errors="replace"))
        fail(
            "%s did not work" % what,
            "see above; is the network reachable and is there space on the disk? then run make again",
        )


def say(text):
    """Name what is happening."""
    sys.stderr.write("setup: %s\n" % text)
    sys.stderr.flush()


def fail(what, remedy):
    """Say what is wrong and what to do; exit 2."""
    say("%s; %s" % (what, remedy))
    sys.exit(2)


if __name__ == "__main__":
    main()
