"""A PostgreSQL of the tests' own, on a Unix socket in a directory of its own."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

from node import die_with_parent, eventually

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
USER = "postgres"


def _as_server():
    """In the child: the server refuses to run as root, and ends with the tests."""
    if os.getuid() == 0:
        who = pwd.getpwnam(USER)
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    die_with_parent()


class Postgres:
    """Started once a session; every database of it is fresh."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-pg-"))
        self.directory.chmod(0o755)
        if os.getuid() == 0:
            who = pwd.getpwnam(USER)
            os.chown(self.directory, who.pw_uid, who.pw_gid)
        data = self.directory / "data"
        self._run("initdb", "-D", data, "-U", USER, "-E", "UTF8", "--auth=trust", "--no-sync",
                  "--no-instructions")
        self.process = subprocess.Popen(
            [PROGRAMS / "postgres", "-D", data, "-k", self.directory, "-c", "listen_addresses=",
             "-c", "fsync=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", preexec_fn=_as_server)
        eventually(self.answers, timeout_s=60, what="PostgreSQL")
        self.databases = 0

    def _run(self, program, *arguments):
        subprocess.run([PROGRAMS / program, *map(str, arguments)], check=True, cwd="/",
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120,
                       preexec_fn=_as_server)

    def answers(self):
        """Whether somebody answers."""
        return subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.directory], check=False,
                              timeout=20).returncode == 0

    def psql(self, statement, database="postgres"):
        """What a statement prints, without decoration."""
        return subprocess.run(
            [PROGRAMS / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.directory,
             "-U", USER, "-d", database], input=statement, text=True, check=True, cwd="/",
            capture_output=True, timeout=60).stdout.strip()

    def fresh(self):
        """The URL of a database nobody has used."""
        self.databases += 1
        name = f"fresh{self.databases}"
        self.psql(f"create database {name}")
        return f"postgresql://{USER}@/{name}?host={self.directory}"

    def stop(self):
        """Ends the server and removes what it wrote."""
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.directory)


@pytest.fixture(scope="session")
def postgres():
    """A server for all tests that ask for one; it must be installed."""
    assert (PROGRAMS / "initdb").exists(), "PostgreSQL 15 is not installed: run tools/setup"
    server = Postgres()
    yield server
    server.stop()
