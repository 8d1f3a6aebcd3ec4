"""A PostgreSQL that goes away and comes back: killed, silent, started again."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from node import die_with_parent, eventually

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
USER = "postgres"


def become_server():
    """In the child: PostgreSQL refuses to run as root."""
    if os.getuid() == 0:
        who = pwd.getpwnam(USER)
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    die_with_parent()  # Last: a change of the user takes it back.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


class Database:
    """One server on a Unix socket, where everybody is trusted. `close` ends it and its files."""

    def __init__(self):
        above = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-outage-", dir=above))
        self.directory.chmod(0o755)
        self.port, self.process, self.stopped, self.schemas = free_port(), None, [], 0
        if os.getuid() == 0:
            shutil.chown(self.directory, USER, USER)
        subprocess.run([PROGRAMS / "initdb", "-D", self.directory / "data", "-U", USER, "-E",
                        "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync",
                        "--no-instructions"],
                       check=True, preexec_fn=become_server, capture_output=True, timeout=120)

    @property
    def url(self):
        return f"postgresql://{USER}@/postgres?host={self.directory}&port={self.port}"

    def fresh_url(self):
        """A schema that nobody has used yet."""
        self.schemas += 1
        name = f"fresh_{self.schemas}"
        subprocess.run([PROGRAMS / "psql", "-X", "-q", "-c", f"create schema {name}", self.url],
                       check=True, capture_output=True, timeout=60)
        return f"{self.url}&options=-csearch_path%3D{name}"

    def start(self):
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", self.directory / "data", "-p", str(self.port), "-k",
                 self.directory, "-c", "listen_addresses="],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=become_server,
                start_new_session=True)
        eventually(self.answers, 60, what="PostgreSQL answers")
        return self

    def answers(self):
        return subprocess.run([PROGRAMS / "pg_isready", "-h", self.directory, "-p",
                               str(self.port)], capture_output=True, timeout=30).returncode == 0

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
