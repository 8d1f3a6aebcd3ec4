"""PLAN  clients that are frozen, dead, or alive and silent, in the middle of reading, uploading and
waiting: what they held is back within five seconds, and everybody else is served all the while.
"""

import json
import socket
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import info, one, refused, sql
from node import eventually
from stuck import Stuck

BACK_S, SERVED_S = 5.0, 1.0
SCHEMA = pa.schema([("n", pa.int64())])


def with_big(node):
    """Puts 64 MB under ["big"], more than any window of the network holds."""
    with node.client() as client:
        calls.put(client, ["big"], pa.table({"n": np.arange(8_000_000)}))
    return node


@pytest.fixture
def big(node):
    return with_big(node)


@pytest.fixture
def impatient(start):
    return with_big(start(settings={"flight.idle_read_s": 3, "flight.idle_write_s": 3}))


class Neighbour:
    """Somebody who asks all the time and must be answered quickly."""

    def __init__(self, node):
        self.node, self.over, self.worst, self.count = node, threading.Event(), 0.0, 0
        self.error = None
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        try:
            with self.node.client() as client:
                while not self.over.wait(0.02):
                    begun = time.monotonic()
                    self.count += 1
                    assert one(client, sql(f"select {self.count} as n")) == self.count
                    self.worst = max(self.worst, time.monotonic() - begun)
        except (fl.FlightError, AssertionError) as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        eventually(lambda: self.count > 1, what="the neighbour's first answer")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        assert self.error is None, self.error
        assert self.worst < SERVED_S, f"a neighbour waited {self.worst} s"


def sockets(node):
    return sum(name.startswith("socket:") for name in node.descriptors())


def free(node, path):
    """Whether the path can be written: nobody holds it."""
    with node.client() as client:
        try:
            return calls.put(client, path, pa.table({"n": [1]}))
        except fl.FlightError as error:
            assert calls.detail_of(error)["code"] == "CONFLICT"
            return None


@pytest.mark.parametrize("count", [1, 20])
def test_frozen_readers_are_noticed_and_what_they_held_is_back(big, count):
    with Neighbour(big):
        held = sockets(big)
        memory = big.resident_mb()
        with Stuck(big, "read", count) as readers:
            assert sockets(big) > held
            readers.freeze()
            eventually(lambda: sockets(big) <= held, timeout_s=BACK_S + 1, what="their sockets")
            eventually(lambda: big.resident_mb() < memory + 150, what="their memory")
            assert readers.running()


@pytest.mark.parametrize("way", ["freeze", "kill"])
def test_uploads_of_frozen_or_dead_senders_are_undone(big, way):
    with Neighbour(big), Stuck(big, "put", 5) as writers:
        assert free(big, ["stuck", "0"]) is None
        getattr(writers, way)()
        for number in range(5):
            eventually(lambda n=number: free(big, ["stuck", str(n)]), timeout_s=BACK_S + 1,
                       every_s=0.1, what="the path of the upload")


def test_tasks_of_frozen_waiting_clients_are_cancelled(big):
    with big.client() as client:
        with Stuck(big, "wait", 2) as waiting:
            eventually(lambda: len(calls.tasks(client, state="executing")) == 2, what="the tasks")
            waiting.freeze()
            eventually(lambda: not calls.tasks(client, state="executing"),
                       timeout_s=BACK_S + 1, what="the end of the tasks")


def test_a_silent_living_sender_is_ended_with_its_reason(impatient):
    with Neighbour(impatient), impatient.client() as client:
        writer, _ = client.do_put(calls.by(["silent", "put"]), SCHEMA)
        writer.write_batch(pa.record_batch([[1]], schema=SCHEMA))
        eventually(lambda: impatient.metric("sheaf_received_rows_total") > 8_000_000, what="a row")
        begun = time.monotonic()
        assert free(impatient, ["silent", "put"]) is None
        eventually(lambda: free(impatient, ["silent", "put"]), timeout_s=BACK_S + 1, every_s=0.1,
                   what="the path of the upload")
        assert time.monotonic() - begun > 2
        with pytest.raises((fl.FlightError, pa.ArrowException)) as caught:
            writer.close()
        detail = calls.detail_of(caught.value)
        assert detail["code"] == "DEADLINE" and detail["details"]["request"]


def test_a_sender_that_speaks_now_and_then_is_left_alone(impatient):
    with impatient.client() as client:
        writer, receipts = client.do_put(calls.by(["slow", "put"]), SCHEMA)
        for number in range(3):
            writer.write_batch(pa.record_batch([[number]], schema=SCHEMA))
            threading.Event().wait(1.6)  # Longer together than idle_read_s, never at once.
        writer.done_writing()
        assert receipts.read() is not None
        writer.close()
        assert one(client, sql("select count(*) from t", {"t": {"path": ["slow", "put"]}})) == 3


def test_a_silent_living_reader_is_ended(impatient):
    with Neighbour(impatient), impatient.client() as client:
        reader = client.do_get(info(client, ["big"]).endpoints[0].ticket)
        rows = reader.read_chunk().data.num_rows
        line = eventually(lambda: get_line(impatient), timeout_s=BACK_S + 1, what="the end")
        assert json.loads(line)["code"] == "DEADLINE", line
        with refused("DEADLINE", says="unread") as refusal:
            while True:
                rows += reader.read_chunk().data.num_rows
        assert rows < 8_000_000 and refusal.details["request"]


def get_line(node):
    """What the log says of the DoGet of ["big"], once it is over."""
    return next((line for line in node.log_tail(200_000).splitlines()
                 if '"DoGet"' in line and '"rows":1,' not in line), None)


def test_connections_that_never_speak_cost_no_thread(big):
    threads = big.threads()
    silent = [socket.create_connection(("127.0.0.1", int(port)))
              for port in (uri.rsplit(":", 1)[1] for uri in (big.flight, big.ready["http"]))
              for _ in range(150)]
    try:
        with Neighbour(big) as neighbour:
            for one_of in silent[::2]:
                one_of.sendall(b"GET / HT")
            eventually(lambda: neighbour.count > 20, what="the neighbour")
            assert big.http("/live").status == 200
            eventually(lambda: big.threads() < threads + 40, what="few threads")
    finally:
        for one_of in silent:
            one_of.close()


def test_many_waiting_callers_hold_no_thread(start):
    node = start(settings={"tasks.running_max": 2})
    with node.client() as client:
        one(client, sql("select 1 as n"))
    threads = node.threads()
    with Stuck(node, "wait", 200):
        with node.client() as client:
            eventually(lambda: len(calls.tasks(client)) >= 200, what="200 tasks")
            assert node.threads() < threads + 60
            assert len(calls.tasks(client, state="executing")) == 2
        assert node.http("/ready").status == 200
    with node.client() as client:
        eventually(lambda: not [task for task in calls.tasks(client)
                                if task["state"] in ("queued", "executing")], what="their end")
        assert one(client, sql("select 2 as n")) == 2
