"""PLAN  what commits an upload and what does not, under each of the three rules, with a writer that
raises in the middle · receipts · one message of 200 MB · replacing while others read · one writer a
path · durability and restarts · sinks of uploads.
"""

import json
import os
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import act_one, by, info, into, one, options, read, refused, run, sql, told
from node import eventually
from slow import endless

SCHEMA = pa.schema([("n", pa.int64())])
EXPLICIT = {"sheaf-commit": "explicit"}


def batch(*numbers):
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA)


def commit(rows):
    return json.dumps({"commit": {"rows": rows}}).encode()


class Mishap(Exception):
    """What goes wrong in a client's own program."""


def absent(client, *path):
    with refused("NOT_FOUND"):
        info(client, list(path))
    assert list(path) not in calls.paths(client)


# --- the three rules ----------------------------------------------------------------------------

def raise_in_upload(client, path, headers):
    writer, _ = client.do_put(by(path), SCHEMA, options(headers))
    with writer:
        writer.write_batch(batch(1, 2, 3))
        raise Mishap


def test_an_exception_in_a_simple_upload_commits_what_came_as_flight_means_it(ask):
    with pytest.raises(Mishap):
        raise_in_upload(ask, ["mishap", "simple"], {})
    # pyarrow half-closes cleanly: nobody can tell it from an end. That is why the others exist.
    eventually(lambda: ["mishap", "simple"] in calls.paths(ask), what="the commit")
    assert run(ask, ["mishap", "simple"])[1]["n"].to_pylist() == [1, 2, 3]


def test_an_exception_in_an_upload_with_a_count_keeps_nothing(ask):
    with refused("INVALID", says=("3", "5")) as refusal:
        raise_in_upload(ask, ["mishap", "counted"], {"sheaf-rows": 5})
    assert refusal.details["expected"] == 5 and refusal.details["received"] == 3
    absent(ask, "mishap", "counted")


def test_an_exception_in_an_explicit_upload_keeps_nothing(ask):
    with refused("CANCELLED"):
        raise_in_upload(ask, ["mishap", "explicit"], EXPLICIT)
    absent(ask, "mishap", "explicit")


def upload(client, path, steps, headers=EXPLICIT):
    """Writes batches and metadata in order, half-closes, and returns the receipt."""
    writer, receipts = client.do_put(by(path), SCHEMA, options(headers))
    with writer:
        for step in steps:
            if isinstance(step, bytes):
                writer.write_metadata(step)
            else:
                writer.write_batch(step)
        writer.done_writing()
        return json.loads(receipts.read().to_pybytes())


def test_explicit_uploads_commit_by_their_message_alone(ask):
    path = ["explicit", "one"]
    with refused("CANCELLED", says="commit"):
        upload(ask, path, [batch(1)])
    absent(ask, *path)
    for wrong in (0, 2, 2**62):
        with refused("INVALID", says="1 came") as refusal:
            upload(ask, path, [batch(1), commit(wrong)])
        assert refusal.details["expected"] == wrong and refusal.details["received"] == 1
    with refused("CANCELLED"):
        upload(ask, path, [batch(1), b'{"abort": true}'])
    with refused("INVALID"):
        upload(ask, path, [batch(1), commit(1), batch(2)])
    for wrong in (b"commit", b"{}", b'{"commit": 1}', b'{"commit": {"rows": "1"}}',
                  b'{"commit": {"rows": -1}}', b'{"commit": {"rows": 1.0}}', b"\xff"):
        with refused("INVALID"):
            upload(ask, path, [batch(1), wrong])
    absent(ask, *path)
    receipt = upload(ask, path, [batch(1, 2), batch(3), commit(3)])
    assert receipt["rows"] == 3 and run(ask, path)[1]["n"].to_pylist() == [1, 2, 3]
    assert upload(ask, path, [commit(0)])["rows"] == 0
    assert run(ask, path)[1].num_rows == 0


def test_a_commit_message_may_ride_on_the_last_batch(ask):
    writer, receipts = ask.do_put(by(["explicit", "rides"]), SCHEMA, options(EXPLICIT))
    with writer:
        writer.write_batch(batch(1))
        writer.write_with_metadata(batch(2), commit(2))
        writer.done_writing()
        assert json.loads(receipts.read().to_pybytes())["rows"] == 2


