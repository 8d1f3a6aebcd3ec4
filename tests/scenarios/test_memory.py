"""PLAN  a node of 256 MiB takes ten times as much in both tiers, by uploads, results and SQL,
serves it
rightly from disk to several readers at once, and never holds more than its budget and a quarter.
"""

import concurrent.futures
import random
import threading

import numpy as np
import pyarrow as pa
import pytest

import calls
from calls import into, run, sql
from node import eventually

BUDGET_MB = 256
ABOVE_MB = BUDGET_MB * 1.25
FLIGHTS, ROWS = 40, 8_000_000  # 64 MB each, ten times the budget together.


class Watch:
    """The most memory that a node held above what it held idle, looked at all the time."""

    def __init__(self, node):
        self.node, self.idle, self.peak = node, node.resident_mb(), 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self):
        while not self.over.wait(0.02):
            self.peak = max(self.peak, self.node.resident_mb() - self.idle)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def numbers(seed):
    return np.random.default_rng(seed).integers(0, 1 << 40, ROWS)


def table(seed):
    return pa.table({"n": pa.array(numbers(seed))})


def tier(seed):
    return "memory" if seed % 4 == 0 else "disk"


@pytest.fixture
def small(start):
    node = start(settings={"memory.budget": f"{BUDGET_MB}MiB"})
    with node.client() as client:
        # What a node needs to have run at all is not what data costs it.
        calls.one(client, sql("select count(*) from range(1000)"))
    return node


def upload(node, seed):
    with node.client() as client:
        where = {"sink": into("data", str(seed), tier=tier(seed))}
        assert calls.put(client, where, table(seed), chunk_rows=500_000)["rows"] == ROWS


def check(node, seed):
    """The flight by DoGet or through SQL; its sum must be right."""
    wanted = int(numbers(seed).sum())
    with node.client() as client:
        if seed % 2:
            asked = sql("select sum(n)::bigint as s from t", {"t": {"path": ["data", str(seed)]}})
            assert calls.one(client, asked) == wanted
            return
        total = 0
        for endpoint in calls.info(client, ["data", str(seed)]).endpoints:
            for chunk in client.do_get(endpoint.ticket):
                total += int(chunk.data["n"].to_numpy().sum())
        assert total == wanted


def test_ten_times_the_budget_stays_within_it_and_is_answered_from_disk(small):
    with Watch(small) as watch, concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda seed: upload(small, seed), range(FLIGHTS)))
        uploaded = watch.peak
        order = random.Random(7).sample(range(FLIGHTS), FLIGHTS)
        list(pool.map(lambda seed: check(small, seed), order))
        read = watch.peak
        with small.client() as client:
            text = "select n, n % 1000 as k from t"
            for seed in (1, 2, 4):
                made = sql(text, {"t": {"path": ["data", str(seed)]}}, sink=into("made", str(seed)))
                assert run(client, made)[1].num_rows == ROWS
    assert watch.peak <= ABOVE_MB, \
        f"{uploaded:.0f} MB uploading, {read:.0f} reading, {watch.peak:.0f} MB at most"
    assert sum(size for size, _ in small.files().values()) > 8 * BUDGET_MB << 20


def test_unread_results_leave_memory_for_the_disk(small):
    with Watch(small) as watch, small.client() as client:
        answers = [calls.info(client, sql(f"select range + {i} as n, hash(range) as h "
                                          "from range(4000000)")) for i in range(10)]
        for answer in answers:
            calls.ended(client, answer, timeout_s=60)
        for i, answer in enumerate(answers):
            got = calls.read(client, answer)
            assert got.num_rows == 4_000_000 and got["n"][0].as_py() == i
    assert watch.peak <= ABOVE_MB, f"{watch.peak:.0f} MB at most"


def test_memory_of_what_is_dropped_comes_back(start):
    small = start(settings={"store.replaced_ms": 200})  # So long tickets stay good after a drop.
    with small.client() as client:
        idle = small.metric("sheaf_store_memory_bytes")
        for name in ("a", "b"):
            where = {"sink": into(name, tier="memory")}
            calls.put(client, where, table(1).slice(0, 4_000_000), chunk_rows=500_000)
        eventually(lambda: small.metric("sheaf_store_memory_bytes") > idle + 30_000_000,
                   what="the memory that the metric tells")
        for name in ("a", "b"):
            calls.act_one(client, "DropFlight", {"path": [name]})
        eventually(lambda: small.metric("sheaf_store_memory_bytes") < idle + 1_000_000,
                   what="the memory")
