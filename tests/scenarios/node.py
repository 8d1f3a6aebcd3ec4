"""A node of Sheaf as its own process: started on free ports, asked, stopped by its process id."""

import ctypes
import dataclasses
import http.client
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import time

import pyarrow.flight as fl

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SHEAF_BIN", ROOT / "build/test/bin/sheaf"))
READY_S, STOP_S = 30, 30
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def die_with_parent():
    """In the child: no node outlives a test run that was cut off."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def eventually(check, timeout_s=10, every_s=0.02, what="the condition"):
    """Polls until `check` returns something true, and returns it; fails at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not hold within {timeout_s} s; last: {found!r}")
        time.sleep(every_s)


@dataclasses.dataclass
class Answer:
    """What HTTP said."""

    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return json.loads(self.text)


class Node:
    """One `sheaf serve`. `directory` holds its state and its log and outlives the process."""

    live = []  # Every node of this session, newest last: what a failed test shows.

    def __init__(self, directory, roots=(), settings=None, environment=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state = self.directory / "state"
        self.log = self.directory / "node.log"
        self.settings = {"flight.listen": "127.0.0.1:0", "http.listen": "127.0.0.1:0",
                         "log.format": "json", **(settings or {})}
        if roots:
            self.settings["files.roots"] = ",".join(str(root) for root in roots)
        self.environment = environment or {}
        self.flags = []  # More words of the next start: "--cold".
        self.process, self.ready, self.rest = None, None, b""
        Node.live.append(self)

    def arguments(self):
        sets = [f"--set={key}={value}" for key, value in self.settings.items()]
        return [str(BIN), "serve", "--state", str(self.state), *self.flags, *sets]

    def spawn(self):
        """Starts the process and returns at once."""
        self.ready, self.rest = None, b""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, **self.environment}, start_new_session=True,
                preexec_fn=die_with_parent)
        return self

    def start(self):
        """Starts the process and waits for its ready line."""
        self.spawn()
        self.ready = json.loads(self.first_line())
        assert self.ready["ready"] is True and self.ready["pid"] == self.process.pid
        return self

    def first_line(self, timeout_s=READY_S):
        deadline = time.monotonic() + timeout_s
        out = self.process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                assert selector.select(deadline - time.monotonic()), "the node never said ready"
                part = os.read(out, 65536)
                if not part:
                    raise AssertionError(f"the node ended, exit {self.process.wait(STOP_S)}: "
                                         f"{self.log_tail()}")
                self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    # --- where it is, what it says -------------------------------------------------------------

    @property
    def flight(self):
        return self.ready["flight"]

    @property
    def pid(self):
        return self.process.pid

    def client(self, **options):
        return fl.FlightClient(self.flight, **options)

    def http(self, path, method="GET", body=None, headers=None, timeout_s=20):
        host, port = self.ready["http"].removeprefix("http://").rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, headers, reply.read().decode())
        finally:
            connection.close()

    def metrics(self):
        """{(name, frozenset of labels): value} of /metrics."""
        found = {}
        for line in self.http("/metrics").text.splitlines():
            match = SERIES.match(line)
            if match:
                labels = frozenset(LABEL.findall(match[2] or ""))
                found[(match[1], labels)] = float(match[3])
        return found

    def metric(self, name, **labels):
        """The sum of the series of this name that carry these labels; 0 when there is none."""
        wanted = set(labels.items())
        return sum(value for (known, has), value in self.metrics().items()
                   if known == name and wanted <= has)

    def outcome(self, outcome):
        """How many nodes of commands were answered by hit, run, attached or fused."""
        return self.metric("sheaf_tasks_total", outcome=outcome)

    def log_tail(self, size=6000):
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-size:].decode(errors="replace")

    # --- what the process holds ----------------------------------------------------------------

    def status_kb(self, field):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.M)[1])

    def resident_mb(self):
        """Anonymous and shared memory; mapped files are the system's to take back."""
        return (self.status_kb("RssAnon") + self.status_kb("RssShmem")) / 1024

    def threads(self):
        return self.status_kb("Threads")

    def descriptors(self):
        """What the open descriptors name."""
        names = []
        for entry in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                names.append(os.readlink(entry))
            except FileNotFoundError:
                continue
        return names

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self):
        """{path below the state directory: (size, mtime in ns)}."""
        found = {}
        for path in self.state.rglob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found[str(path.relative_to(self.state))] = (facts.st_size, facts.st_mtime_ns)
        return found

    def settle(self, timeout_s=60):
        """Waits until nothing runs, is to be queued again, or waits to be written down."""
        def look():
            health = self.http("/api/v1/node").json["health"]
            kept = health["persistence"]
            return health["tasks"] == kept["to_resume"] == kept["waiting"] == kept["live"] == 0

        eventually(look, timeout_s, what="the end of all work")
        return self

    # --- ending --------------------------------------------------------------------------------

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=STOP_S):
        """The exit code; standard output held nothing but the ready line."""
        code = self.process.wait(timeout_s)
        with self.process.stdout:
            more = self.rest + self.process.stdout.read()
        assert more == b"", f"standard output is for the ready line alone: {more[:300]}"
        return code

    def stop(self, timeout_s=STOP_S):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(STOP_S)
        self.process.stdout.close()

    def restart(self):
        assert self.stop() == 0, self.log_tail()
        return self.start()

    def close(self):
        """Ends what still runs and says whether it ended well."""
        if self in Node.live:
            Node.live.remove(self)
        if not self.running():
            return 0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            return "hung after SIGTERM"