def test_counted_uploads_commit_at_exactly_their_rows(ask):
    path = ["counted", "one"]
    for wrong in (0, 1, 3):
        with refused("INVALID") as refusal:
            upload(ask, path, [batch(1), batch(2)], {"sheaf-rows": wrong})
        assert (refusal.details["expected"], refusal.details["received"]) == (wrong, 2)
    absent(ask, *path)
    assert upload(ask, path, [batch(1), batch(2)], {"sheaf-rows": 2})["rows"] == 2
    both = {"sheaf-rows": 2, **EXPLICIT}
    with refused("CANCELLED"):
        upload(ask, path, [batch(1), batch(2)], both)
    with refused("INVALID"):
        upload(ask, path, [batch(1), batch(2), commit(3)], both)
    assert upload(ask, path, [batch(7), batch(8), commit(2)], both)["rows"] == 2
    assert run(ask, path)[1]["n"].to_pylist() == [7, 8]


def test_simple_uploads_may_be_given_up_and_may_say_what_they_like(ask):
    with refused("CANCELLED"):
        upload(ask, ["simple", "given-up"], [batch(1), b'{"abort": true}'], {})
    absent(ask, "simple", "given-up")
    assert upload(ask, ["simple", "noisy"], [b"hello", batch(1), b"\xff"], {})["rows"] == 1


def test_a_failed_upload_leaves_what_was_there(ask):
    calls.put(ask, ["replace", "me"], pa.table({"n": [1]}))
    before = told(info(ask, ["replace", "me"]))
    for headers in ({"sheaf-rows": 5}, EXPLICIT):
        with pytest.raises(fl.FlightError):
            upload(ask, ["replace", "me"], [batch(9)], headers)
    assert told(info(ask, ["replace", "me"])) == before
    assert one(ask, ["replace", "me"]) == 1


DYING = """
import sys, pyarrow as pa, pyarrow.flight as fl
client = fl.FlightClient(sys.argv[1])
schema = pa.schema([("n", pa.int64())])
writer, _ = client.do_put(fl.FlightDescriptor.for_path("dying", "client"), schema)
writer.write_batch(pa.record_batch([pa.array([1, 2, 3])], schema=schema))
print("written", flush=True)
sys.stdin.read()
"""


