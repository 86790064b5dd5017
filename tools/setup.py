"""Set up this checkout: a virtual environment from the lock file, then what the platform needs.

Runs on the system's Python with nothing installed (its syntax stays old on purpose, so that an old
Python can say what is wrong). Does nothing, in a few milliseconds, when nothing has changed.

    python3 tools/setup.py [--check] [--with course|dagster]

`--with course` also makes `.venv-course`, with JupyterLab and nbgrader, for labs in notebooks and for classes, and
`--with dagster` also `.venv-dagster`, for the lab that compares. They are environments of their own: nothing of them is
needed to run pipelines, and no version of theirs can disturb them.
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
    "pipelines/local/lang/kustomize",
)

MORE = {"course": "JupyterLab and nbgrader (0.5 GiB)", "dagster": "Dagster (0.4 GiB)"}
KERNEL = ("batchlab", "Batch lab")


def main():
    """Bring the environments up to date; exit 2 with a remedy where that cannot be done."""
    words = sys.argv[1:]
    check = words[:1] == ["--check"]
    rest = words[1:] if check else words
    if rest and (len(rest) != 2 or rest[0] != "--with" or rest[1] not in MORE):
        fail("cannot make sense of: %s" % " ".join(words), "the options are --check and --with course or dagster")
    more = rest[1] if rest else None
    if check:
        sys.exit(0 if is_current() and (not more or is_current(*environment(more))) else 1)
    set_up()
    if more:
        set_up_more(more)


def set_up():
    """Make `.venv` and prepare the platform, unless that was done."""
    if is_current():
        return
    ensure_python()
    begun = time.time()
    uv = shutil.which("uv")
    make_environment(uv)
    install(uv, "requirements.lock", "installing the locked packages (1.6 GiB, some minutes the first time)")
    run([python(), "-m", "pipelines.local.prepare"], "preparing the platform", quiet=False)
    write_stamp()
    say("ready in %d s" % (time.time() - begun))


def environment(name):
    """Give the folder of an environment beside `.venv`, and what it is made of."""
    return os.path.join(ROOT, ".venv-%s" % name), ("requirements-%s.lock" % name, "pyproject.toml", "tools/setup.py")


def set_up_more(name):
    """Make an environment beside `.venv`, with the interpreter of that one, unless that was done."""
    venv, inputs = environment(name)
    if is_current(venv, inputs):
        return
    begun = time.time()
    uv = shutil.which("uv")
    make_environment(uv, venv, python())
    install(uv, inputs[0], "installing %s" % MORE[name], venv)
    if name == "course":
        kernel = ["-m", "ipykernel", "install", "--prefix", venv, "--name", KERNEL[0], "--display-name", KERNEL[1]]
        run([python(venv), *kernel], "installing the kernel of the labs")
    write_stamp(venv, inputs)
    say(".venv-%s ready in %d s" % (name, time.time() - begun))


def is_current(venv=VENV, inputs=INPUTS):
    """Tell whether an environment was made from just these inputs and is still where it was made."""
    try:
        with open(os.path.join(venv, os.path.basename(STAMP))) as stamp:
            return stamp.read() == fingerprint(inputs) and os.path.exists(python(venv))
    except OSError:
        return False


def write_stamp(venv=VENV, inputs=INPUTS):
    """Note what an environment was made from."""
    with open(os.path.join(venv, os.path.basename(STAMP)), "w") as stamp:
        stamp.write(fingerprint(inputs))


def fingerprint(inputs=INPUTS):
    """Hash every input, and the checkout's path: an environment cannot be moved."""
    digest = hashlib.sha256(ROOT.encode())
    for name in inputs:
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


def make_environment(uv, venv=VENV, interpreter=sys.executable):
    """Create a virtual environment anew: half-made ones are not mended."""
    name = os.path.basename(venv)
    shutil.rmtree(venv, ignore_errors=True)
    if uv:
        run([uv, "venv", "--quiet", "--python", interpreter, venv], "creating %s with uv" % name)
        return
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        fail("this Python has no venv module", "Debian, Ubuntu: apt install python3-venv; then run make again")
    run([interpreter, "-m", "venv", venv], "creating %s" % name)


def install(uv, lock, what, venv=VENV):
    """Install the packages of a lock file, all there are and checked by hash, then this checkout in place."""
    pip = (
        [uv, "pip", "install", "--python", python(venv)]
        if uv
        else [python(venv), "-m", "pip", "install", "--disable-pip-version-check"]
    )
    run(pip + ["--quiet", "--require-hashes", "--no-deps", "-r", os.path.join(ROOT, lock)], what)
    run(pip + ["--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT], "installing batchlab")


def python(venv=VENV):
    """Path of an environment's interpreter."""
    return os.path.join(venv, "Scripts" if os.name == "nt" else "bin", "python")


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
