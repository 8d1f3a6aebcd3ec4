"""A node with its database, brought up, looked at and brought down by the program itself."""

# PLAN  up, up, check, down, check, up: embedded and with a PostgreSQL of its own, whose history
#       is still there · after kills up starts what is missing · what could not come up says why ·
#       what somebody else started is left alone · the samples come up · an interrupt leaves none

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess

import pytest

from node import BIN, Node, eventually
from postgres import reachable_directory
from program import sheaf, told

FREE_PORTS = ["--set", "flight.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0"]


@pytest.fixture
def place():
    """A directory that the database's user can get to; what was left up is ended."""
    directory = reachable_directory()
    yield directory
    subprocess.run([BIN, "down", "--state", directory / "state"], timeout=120,
                   capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("backend", ["sqlite:sheaf.db", "postgresql:local"])
def test_up_check_down_and_up_again(place, backend):
    state = place / "state"
    at = ["--state", state, "--set", f"persistence.backend={backend}", *FREE_PORTS]
    local = backend == "postgresql:local"
    first = told("up", *at)
    assert first["started"] == {"node": True, "database": True}
    kept = ["query", "--server", first["flight"], "select 7 as n", "--sink", "up/seven"]
    sheaf(*kept)
    again = told("up", *at)
    assert again["started"] == {"node": False, "database": False}
    assert (again["pid"], again["flight"]) == (first["pid"], first["flight"])
    up = told("check", *at)
    assert up["node"]["ready"] and up["node"]["health"]["persistence"]["state"] == "ok"
    jobs = ["db", "history", "--state", state, "--backend", backend, "--json"]
    eventually(lambda: json.loads(sheaf(*jobs))["rows"], what="a job in history")
    if local:
        assert up["database"] == {"up": True}
        socket_directory = state / "postgres/socket"
        assert stat.S_IMODE(socket_directory.stat().st_mode) == 0o700
        assert not (state / "postgres.superuser.pass").exists()
        server = int((state / "postgres/data/postmaster.pid").read_text().split()[0])
        assert listening(server) == set()
    assert told("down", *at)["stopped"] == {"node": True, "database": local}
    assert json.loads(subprocess.run([BIN, "check", *map(str, at), "--json"], text=True,
                                     capture_output=True).stdout)["exit"] == 3
    assert "nothing was up" in sheaf("down", *at)
    assert told("up", *at)["started"] == {"node": True, "database": local}
    rows = json.loads(sheaf(*jobs))["rows"]
    assert [row["description"] for row in rows] == ["sql > up/seven"]
    server = told("up", *at)["flight"]
    assert json.loads(sheaf("get", "up/seven", "--json", "--server", server)) == [{"n": 7}]


def listening(pid):
    """Inodes of TCP sockets on which the process listens."""
    mine = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        found = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
        if found:
            mine.add(found[1])
    tables = "".join(pathlib.Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    return {fields[9] for fields in map(str.split, tables.splitlines())
            if fields[3] == "0A" and fields[9] in mine}


def test_up_after_a_kill_starts_what_is_missing(place):
    at = ["--state", place / "state", "--set", "persistence.backend=postgresql:local", *FREE_PORTS]
    first = told("up", *at)
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: subprocess.run([BIN, "check", *map(str, at)],
                                      capture_output=True).returncode == 1, what="check tells")
    second = told("up", *at)
    assert second["started"] == {"node": True, "database": False}
    database = int((place / "state/postgres/data/postmaster.pid").read_text().split()[0])
    os.kill(database, signal.SIGQUIT)  # As a crash.
    eventually(lambda: not pathlib.Path(f"/proc/{database}").exists(), what="the database's end")
    plain = subprocess.run([BIN, "check", "--state", place / "state"], text=True,
                           capture_output=True)  # By what runs, not by these settings.
    assert (plain.returncode, "database: down" in plain.stdout) == (1, True), plain.stdout
    third = told("up", *at)
    assert third["started"] == {"node": False, "database": True} and third["pid"] == second["pid"]
    eventually(lambda: told_ready(at), 30, what="the node is well again")


def told_ready(at):
    done = subprocess.run([BIN, "check", *map(str, at), "--json"], text=True, capture_output=True)
    return done.returncode == 0


def test_up_says_why_it_could_not(place):
    state = place / "state"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = sheaf("up", "--state", state, "--set", "http.enabled=false", "--set",
                     f"flight.listen=127.0.0.1:{taken.getsockname()[1]}", code=1)
    assert "exit code 4" in said and "node.log" in said
    assert "expected" in sheaf("up", "--state", state, "--set", "stop.drain_s=x", code=2)
    local = ["--state", place / "other", "--set", "persistence.backend=postgresql:local"]
    assert "up.postgres_programs" in sheaf(
        "up", *local, "--set", f"up.postgres_programs={place}", code=1)
    long = place / ("x" * 100)
    assert "too long for a socket" in sheaf(
        "up", "--state", long, "--set", "persistence.backend=postgresql:local", code=1)


def test_the_samples_of_examples_come_up(place):
    examples = pathlib.Path(__file__).resolve().parents[2] / "examples"
    for name in ("embedded.toml", "local_postgresql.toml"):
        at = ["--config", examples / name, "--state", place / name.split(".")[0], *FREE_PORTS]
        assert told("up", *at)["ready"] is True
        sheaf("check", *at)
        sheaf("down", *at)


def test_a_node_that_somebody_else_started_is_left_alone(place):
    node = Node(place / "node").start()
    said = sheaf("up", "--state", node.state, *FREE_PORTS, code=1)
    assert "exit code 3" in said and str(node.pid) in said
    assert "nothing was up" in sheaf("down", "--state", node.state)
    assert node.running() and node.close() == 0


def test_an_interrupted_up_leaves_no_node(place):
    with socket.socket() as deaf:  # The node waits for a database that never says a word.
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        deaf.settimeout(30)
        backend = f"postgresql://u@127.0.0.1:{deaf.getsockname()[1]}/d"
        up = subprocess.Popen([BIN, "up", "--state", place / "state", "--set",
                               f"persistence.backend={backend}", *FREE_PORTS],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deaf.accept()
        node = next(entry for entry in pathlib.Path("/proc").iterdir()
                    if entry.name.isdigit() and serves(entry, place / "state"))
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 130
        eventually(lambda: not serves(node, place / "state"), 30, what="the node's end")
    assert not (place / "state/run/node.json").exists()


def serves(entry, state):
    """Whether the process is a node on this state directory."""
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")[1:4] == [
            b"serve", b"--state", str(state).encode()]
    except (FileNotFoundError, ProcessLookupError):
        return False
