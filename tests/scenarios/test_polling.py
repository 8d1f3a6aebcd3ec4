"""PLAN  long calls in three ways, one task underneath · cancelling stops DuckDB within a second ·
a client
that vanishes takes its interest along · unclaimed results and abandoned polls end by themselves ·
endpoints are renewed.
"""

import datetime
import json
import os
import signal
import subprocess
import sys

import grpc
import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
import raw
from calls import act_one, ended, info, into, one, read, refused, run, sql, told
from node import eventually
from raw import cancel_info
from slow import DRIP, drip, endless

STOPPED_S = 1.0
POLL = {"sheaf-pollable": "true", "sheaf-wait-ms": "100"}


def begin(client, asked):
    with refused("POLL") as poll:
        info(client, asked, headers=POLL)
    return poll.details["task"]


def idle(node, timeout_s=STOPPED_S):
    """No query runs and no core is busy."""
    eventually(lambda: node.metric("sheaf_sql_running") == 0, timeout_s, what="DuckDB's end")
    cpu = node.cpu_s()

    def quiet():
        nonlocal cpu
        before, cpu = cpu, node.cpu_s()
        return cpu - before < 0.05

    eventually(quiet, timeout_s=3, every_s=0.25, what="quiet")


# --- three ways ---------------------------------------------------------------------------------

def test_a_pollable_call_gives_its_task_and_a_later_call_the_result(shared, ask, slow):
    text, ran = slow.sql(1.5), shared.outcome("run")
    asked = sql(text)
    task = begin(ask, asked)
    assert calls.task_of(ask, task)["state"] == "executing"
    with refused("POLL") as again:
        info(ask, {"task": task}, headers=POLL)
    assert again.details["task"] == task
    answer = info(ask, {"task": task})
    assert told(answer)["task"] == task and read(ask, answer).num_rows == 1
    assert ended(ask, task)["progress"] == 1 and shared.outcome("run") - ran == 1


def test_a_quick_command_is_answered_at_once_though_pollable(ask):
    answer = info(ask, sql("select 1 as n"), headers={"sheaf-pollable": "true"})
    assert read(ask, answer).num_rows == 1


def test_after_poll_the_next_ticket_is_the_task(ask, slow):
    with refused("POLL") as poll:
        calls.get_at_once(ask, sql(slow.sql(1)), headers=POLL)
    assert calls.get_at_once(ask, {"task": poll.details["task"]}).num_rows == 1


def test_a_poll_with_a_sink_is_kept_without_anybody(ask, slow):
    task = begin(ask, sql(slow.sql(1), sink=into("polled", "kept")))
    assert ended(ask, task)["state"] == "completed"
    assert run(ask, ["polled", "kept"])[1].num_rows == 1


def test_a_task_gives_its_runs_own_error(ask, slow):
    text = f"select case when n > 0 then error('late') end as z from ({slow.sql(1)})"
    task = begin(ask, sql(text))
    for _ in range(2):
        with refused("FAILED", says="late"):
            info(ask, {"task": task})
    assert calls.task_of(ask, task)["error"]["code"] == "FAILED"


def test_poll_flight_info_goes_from_descriptor_to_descriptor(shared, ask, slow):
    asked, ran = sql(slow.sql(1.5)), shared.outcome("run")
    headers = [("sheaf-wait-ms", "100")]
    with raw.Flight(shared) as flight:
        poll = flight.poll(json.dumps(asked), headers=headers)
        assert 2 in poll and 4 in poll
        begun = fl.FlightInfo.deserialize(poll[1][0])
        assert not begun.endpoints and "task" in told(begun)
        polls = 1
        while 2 in poll:
            command = json.loads(raw.message(poll[2][0])[2][0])
            assert set(command) == {"task"} and 0 <= poll.get(3, [0])[0] <= 1
            poll = flight.poll(json.dumps(command), headers=headers)
            polls += 1
            assert polls < 100
    assert polls > 2 and poll[3] == [1.0]
    answer = fl.FlightInfo.deserialize(poll[1][0])
    assert read(ask, answer).num_rows == 1 and shared.outcome("run") - ran == 1


def test_poll_flight_info_of_a_hit_or_a_path_is_complete_at_once(shared, ask):
    asked = sql("select 3 as n", sink=into("poll", "hit"))
    run(ask, asked)
    with raw.Flight(shared) as flight:
        for descriptor in (raw.command_descriptor(json.dumps(asked)),
                           raw.field(1, raw.PATH) + raw.field(3, "poll") + raw.field(3, "hit")):
            poll = raw.message(flight.unary("PollFlightInfo", descriptor))
            assert 2 not in poll and poll[3] == [1.0]
            assert read(ask, fl.FlightInfo.deserialize(poll[1][0])).num_rows == 1
        with pytest.raises(grpc.RpcError) as caught:
            flight.poll(b'{"task": "nobody"}')
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


