"""PLAN  a tree takes one slot · the queue goes by priority, and an attached caller lifts it ·
what is full says so and recovers · spill has a limit and leaves nothing · every call is logged,
counted and traced.
"""

import json

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import act, act_one, info, into, one, options, refused, run, sql
from node import eventually
from slow import endless

AT_ONCE = {"sheaf-pollable": "true", "sheaf-wait-ms": "0"}


def begin(client, asked):
    with refused("POLL") as poll:
        info(client, asked, AT_ONCE)
    return poll.details["task"]


@pytest.fixture
def narrow(start):
    """A node that runs one tree at a time."""
    return start(settings={"tasks.running_max": 1})


def test_a_tree_takes_one_slot_however_deep(narrow):
    asked = sql("select 1 as n")
    for _ in range(7):
        asked = sql("select a.n + b.n as n from a, b", {"a": asked, "b": sql("select 1 as n")})
    with narrow.client() as client:
        assert one(client, asked, timeout=30) == 8
        assert narrow.metric("sheaf_admission_running") == 0


def test_waiting_work_goes_by_priority(narrow):
    with narrow.client() as client:
        holder = begin(client, sql(endless(1)))
        queued = {priority: begin(client, sql(f"select {priority} as p", sink=into(f"p{priority}"),
                                              priority=priority))
                  for priority in (1, 5, 9, 0, 7)}
        states = {calls.task_of(client, task)["state"] for task in queued.values()}
        assert states == {"queued"} and narrow.metric("sheaf_admission_waiting") == 5
        act_one(client, "CancelTask", {"task": holder})
        for task in queued.values():
            assert calls.ended(client, task)["state"] == "completed"
        generations = {priority: calls.told(info(client, [f"p{priority}"]))["generation"]
                       for priority in queued}
    assert sorted(generations, key=generations.get) == [9, 7, 5, 1, 0]


def test_an_attached_caller_lifts_what_waits(narrow):
    with narrow.client() as client:
        holder = begin(client, sql(endless(2)))
        low = begin(client, sql("select 'low' as n", sink=into("low"), priority=1))
        middle = begin(client, sql("select 'middle' as n", sink=into("middle"), priority=5))
        assert begin(client, sql("select 'low' as n", sink=into("lifted"), priority=9)) == low
        act_one(client, "CancelTask", {"task": holder})
        for task in (low, middle):
            calls.ended(client, task)
        first, second = (calls.told(info(client, [name]))["generation"]
                         for name in ("lifted", "middle"))
    assert first < second


def test_a_queued_task_ends_by_cancel_and_deadline_before_it_begins(narrow):
    with narrow.client() as client:
        holder = begin(client, sql(endless(3)))
        cancelled = begin(client, sql("select 1 as c"))
        act_one(client, "CancelTask", {"task": cancelled})
        assert calls.ended(client, cancelled, timeout_s=1)["state"] == "cancelled"
        with refused("DEADLINE"):
            info(client, sql("select 1 as d", deadline_ms=300))
        eventually(lambda: narrow.metric("sheaf_admission_waiting") == 0, what="an empty queue")
        act_one(client, "CancelTask", {"task": holder})
        assert one(client, sql("select 1 as after")) == 1


def test_a_hit_needs_no_slot(narrow):
    with narrow.client() as client:
        asked = sql("select 3 as n", sink=into("kept", "hit"))
        run(client, asked)
        holder = begin(client, sql(endless(4)))
        for _ in range(3):
            assert one(client, asked, timeout=5) == 3
            assert one(client, ["kept", "hit"], timeout=5) == 3
        act_one(client, "CancelTask", {"task": holder})


def test_spill_has_a_limit_and_leaves_nothing_behind(start):
    node = start(settings={"sql.temp_bytes_max": "16MiB"})
    text = "select hash(range) as h, repeat('x', 40) as s from range({}) order by h"
    with node.client() as client:
        with refused("EXHAUSTED"):
            run(client, sql(text.format(8_000_000), memory_bytes=48 << 20))
        assert run(client, sql(text.format(1000)))[1].num_rows == 1000
    eventually(lambda: not [name for name in node.files() if "run-" in name], what="a clean disk")


# --- seen ---------------------------------------------------------------------------------------

class Headers(fl.ClientMiddlewareFactory):
    """Keeps the headers of the last answer."""

    def __init__(self):
        self.last = {}

    def start_call(self, _):
        return Keep(self)


class Keep(fl.ClientMiddleware):
    def __init__(self, kept):
        self.kept = kept

    def received_headers(self, headers):
        self.kept.last.update(headers)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_call_is_one_log_line_with_its_request_and_trace(node):
    headers = Headers()
    with node.client(middleware=[headers]) as client:
        info(client, sql("select 1 as n"), {"traceparent": TRACE})
    (request,) = headers.last["sheaf-request-id"]
    line = eventually(lambda: [line for line in node.log_tail(50_000).splitlines()
                               if request in line], what="the line")
    said = json.loads(line[0])
    assert said["traceparent"] == TRACE and said["method"] == "GetFlightInfo"
    assert said["code"] == "OK" and said["ms"] > 0 and said["principal"] == "anonymous"


def test_actions_are_listed_and_each_is_known(ask):
    listed = {action.type: action.description for action in ask.list_actions()}
    assert set(listed) >= {"GetLocations", "HealthCheck", "Explain", "ListTasks", "GetTask",
                           "CancelTask", "DropFlight", "PinFlight", "TouchFlight",
                           "RefreshFlight", "CancelFlightInfo", "RenewFlightEndpoint"}
    assert all(listed.values())


def test_locations_are_this_node(shared, ask):
    calls.put(ask, ["here"], pa.table({"n": [1]}))
    for descriptor, purpose in (({"path": ["here"]}, "get"), ({"path": ["new"]}, "put"),
                                (sql("select 1"), "get")):
        (found,) = act(ask, "GetLocations", {"descriptor": descriptor, "for": purpose})
        assert found["flight"] == shared.flight
    with refused("NOT_FOUND"):
        act(ask, "GetLocations", {"descriptor": {"path": ["absent"]}})
    with refused("UNKNOWN_SERVICE"):
        act(ask, "GetLocations", {"descriptor": {"service": "nobody"}})


def test_a_client_without_a_handshake_and_with_one_are_both_anonymous(shared):
    with shared.client() as client:
        assert one(client, sql("select 1 as n")) == 1
        headers = options({"authorization": "Bearer nothing-yet"})
        assert client.get_flight_info(calls.by(sql("select 1 as n")), headers)
