"""PostgreSQL servers of the tests: one trusts on a Unix socket, one demands passwords."""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from node import die_with_parent, eventually

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "postgres"


def become_server():
    """In the child: PostgreSQL refuses to run as root."""
    if os.getuid() == 0:
        who = pwd.getpwnam(SUPERUSER)
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    die_with_parent()  # Last: a change of the user takes it back.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reachable_directory():
    """Where the server's user can get to, in memory if there is such a place."""
    above = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-pg-", dir=above))
    directory.chmod(0o755)
    return directory


def children(pid):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


class Postgres:
    """A server where everybody is trusted. `close` ends it and removes its files."""

    def __init__(self):
        assert (PROGRAMS / "initdb").exists(), "PostgreSQL 15 is not installed: run tools/setup"
        self.directory = reachable_directory()
        self.port, self.process, self.stopped, self.fresh_ones = free_port(), None, [], 0
        if os.getuid() == 0:
            shutil.chown(self.directory, SUPERUSER, SUPERUSER)
        subprocess.run([PROGRAMS / "initdb", "-D", self.directory / "data", "-U", SUPERUSER, "-E",
                        "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
                        *self.authentication()],
                       check=True, preexec_fn=become_server, capture_output=True, timeout=120)

    def authentication(self):
        """Words for initdb."""
        return ["--auth=trust"]

    def settings(self):
        return ["listen_addresses=", "fsync=off"]

    @property
    def log(self):
        return self.directory / "log"

    def start(self):
        words = [word for setting in self.settings() for word in ("-c", setting)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", self.directory / "data", "-p", str(self.port), "-k",
                 self.directory, *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=become_server,
                start_new_session=True)
        eventually(self.answers, 60, what="PostgreSQL answers")
        return self

    def answers(self):
        return subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.directory, "-p",
                               str(self.port)], check=False, timeout=30).returncode == 0

    def url(self, database="postgres"):
        return f"postgresql://{SUPERUSER}@/{database}?host={self.directory}&port={self.port}"

    def psql(self, statement, database="postgres"):
        """What a statement prints, without decoration."""
        return subprocess.run(
            [PROGRAMS / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", self.url(database)],
            input=statement, text=True, check=True, capture_output=True, timeout=60).stdout.strip()

    def fresh(self):
        """The URL of a database that nobody has used yet."""
        self.fresh_ones += 1
        name = f"fresh{self.fresh_ones}"
        self.psql(f"create database {name}")
        return self.url(name)

    def fresh_schema(self):
        """The URL of a schema that nobody has used yet."""
        self.fresh_ones += 1
        name = f"fresh{self.fresh_ones}"
        self.psql(f"create schema {name}")
        return f"{self.url()}&options=-csearch_path%3D{name}"

    def kill(self):
        """As a crash would: nothing is written, the log is replayed at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def fall_silent(self):
        """It is there and says nothing, as behind a network that drops everything."""
        self.stopped = [self.process.pid, *children(self.process.pid)]
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)

    def speak(self):
        for pid in self.stopped:
            os.kill(pid, signal.SIGCONT)
        self.stopped = []

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.speak()
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class GuardedPostgres(Postgres):
    """As an operator would have one: on TCP, it demands passwords, and writes down every statement
    with its values, as a careless one does."""

    def __init__(self):
        self.password = secrets.token_hex(12)
        super().__init__()

    def authentication(self):
        file = self.directory / "password"
        file.write_text(self.password + "\n")
        file.chmod(0o644)
        return ["--auth=scram-sha-256", f"--pwfile={file}"]

    def settings(self):
        return ["listen_addresses=127.0.0.1", "fsync=off", "log_statement=all",
                "log_min_duration_statement=0"]

    def url(self, user=SUPERUSER, password=None, database="postgres"):
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def psql(self, statement, user=SUPERUSER, password=None, database="postgres", check=True):
        """Rows, one a line; with check=False what became of it."""
        environment = {**os.environ, "PGPASSWORD": password or self.password,
                       "PGPASSFILE": "/dev/null"}
        done = subprocess.run(
            [PROGRAMS / "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v",
             "VERBOSITY=verbose", "-c", statement, self.url(user, database=database)],
            text=True, capture_output=True, timeout=60, env=environment)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def postgres():
    """A trusting server for all tests that ask for one."""
    server = Postgres().start()
    yield server
    server.close()