# --- cancelling ---------------------------------------------------------------------------------

def test_cancel_task_stops_duckdb_within_a_second(shared, ask):
    task = begin(ask, sql(endless(1)))
    act_one(ask, "CancelTask", {"task": task})
    assert ended(ask, task, timeout_s=STOPPED_S)["state"] == "cancelled"
    idle(shared)
    with refused("CANCELLED"):
        info(ask, {"task": task})


def test_cancel_flight_info_stops_duckdb_within_a_second(shared, ask):
    answer = info(ask, sql(drip(10)))
    assert cancel_info(ask, answer) == raw.CANCEL_CANCELLED
    assert ended(ask, answer, timeout_s=STOPPED_S)["state"] == "cancelled"
    idle(shared)
    assert cancel_info(ask, answer) == raw.CANCEL_NOT_CANCELLABLE
    with refused("CANCELLED"):
        read(ask, answer)


def test_cancel_flight_info_of_what_an_incomplete_poll_gave(shared, ask):
    with raw.Flight(shared) as flight:
        poll = flight.poll(json.dumps(sql(endless(3))), headers=[("sheaf-wait-ms", "0")])
    begun = fl.FlightInfo.deserialize(poll[1][0])
    assert begun.descriptor.command == raw.message(poll[2][0])[2][0]
    assert cancel_info(ask, begun) == raw.CANCEL_CANCELLED
    assert ended(ask, told(begun)["task"], timeout_s=STOPPED_S)["state"] == "cancelled"
    idle(shared)


def test_an_error_is_told_for_retain_s_and_no_longer(ask, slow):
    text = f"select case when n > 0 then error('late') end as z from ({slow.sql(1)})"
    task = begin(ask, sql(text, retain_s=1))

    def code():
        with pytest.raises(fl.FlightError) as caught:
            info(ask, {"task": task})
        return calls.detail_of(caught.value)["code"]

    assert code() == "FAILED"
    eventually(lambda: code() == "RESULT_GONE", timeout_s=5, what="the end of its time")


def test_cancel_flight_info_of_a_path_or_a_forgery(ask):
    calls.put(ask, ["cancel", "path"], pa.table({"n": [1]}))
    assert cancel_info(ask, info(ask, ["cancel", "path"])) == raw.CANCEL_NOT_CANCELLABLE
    assert one(ask, ["cancel", "path"]) == 1
    body = raw.field(1, raw.field(3, raw.field(1, raw.field(1, b"\x01forged"))))
    with refused("INVALID_TICKET"):
        list(ask.do_action(("CancelFlightInfo", body)))


@pytest.mark.parametrize("way", ["get_flight_info", "do_get"])
def test_a_client_that_cancels_its_call_stops_its_task(shared, ask, way):
    asked = sql(endless(20 + len(way)))
    with pytest.raises(fl.FlightTimedOutError):
        info(ask, asked, timeout=0.7) if way == "get_flight_info" else \
            calls.get_at_once(ask, asked, timeout=0.7)
    idle(shared)


def test_cancelling_a_stream_of_one_round_trip_stops_its_task(shared, ask):
    reader = ask.do_get(calls.ticket(sql(drip(11))))
    assert reader.read_chunk().data.num_rows > 0
    reader.cancel()
    idle(shared)


def test_deadline_ms_stops_the_task_and_tells_its_caller(shared, ask):
    with refused("DEADLINE"):
        info(ask, sql(endless(30), deadline_ms=400))
    idle(shared)
    reader = ask.do_get(calls.ticket(sql(drip(12), deadline_ms=1500)))
    with refused("DEADLINE"):
        while True:
            reader.read_chunk()
    idle(shared)


