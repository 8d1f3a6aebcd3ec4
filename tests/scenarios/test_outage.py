"""The database of a node is away: what it acknowledged is kept, and made when it is back."""

# PLAN  killed or silent under load: the node stays ready and says what waits, reads say why they
#       fail, and every acknowledged run is in history once afterwards · the node is killed
#       meanwhile: the next start makes what waits first, and says what to do while it cannot ·
#       another server takes the name meanwhile: what waited is set aside, readable and named

import collections
import json
import os
import pathlib
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import info, into, refused, rows, sql
from postgres import Postgres
from node import BIN, eventually

SOAK = os.environ.get("SHEAF_SOAK") == "1"
AWAY_S = 60 if SOAK else 4

pytestmark = pytest.mark.timeout(600 if SOAK else 240)


@pytest.fixture
def database():
    made = Postgres().start()
    yield made
    made.close()


@pytest.fixture
def begin(start, database):
    """Starts nodes on the database."""
    return lambda name="node", **settings: start(
        name, settings={"persistence.backend": database.url(), "sql.threads": 1, **settings})


def memory(node):
    return node.http("/api/v1/node").json["health"]["persistence"]


def waits_for(node, state, timeout_s=60):
    return eventually(lambda: memory(node)["state"] == state and memory(node), timeout_s,
                      what=f"persistence {state}")


class Load:
    """Threads that run what nobody ran before, until they are stopped or their node is gone."""

    def __init__(self, node, prefix, writers=3):
        self.node, self.prefix = node, prefix
        self.over, self.lock = threading.Event(), threading.Lock()
        self.acknowledged, self.wrong, self.next = [], [], 0
        self.threads = [threading.Thread(target=self.write) for _ in range(writers)]
        for thread in self.threads:
            thread.start()

    def write(self):
        with fl.FlightClient(self.node.flight) as client:
            while not self.over.is_set():
                with self.lock:
                    mark, self.next = self.next, self.next + 1
                try:
                    calls.run(client, sql(f"select {mark} as n, '{self.prefix}' as p",
                                          sink=into(self.prefix, str(mark))))
                except fl.FlightUnavailableError:
                    return  # The node was killed; this one is in doubt.
                except (fl.FlightError, pa.ArrowException) as error:
                    self.wrong.append(error)
                    return
                with self.lock:
                    self.acknowledged.append(mark)
                self.over.wait(0.01)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        assert not self.wrong, self.wrong
        assert self.acknowledged
        return self

    def in_history(self, client):
        """How often history has each run of this load."""
        found = rows(client, {"service": "sheaf", "spec": {"table": "jobs", "limit": 10_000}})
        said = collections.Counter()
        for job in found:
            prefix, _, mark = job["description"].removeprefix("sql > ").partition("/")
            if prefix == self.prefix:
                said[int(mark)] += 1
        return said

    def compare(self, client):
        said = self.in_history(client)
        lost = set(self.acknowledged) - set(said)
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} are not in history: {lost}"
        assert set(said.values()) == {1}, [mark for mark, count in said.items() if count > 1]