def test_a_killed_writer_commits_nothing_and_frees_its_path(shared, ask):
    child = subprocess.Popen([sys.executable, "-c", DYING, shared.flight], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "written\n"
    with refused("CONFLICT"):
        calls.put(ask, ["dying", "client"], pa.table({"n": [9]}))
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()

    def free():
        try:
            return calls.put(ask, ["dying", "other"], pa.table({"n": [9]})) and \
                calls.put(ask, ["dying", "client"], pa.table({"n": [9]}))
        except fl.FlightError as error:
            assert calls.detail_of(error)["code"] == "CONFLICT"
            return None

    absent(ask, "dying", "client")
    assert eventually(free, timeout_s=5, what="the path")["rows"] == 1


# --- sizes --------------------------------------------------------------------------------------

def test_200_mb_come_as_one_message_and_go_in_many(shared, ask):
    idle = shared.resident_mb()
    big = pa.table({"n": pa.array(range(25_000_000), pa.int64())})
    assert big.nbytes == 200_000_000 and big["n"].num_chunks == 1
    receipt = calls.put(ask, ["big", "one"], big, {"sheaf-rows": big.num_rows})
    assert receipt["rows"] == big.num_rows and receipt["bytes"] >= big.nbytes
    total = 0
    with shared.client(generic_options=[("grpc.max_receive_message_length", 4 << 20)]) as small:
        for chunk in small.do_get(info(small, ["big", "one"]).endpoints[0].ticket):
            assert chunk.data["n"][0].as_py() == total
            total += chunk.data.num_rows
    assert total == big.num_rows
    asked = sql("select sum(n)::bigint as s from t", {"t": {"path": ["big", "one"]}})
    assert one(ask, asked) == sum(range(25_000_000))
    act_one(ask, "DropFlight", {"path": ["big", "one"]})
    eventually(lambda: shared.resident_mb() < idle + 120, what="the memory of the upload")


def test_a_message_above_the_receive_limit_is_refused_and_the_node_lives(start):
    node = start(settings={"flight.receive_bytes_max": "1MiB"})
    with node.client() as client:
        with pytest.raises((fl.FlightError, pa.ArrowException)):
            calls.put(client, ["too", "big"], pa.table({"n": list(range(1_000_000))}))
        absent(client, "too", "big")
        small = pa.table({"n": list(range(1_000_000))})
        assert calls.put(client, ["in", "parts"], small, chunk_rows=50_000)["rows"] == 1_000_000


# --- replacing and conflicts --------------------------------------------------------------------

def test_a_ticket_reads_what_it_was_given_for_after_a_replacement(ask):
    for value in (1, 2, 3):
        calls.put(ask, ["moving", "target"], pa.table({"n": [value] * 1000}))
        ticketed = info(ask, ["moving", "target"])
        calls.put(ask, ["moving", "target"], pa.table({"n": [value * 100]}))
        assert set(read(ask, ticketed)["n"].to_pylist()) == {value}
        assert one(ask, ["moving", "target"]) == value * 100
    generation = told(ticketed)["generation"]
    pinned = {"path": ["moving", "target"], "generation": generation}
    assert calls.get_at_once(ask, pinned).num_rows == 1000


def test_a_replaced_generation_is_gone_after_its_time_but_not_for_its_readers(start):
    node = start(settings={"store.replaced_ms": 300})
    with node.client() as client:
        big = pa.table({"n": list(range(3_000_000))})
        calls.put(client, ["a"], big)
        ticketed = info(client, ["a"])
        reader = client.do_get(ticketed.endpoints[0].ticket)
        first = reader.read_chunk().data.num_rows
        calls.put(client, ["a"], pa.table({"n": [1]}))

        def gone():
            try:
                client.do_get(ticketed.endpoints[0].ticket).read_chunk()
            except fl.FlightError as error:
                return calls.detail_of(error)["code"]
            return None

        assert eventually(gone, every_s=0.2) == "RESULT_GONE"
        assert first + sum(chunk.data.num_rows for chunk in reader) == big.num_rows
        assert one(client, ["a"]) == 1


def test_a_second_writer_is_a_conflict_when_it_opens(ask):
    writer, receipts = eventually(lambda: holder(ask, ["only", "one"]), what="a writer's claim")
    with refused("CONFLICT") as refusal:
        info(ask, sql("select 1 as n", sink=into("only", "one")))
    assert refusal.details["task"]
    writer.done_writing()
    assert receipts.read() is not None
    writer.close()
    assert calls.put(ask, ["only", "one"], pa.table({"n": [5]}))["rows"] == 1


def holder(client, path):
    """A writer that holds its path; none when a probe was there before it."""
    writer, receipts = client.do_put(by(path), SCHEMA)
    try:
        writer.write_batch(batch(1))
        for _ in range(100):
            if conflicts(client, path):
                return writer, receipts
        writer.close()
    except fl.FlightError as error:
        assert calls.detail_of(error)["code"] == "CONFLICT"
    return None


def conflicts(client, path):
    try:
        upload(client, path, [b'{"abort": true}'], {})
    except fl.FlightError as error:
        return calls.detail_of(error)["code"] == "CONFLICT"
    return False


def test_an_upload_to_a_path_that_a_task_writes_is_a_conflict_with_its_id(ask):
    asked = sql(endless(50), sink=into("task", "writes"))
    with refused("POLL") as poll:
        info(ask, asked, headers={"sheaf-pollable": "true", "sheaf-wait-ms": "0"})
    with refused("CONFLICT", says=poll.details["task"]) as refusal:
        calls.put(ask, ["task", "writes"], pa.table({"n": [1]}))
    assert refusal.details["task"] == poll.details["task"]
    act_one(ask, "CancelTask", {"task": poll.details["task"]})
    calls.ended(ask, poll.details["task"])
    assert calls.put(ask, ["task", "writes"], pa.table({"n": [1]}))["rows"] == 1


@pytest.mark.parametrize("reuse", ["if_same", "if_fresh", "if_exists", "only"])
def test_an_upload_has_nothing_to_reuse(ask, reuse):
    where = {"sink": into("put", "reuse", reuse, reuse=reuse)}
    with refused("INVALID", says=["sink.reuse", "if_generation"]):
        calls.put(ask, where, pa.table({"n": [1]}))
    assert ["put", "reuse", reuse] not in calls.paths(ask)
    assert calls.put(ask, {"sink": into("put", "reuse", reuse, reuse="never")},
                     pa.table({"n": [1]}))["rows"] == 1


def test_sinks_of_uploads_obey_their_options(ask):
    sink = {"sink": into("sunk", "up", ttl_s=2, tier="memory", if_generation=0)}
    receipt = calls.put(ask, sink, pa.table({"n": [1]}))
    assert receipt["durable"] is False
    assert told(info(ask, ["sunk", "up"]))["tier"] == "memory"
    with refused("CONFLICT") as refusal:
        calls.put(ask, sink, pa.table({"n": [2]}))
    assert refusal.details["generation"] == receipt["generation"]
    newer = {"sink": into("sunk", "up", if_generation=receipt["generation"], ttl_s=1)}
    assert calls.put(ask, newer, pa.table({"n": [3]}))["generation"] > receipt["generation"]
    eventually(lambda: ["sunk", "up"] not in calls.paths(ask), timeout_s=6, what="its end")
    with refused("INVALID", says="DoPut"):
        info(ask, sink)


# --- restarts -----------------------------------------------------------------------------------

def test_disk_flights_outlive_a_restart_and_memory_flights_do_not(start):
    node = start()
    with node.client() as client:
        receipts = [calls.put(client, ["disk", str(i)], pa.table({"n": [i]})) for i in range(20)]
        assert all(receipt["durable"] for receipt in receipts)
        run(client, sql("select 42 as n", sink=into("made", "disk", ttl_s=3600)))
        run(client, sql("select 43 as n", sink=into("made", "memory", tier="memory")))
        calls.put(client, {"sink": into("up", "memory", tier="memory")}, pa.table({"n": [1]}))
        kept = {str(told(each)["path"]): told(each) for each in calls.flights(client)
                if told(each)["tier"] == "disk"}
        act_one(client, "PinFlight", {"path": ["disk", "3"]})
    node.restart()
    with node.client() as client:
        found = {str(told(each)["path"]): told(each) for each in calls.flights(client)}
        assert found["['disk', '3']"].pop("pinned") is True
        kept["['disk', '3']"].pop("pinned")
        assert found == kept
        assert [one(client, ["disk", str(i)]) for i in range(20)] == list(range(20))
        assert told(info(client, sql("select 42 as n", sink=into("made", "disk"))))["hit"] is True
        newest = calls.put(client, ["disk", "0"], pa.table({"n": [5]}))["generation"]
        assert newest > max(receipt["generation"] for receipt in receipts)
        for name in ("made", "up"):
            absent(client, name, "memory")


def test_a_memory_generation_over_a_durable_one_removes_it_for_good(start):
    node = start()
    with node.client() as client:
        calls.put(client, ["over"], pa.table({"n": [1]}))
        calls.put(client, {"sink": into("over", tier="memory")}, pa.table({"n": [2]}))
        assert one(client, ["over"]) == 2
    node.restart()
    with node.client() as client:
        absent(client, "over")


def test_dropped_and_expired_flights_stay_gone_after_a_restart(start):
    node = start()
    with node.client() as client:
        calls.put(client, ["dropped"], pa.table({"n": [1]}))
        calls.put(client, {"sink": into("expired", ttl_s=1)}, pa.table({"n": [1]}))
        calls.put(client, ["kept"], pa.table({"n": [1]}))
        act_one(client, "DropFlight", {"path": ["dropped"]})
        eventually(lambda: calls.paths(client) == [["kept"]], what="the end of the expired one")
    node.restart()
    with node.client() as client:
        assert calls.paths(client) == [["kept"]]