VANISHING = """
import json, sys, pyarrow.flight as fl
client = fl.FlightClient(sys.argv[1])
command = json.loads(sys.argv[2])
if sys.argv[3] == "info":
    print("asking", flush=True)
    client.get_flight_info(fl.FlightDescriptor.for_command(json.dumps(command)))
reader = client.do_get(fl.Ticket(json.dumps(command)))
reader.read_chunk()
print("asking", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("way", ["info", "stream"])
def test_the_task_of_a_vanished_client_stops_within_a_second(shared, ask, way):
    asked = sql(endless(40) if way == "info" else drip(13))
    child = subprocess.Popen(
        [sys.executable, "-c", VANISHING, shared.flight, json.dumps(asked), way],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "asking\n"
    (task,) = eventually(lambda: calls.tasks(ask, state="executing"), what="the task")
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert ended(ask, task["task"], timeout_s=STOPPED_S)["state"] == "cancelled"
    idle(shared)


# --- claims -------------------------------------------------------------------------------------

@pytest.fixture
def brief(start):
    return start(settings={"store.claim_s": 1})


def test_an_unclaimed_result_is_cancelled_and_freed(brief):
    with brief.client() as client:
        answer = info(client, sql(DRIP))
        assert ended(client, answer, timeout_s=4)["state"] == "cancelled"
        with pytest.raises(fl.FlightError) as caught:
            read(client, answer)
        assert calls.detail_of(caught.value)["code"] in ("CANCELLED", "RESULT_GONE")
        idle(brief)


def test_an_abandoned_poll_ends_its_task(brief):
    with brief.client() as client:
        task = begin(client, sql(endless(1)))
        assert ended(client, task, timeout_s=4)["state"] == "cancelled"
        idle(brief)


def test_polling_keeps_a_task_alive(brief):
    with brief.client() as client:
        task = begin(client, sql(endless(2)))
        until = datetime.datetime.now() + datetime.timedelta(seconds=3)
        while datetime.datetime.now() < until:
            with refused("POLL"):
                info(client, {"task": task}, headers=POLL)
        assert calls.task_of(client, task)["state"] == "executing"
        act_one(client, "CancelTask", {"task": task})


def test_an_open_reader_keeps_a_result(brief):
    with brief.client() as client:
        answer = info(client, sql(DRIP + " limit 600000"))
        reader = client.do_get(answer.endpoints[0].ticket)
        count = 0
        for chunk in reader:
            count += chunk.data.num_rows
        assert count == 600_000


def test_renew_moves_the_end_of_an_endpoint(brief):
    with brief.client() as client:
        answer = info(client, sql("select range as n from range(10)", retain_s=60))
        endpoint = answer.endpoints[0]
        first = endpoint.expiration_time.as_py()
        assert 0 < (first - datetime.datetime.now(datetime.UTC)).total_seconds() < 2
        for _ in range(8):  # Longer than the window, by a renewal each third of it.
            last = eventually(lambda: renewed(client, endpoint), every_s=0.3)
            eventually(lambda: datetime.datetime.now(datetime.UTC).timestamp()
                       > last.timestamp() - 0.7, what="two thirds of the window")
        assert last > first
        assert read(client, answer).num_rows == 10


def test_a_ticket_of_a_kept_result_outlives_its_run(brief):
    with brief.client() as client:
        answer = info(client, sql("select range as n from range(10)", retain_s=1,
                                  sink=into("kept", "on")))
        assert answer.endpoints[0].expiration_time is None
        task = told(answer)["task"]
        eventually(lambda: all(one["task"] != task for one in calls.tasks(client)),
                   what="the run is forgotten")
        assert read(client, answer).num_rows == 10
        assert renewed_endpoint(client, answer.endpoints[0]).expiration_time is None


def test_the_end_of_a_kept_result_is_its_ttl(ask):
    answer = info(ask, sql("select range as n from range(10)", sink=into("kept", "so", ttl_s=900)))
    left = answer.endpoints[0].expiration_time.as_py() - datetime.datetime.now(datetime.UTC)
    assert 890 < left.total_seconds() <= 901


def renewed_endpoint(client, endpoint):
    (result,) = client.do_action(("RenewFlightEndpoint", raw.renew_request(endpoint)))
    return fl.FlightEndpoint.deserialize(result.body.to_pybytes())


def renewed(client, endpoint):
    return renewed_endpoint(client, endpoint).expiration_time.as_py()


def test_expiration_says_how_long_an_unnamed_result_stays(ask):
    answer = info(ask, sql("select 1 as n", retain_s=500))
    left = answer.endpoints[0].expiration_time.as_py() - datetime.datetime.now(datetime.UTC)
    assert 25 < left.total_seconds() <= 30.5  # Until it is opened: the claim window.
    read(ask, answer)
    opened = renewed(ask, answer.endpoints[0]) - datetime.datetime.now(datetime.UTC)
    assert 490 < opened.total_seconds() <= 501
    kept = info(ask, sql("select 2 as n", sink=into("no", "end")))
    read(ask, kept)
    assert info(ask, ["no", "end"]).endpoints[0].expiration_time is None
