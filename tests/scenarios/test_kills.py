"""PLAN  kill -9 at random points under mixed load, 20 rounds or 500 with SHEAF_SOAK=1: what was
acknowledged as durable is whole, generations never repeat, nothing partial is seen, and the
disk holds nothing that nobody knows · kills during start · kills during one large commit.
"""

import os
import random
import threading

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import into, one, run, sql
from kills import Load
from node import eventually

SOAK = os.environ.get("SHEAF_SOAK") == "1"
ROUNDS = 500 if SOAK else 20
SEED = int(os.environ.get("SHEAF_SEED", random.randrange(10**9)))

pytestmark = pytest.mark.timeout(3000 if SOAK else 240)


def test_kills_under_mixed_load_lose_nothing_and_tear_nothing(start):
    print(f"replay with SHEAF_SEED={SEED}")
    load, chance = Load(SEED), random.Random(SEED)
    node = start()
    for _ in range(ROUNDS):
        load.start(node)
        threading.Event().wait(chance.uniform(0.02, 0.7))
        node.kill()
        load.stop()
        node.start().settle()  # What was killed is queued again: then all is what it will be.
        with node.client() as client:
            load.check(client)
    assert load.acknowledged > 10 * ROUNDS, "the load did hardly anything"
    # The sweep left what the index knows and no more; what was queued again has replaced some.
    node.restart()
    with node.client() as client:
        known = sum(each.total_bytes for each in calls.flights(client))
        eventually(lambda: flight_bytes(node) < 2 * known + (8 << 20), timeout_s=10,
                   what=f"{known} bytes of flights in {flight_bytes(node)} bytes of files")


def flight_bytes(node):
    return sum(size for name, (size, _) in node.files().items() if name.startswith("flights"))


def test_kills_while_starting_lose_nothing(start):
    node = start()
    with node.client() as client:
        for number in range(30):
            calls.put(client, ["start", str(number)], pa.table({"n": [number] * 100}))
    chance = random.Random(SEED)
    node.kill()
    for _ in range(ROUNDS // 2):
        node.spawn()
        threading.Event().wait(chance.uniform(0.0, 0.25))
        node.kill()
    node.start()
    with node.client() as client:
        assert len(calls.paths(client)) == 30
        for number in range(30):
            assert run(client, ["start", str(number)])[1]["n"].to_pylist() == [number] * 100


def test_kills_within_a_large_commit_leave_the_old_or_the_new(start):
    node = start()
    chance = random.Random(SEED)
    sizes = {1: 1_000_000, 2: 3_000_000}
    with node.client() as client:
        calls.put(client, ["big"], pa.table({"n": [1] * sizes[1]}))
    for number in range(ROUNDS // 4):
        text = f"select 2 as n from range({sizes[2]})"

        def write():
            with node.client() as client:
                try:
                    if number % 2:
                        calls.put(client, ["big"], pa.table({"n": [2] * sizes[2]}))
                    else:
                        run(client, sql(text, sink=into("big", reuse="never")))
                except (fl.FlightError, pa.ArrowException):
                    pass  # What it had done is seen below.

        writer = threading.Thread(target=write)
        writer.start()
        threading.Event().wait(chance.uniform(0.0, 0.4))
        node.kill()
        writer.join(60)
        node.start()
        with node.client() as client:
            asked = sql("select min(n) = max(n) and count(*) = case min(n) when 1 then "
                        f"{sizes[1]} else {sizes[2]} end as whole from t",
                        {"t": {"path": ["big"]}})
            assert one(client, asked) is True
            calls.put(client, ["big"], pa.table({"n": [1] * sizes[1]}))


def test_a_memory_flight_moved_to_disk_stays_what_it_was(start):
    """Under pressure memory uploads move to disk; a kill then leaves all of it or nothing."""
    node = start(settings={"memory.budget": "128MiB"})
    with node.client() as client:
        for number in range(8):
            where = {"sink": into("moved", str(number), tier="memory")}
            receipt = calls.put(client, where, pa.table({"n": [number] * 2_000_000}),
                                chunk_rows=200_000)
            assert receipt["durable"] is False
        for number in range(8):
            asked = sql("select min(n) = max(n) and count(*) = 2000000 as whole from t",
                        {"t": {"path": ["moved", str(number)]}})
            assert one(client, asked) is True
    node.kill()
    node.start()
    with node.client() as client:
        for path in calls.paths(client):
            assert run(client, path)[1]["n"].to_pylist() == [int(path[1])] * 2_000_000