@pytest.mark.parametrize("way", ["killed", "silent"])
def test_nothing_acknowledged_is_lost_while_the_database_is_away(begin, database, way):
    node = begin()
    load = Load(node, way)
    eventually(lambda: len(load.acknowledged) > 20, what="some runs before")
    (database.kill if way == "killed" else database.fall_silent)()
    gone = time.monotonic()
    waits_for(node, "degraded")
    before = len(load.acknowledged)
    eventually(lambda: len(load.acknowledged) > before + 20, 60, what="runs while it is away")
    said = memory(node)
    assert said["spool"]["records"] > 0 and said["spool"]["bytes"] > 0
    assert said["spool"]["since"] and said["error"]
    assert node.http("/ready").status == 200
    with node.client() as client:
        with refused("DEPENDENCY", says="writes wait for it"):
            rows(client, ["sheaf", "jobs"])
    assert node.metric("sheaf_persistence_state") == 2
    assert node.metric("sheaf_persistence_spooled_records") > 0
    shown = subprocess.run([BIN, "health", "--server", node.flight], capture_output=True,
                           text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    assert "is degraded" in shown.stdout and "wait since" in shown.stdout, shown.stdout
    load.over.wait(max(0, AWAY_S - (time.monotonic() - gone)))
    (database.start if way == "killed" else database.speak)()
    waits_for(node, "ok", 120)
    load.stop()
    node.settle()
    assert (memory(node)["spool"]["records"], memory(node)["spool"]["set_aside"]) == (0, 0)
    assert node.metric("sheaf_persistence_replayed_total") > 0
    with node.client() as client:
        load.compare(client)
    log = node.log.read_text()
    assert log.count("the database is away: what is written waits") <= 3, "a line a change"
    print(f"{way}: {len(load.acknowledged)} runs acknowledged, "
          f"{node.metric('sheaf_persistence_replayed_total'):.0f} writes replayed")


def test_a_node_that_dies_while_the_database_is_away(begin, database):
    node = begin()
    load = Load(node, "dies")
    eventually(lambda: len(load.acknowledged) > 5, what="some runs before")
    database.kill()
    waits_for(node, "degraded")
    before = len(load.acknowledged)
    eventually(lambda: len(load.acknowledged) > before + 20, what="runs while it is away")
    node.kill()
    load.stop()

    def fails(**settings):
        words = [f"--set={key}={value}" for key, value in {**node.settings, **settings}.items()]
        done = subprocess.run([BIN, "serve", "--state", node.state, *words], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 3, done.stderr
        return done.stderr

    assert "start the database" in fails()
    assert "writes for postgresql:" in fails(**{"persistence.backend": "sqlite:sheaf.db"})
    database.start()
    node.start()
    assert memory(node)["state"] == "ok"
    node.settle()
    assert memory(node)["spool"]["set_aside"] == 0
    with node.client() as client:
        load.compare(client)
        more = load.in_history(client)
    node.restart()
    with node.client() as client:
        assert load.in_history(client) == more


def test_what_waited_is_set_aside_when_another_server_took_the_name(begin, database):
    first = begin("first", **{"node.name": "twin"})
    database.kill()
    load = Load(first, "stale")
    waits_for(first, "degraded")
    eventually(lambda: len(load.acknowledged) > 10, what="runs while it is away")
    load.stop()
    eventually(lambda: memory(first)["waiting"] == 0, what="all of it in the spool")
    first.signal(19)  # SIGSTOP: it does not see the database come back.
    database.start()
    second = begin("second", **{"node.name": "twin"})
    first.signal(18)
    said = waits_for(first, "lost")
    assert f"process {second.pid}" in said["error"]
    assert said["spool"]["records"] == 0 and said["spool"]["set_aside"] > 0
    assert first.metric("sheaf_persistence_set_aside_total") == said["spool"]["set_aside"]
    eventually(lambda: first.http("/ready").status == 503, what="not ready")
    (kept,) = said["spool"]["kept"]
    lines = [json.loads(line) for line in pathlib.Path(kept).read_text().splitlines()]
    assert len(lines) == said["spool"]["set_aside"]
    assert all("ownership of node/twin is lost" in line["why"] for line in lines)
    aside = [json.loads(work)["job"]["description"] for line in lines
             for work in line["record"].get("works", [])]
    assert {f"sql > stale/{mark}" for mark in load.acknowledged} <= set(aside)
    shown = subprocess.run([BIN, "health", "--server", first.flight], capture_output=True,
                           text=True, timeout=60)
    assert "are set aside" in shown.stdout and kept in shown.stdout
    with second.client() as client:
        assert not load.in_history(client)
        assert info(client, sql("select 1 as n")) is not None
    assert memory(second)["state"] == "ok"
