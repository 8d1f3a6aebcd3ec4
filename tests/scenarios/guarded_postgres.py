"""A PostgreSQL of a test's own, as an operator would have one: it demands passwords."""

import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile

from node import die_with_parent, eventually

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "postgres"


def become_server():
    """In the child: PostgreSQL refuses to run as root."""
    die_with_parent()
    if os.getuid() == 0:
        who = pwd.getpwnam(SUPERUSER)
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
        die_with_parent()  # A change of the user takes it back.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reachable_directory():
    """Where the server's user can get to, in memory if there is such a place."""
    above = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-roles-", dir=above))
    directory.chmod(0o755)
    return directory


class Postgres:
    """`close` ends it and removes its files."""

    def __init__(self):
        self.directory = reachable_directory()
        self.password = secrets.token_hex(12)
        self.port = free_port()
        if os.getuid() == 0:
            shutil.chown(self.directory, SUPERUSER, SUPERUSER)
        password_file = self.directory / "password"
        password_file.write_text(self.password + "\n")
        password_file.chmod(0o644)
        self._run("initdb", "-D", self.directory / "data", "-U", SUPERUSER, "-E", "UTF8",
                  "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}",
                  "--no-sync", "--no-instructions")
        # What a careless server writes down: every statement with its values.
        self.log = self.directory / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", self.directory / "data", "-p", str(self.port),
                 "-k", self.directory, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                 "-c", "log_statement=all", "-c", "log_min_duration_statement=0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=become_server,
                start_new_session=True)
        eventually(lambda: self.psql("select 1", check=False).returncode == 0, 60,
                   what="PostgreSQL answers")

    def _run(self, program, *words):
        subprocess.run([PROGRAMS / program, *map(str, words)], check=True, preexec_fn=become_server,
                       capture_output=True, timeout=120)

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
        if check:
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()
        return done

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)
