"""PLAN  every code of the contract, section 6, that one node can give reaches stock pyarrow with
its
detail, and bare gRPC with its code · SQL errors point at their place · what fails half-way leaves
nothing · limits of memory, rows and disk · details stay within 2 KiB.

`refused` checks number, retry, effect, exception class and size of every detail in all these files.
"""

import json
import shutil
import signal
import threading

import grpc
import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
import raw
from calls import act, act_one, by, command, files, info, into, one, refused, run, sql
from node import eventually
from slow import DRIP, endless

POLLABLE = {"sheaf-pollable": "true", "sheaf-wait-ms": "0"}


def begin(client, asked):
    """Starts a command and returns its task's id at once."""
    with refused("POLL") as poll:
        info(client, asked, headers=POLLABLE)
    return poll.details["task"]


def cancel(client, task):
    act_one(client, "CancelTask", {"task": task})


# --- one of each --------------------------------------------------------------------------------

ANY = b"\x0a\x2ctype.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery\x12\x02ab"
ASKED = {
    "INVALID": b'{"service": 5}', "UNKNOWN_SERVICE": {"service": "nobody"},
    "NOT_FOUND": ["not", "there"], "UNSUPPORTED": ANY,
    "CONFLICT": sql("select 1", sink=into("errors", "upload")),
    "FAILED": sql("select nonsense"), "FORBIDDEN": sql("select 1", sink=into("sheaf", "x")),
    "DEADLINE": sql(endless(1), deadline_ms=300),
    "EXHAUSTED": sql("select list(range) from range(80000000)", memory_bytes=16 << 20),
}


@pytest.mark.parametrize("code", ASKED)
def test_a_code_reaches_pyarrow_and_bare_grpc(shared, ask, code):
    if code == "CONFLICT":
        calls.put(ask, ["errors", "upload"], pa.table({"n": [1]}))
    with refused(code):
        calls.read(ask, info(ask, ASKED[code]))
    with raw.Flight(shared) as flight, pytest.raises(grpc.RpcError) as caught:
        flight.unary("GetFlightInfo", by(ASKED[code]).serialize())
    assert caught.value.code().value[0] == calls.ERRORS[code][2]
    trailers = dict(caught.value.trailing_metadata())
    assert json.loads(trailers["grpc-status-details-bin"])["code"] == code
    assert "x-arrow-status" in trailers
    assert sum(len(key) + len(value) for key, value in trailers.items()) < 3 << 10


def test_poll_tells_task_and_progress(shared, ask):
    asked = sql(endless(2))
    with refused("POLL") as poll:
        info(ask, asked, headers={"sheaf-pollable": "true", "sheaf-wait-ms": "100"})
    assert {"task", "progress", "after_ms"} <= poll.details.keys()
    assert poll.detail["after_ms"] == poll.details["after_ms"] > 0
    cancel(ask, poll.details["task"])


def test_the_waiting_caller_of_a_cancelled_task_gets_cancelled(ask):
    asked = sql(endless(3))
    task = begin(ask, asked)
    timer = threading.Timer(0.3, cancel, [ask, task])
    timer.start()
    with refused("CANCELLED"):
        info(ask, {"task": task})
    timer.join()


def test_a_clients_own_deadline_stops_its_task(ask):
    asked = sql(endless(4))
    with pytest.raises(fl.FlightTimedOutError):
        info(ask, asked, timeout=0.5)
    eventually(lambda: not calls.tasks(ask, state="executing"), timeout_s=3,
               what="the end of the task")


def test_misplaced_ticket_names_where_it_belongs(start, tmp_path):
    first = start("first")
    with first.client() as client:
        calls.put(client, ["a"], pa.table({"n": [1]}))
        ticket = info(client, ["a"]).endpoints[0].ticket
    shutil.copytree(first.state, tmp_path / "second" / "state")
    # Another node of the same key: only its name differs.
    file = tmp_path / "second" / "state" / "node.json"
    identity = json.loads(file.read_text())
    identity["id"] = "0" * len(identity["id"])
    file.write_text(json.dumps(identity))
    with start("second").client() as client:
        with refused("MISPLACED") as refusal:
            client.do_get(ticket).read_all()
    assert isinstance(refusal.details["locations"], list)


def test_backpressure_comes_with_a_time_to_wait(start):
    node = start(settings={"tasks.running_max": 1, "tasks.queue_max": 2})
    with node.client() as client:
        held = [begin(client, sql(endless(10 + i))) for i in range(3)]
        with refused("BACKPRESSURE") as refusal:
            info(client, sql(endless(20)))
        assert refusal.detail["after_ms"] > 0
        for task in held:
            cancel(client, task)
        eventually(lambda: not calls.tasks(client, state="executing"), what="an empty node")
        assert one(client, sql("select 2 as n")) == 2


def test_a_draining_node_refuses_new_work_and_says_so(start):
    node = start(settings={"stop.drain_s": 5})
    with node.client() as client:
        begin(client, sql(endless(30)))
        node.signal(signal.SIGTERM)

        def refusal():
            try:
                info(client, sql("select 1 as n"))
            except fl.FlightError as error:
                return error
            return None

        assert calls.detail_of(eventually(refusal))["code"] == "SHUTTING_DOWN"
    assert node.wait() == 0


def spoil(path):
    """Damages the file of a flight in its middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)


def test_a_damaged_flight_on_disk_is_corrupt_and_hurts_no_other(start):
    node = start()
    with node.client() as client:
        table = pa.table({"n": list(range(200_000))})
        for name in ("bad", "good"):
            calls.put(client, ["disk", name], table)
        bad = calls.told(info(client, ["disk", "bad"]))["generation"]
    assert node.stop() == 0
    big = [path for path in node.state.rglob("*") if path.stat().st_size > 1_000_000]
    (path,) = [path for path in big if str(bad) in path.name or f"{bad:x}" in path.name]
    spoil(path)
    node.start()
    with node.client() as client:
        for _ in range(2):
            with refused("CORRUPT", says=(path.name, "disk/bad", "put it again")) as refusal:
                run(client, ["disk", "bad"])
            assert str(node.state) not in refusal.message
        with refused("CORRUPT"):
            one(client, sql("select sum(n) from t", {"t": {"path": ["disk", "bad"]}}))
        assert one(client, sql("select sum(n) from t", {"t": {"path": ["disk", "good"]}})) \
            == 199_999 * 100_000
        assert node.metric("sheaf_store_corrupt_total") >= 1


@pytest.mark.parametrize("reuse", ["if_same", "if_fresh"])
def test_a_damaged_result_is_no_hit_but_run_again_and_replaced(start, reuse):
    node = start()
    asked = sql("select range as n from range(200000)", sink=into("made", "a", reuse=reuse))
    with node.client() as client:
        run(client, asked)
    assert node.stop() == 0
    (path,) = [path for path in node.state.rglob("*.arrows") if path.stat().st_size > 1_000_000]
    spoil(path)
    node.start()
    with node.client() as client:
        # Nobody has read it yet: the damage is found on the way.
        answer = info(client, asked)
        assert calls.told(answer)["hit"]
        with refused("CORRUPT", says=(path.name, "made/a", "RefreshFlight", "drop")):
            client.do_get(answer.endpoints[0].ticket).read_all()
        told, table = run(client, asked)
        assert not told["hit"] and table.num_rows == 200_000
        told, table = run(client, asked)
        assert told["hit"] and table.num_rows == 200_000


def test_unsupported_calls_say_what_to_do(ask):
    table = pa.table({"n": [1]})
    with refused("UNSUPPORTED"):
        writer, reader = ask.do_exchange(by(sql("select 1")))
        writer.begin(table.schema)
        writer.write_table(table)
        writer.done_writing()
        reader.read_all()
    for name in ("StartParallelUpload", "FinishParallelUpload", "AbortParallelUpload"):
        with refused("UNSUPPORTED"):
            act(ask, name, {"sink": into("a", "b"), "endpoints": 2})
    with refused("UNSUPPORTED", says="ListTasks"):
        act(ask, "ListTask")
    with refused("UNSUPPORTED"):
        calls.put(ask, sql("select 1"), table)
    with refused("UNSUPPORTED"):
        calls.put(ask, {"sink": into("a", "b", tier="object")}, table)


def test_owned_namespaces_are_forbidden_to_writers(ask):
    for space in ("sheaf", "segments"):
        for forbidden in (lambda: calls.put(ask, [space, "x"], pa.table({"n": [1]})),
                          lambda: info(ask, sql("select 1", sink=into(space, "x"))),
                          lambda: act(ask, "DropFlight", {"path": [space, "x"]}),
                          lambda: act(ask, "PinFlight", {"path": [space, "x"]})):
            with refused("FORBIDDEN", says=space):
                forbidden()


# --- SQL ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, position", [
    ("select 1 form\n t", 15), ("select 1,\n  nonsense + 2", 12), ("select * from missing", 14),
    ("selekt 1", 0), ("select 'ä' || unknown_function(1)", 15), ("select 1 + 'x'::int + (", 23),
])
def test_sql_errors_point_at_their_place(ask, text, position):
    with refused("FAILED") as refusal:
        calls.rows(ask, sql(text))
    details, shown = refusal.details, refusal.message.splitlines()
    assert details["position"] == position, refusal.detail
    assert details["line"] == text.encode()[:position].count(b"\n") + 1
    line = next(number for number, part in enumerate(shown) if part.startswith("LINE "))
    assert shown[line + 1].strip() == "^"
    caret = shown[line + 1].index("^")
    shown_line = text.splitlines()[details["line"] - 1] if text.splitlines() else ""
    assert shown[line].endswith(shown_line) or "..." in shown[line]
    assert caret - shown[line].index(": ") - 2 == details["column"] - 1


def test_sql_that_fails_half_way_gives_rows_then_its_error_and_keeps_nothing(shared, ask):
    text = ("select range as n, repeat('x', 100) as s, "
            "case when range = 3000000 then error('half-way') else 0 end as z from range(4000000)")
    asked = sql(text, sink=into("half", "way"))
    answer = info(ask, asked)
    reader = ask.do_get(answer.endpoints[0].ticket)
    assert reader.read_chunk().data["n"][0].as_py() == 0
    with refused("FAILED", says="half-way"):
        while True:
            reader.read_chunk()
    for gone in (["half", "way"], {"task": calls.told(answer)["task"]}):
        with refused("NOT_FOUND" if isinstance(gone, list) else "FAILED"):
            info(ask, gone)
    outer = sql("select count(*) from i", {"i": asked}, sink=into("half", "outer"))
    with refused("FAILED", says="half-way"):
        one(ask, outer)
    assert not [path for path in calls.paths(ask) if path[0] == "half"]


def test_a_sunk_run_that_fails_late_gives_its_disk_back(start):
    node = start()
    late = "select case when range = 3000000 then error('late')::int else 1 end as n " \
           "from range(3000001)"
    with node.client() as client:
        calls.put(client, ["here"], pa.table({"n": [1]}))
        before = {name for name in node.files() if name.endswith(".arrows")}
        asked = sql(late, sink=into("late", "a"))
        answer = info(client, asked)
        with refused("FAILED", says="late"):
            client.do_get(answer.endpoints[0].ticket).read_all()
        # The retain of the answer is a minute; the bytes do not wait for it.
        eventually(lambda: {name for name in node.files() if name.endswith(".arrows")} == before,
                   what="the partial file's end")
        with refused("FAILED", says="late"):
            client.do_get(answer.endpoints[0].ticket).read_all()
        with refused("FAILED", says="late"):
            info(client, {"task": calls.told(answer)["task"]})


def test_a_nested_sink_of_a_failed_outer_command_is_kept_whole(ask):
    inner = sql("select range as n from range(1000)", sink=into("inner", "whole"))
    with refused("FAILED"):
        one(ask, sql("select error('outer') from i limit 1", {"i": inner}, sink=into("o", "x")))
    eventually(lambda: ["inner", "whole"] in calls.paths(ask), what="the inner sink's commit")
    assert run(ask, ["inner", "whole"])[1].num_rows == 1000
    with refused("NOT_FOUND"):
        info(ask, ["o", "x"])


# --- limits -------------------------------------------------------------------------------------

def test_limits_of_rows_memory_and_disk_are_exhausted_not_fatal(start):
    node = start(settings={"sql.rows_max": 1000, "disk.budget": "16MiB"})
    with node.client() as client:
        with refused("EXHAUSTED", says="1000"):
            run(client, sql("select range as n from range(1001)"))
        assert run(client, sql("select range as n from range(1000)"))[1].num_rows == 1000
        with refused("EXHAUSTED", says=("memory_bytes", str(64 << 20))):
            run(client, sql("select count(distinct range || repeat('x', 50)) from range(30000000)",
                            memory_bytes=64 << 20, retain_s=0))
        table = pa.table({"n": list(range(1_000_000))})
        calls.put(client, ["first"], table)
        for _ in range(2):
            with refused("EXHAUSTED", says="disk"):
                for name in ("second", "third", "fourth"):
                    calls.put(client, [name], table)
        assert one(client, sql("select sum(n) from t", {"t": {"path": ["first"]}})) \
            == 999_999 * 500_000
    files_now = sum(size for size, _ in node.files().values())
    assert files_now < 24 << 20, "what was refused has left its bytes behind"


def test_no_error_gives_advice_that_is_refused(ask):
    with refused("FAILED", says="inet") as refusal:
        one(ask, sql("select inet '1.1.1.1'"))
    assert "INSTALL" not in refusal.message and "SET " not in refusal.message
    with refused("INVALID", says="INSTALL statements are refused"):
        info(ask, sql("install httpfs"))
    with refused("INVALID", says="LOAD statements are refused"):
        info(ask, sql("load httpfs"))


def test_details_stay_within_2_kib_whatever_is_asked(ask):
    long = "ä\"\\\n" * 100_000
    for asked in (sql("select '" + long[:200_000]), {"x" * 100_000: 1}, command("x" * 255),
                  {"service": "sql", "spec": {"sql": "select 1", long: 1}},
                  files(long[:3000]), ["ä" * 127] * 16, {"task": "x" * 255},
                  sql("select " + "(" * 3000), sql("select " + "x" * 10_000 + " from nowhere"),
                  sql("select error(repeat('ä\"\\', 100000))"),
                  sql("select 1", {"y" * 255: files("absent" * 200 + ".parquet")})):
        with pytest.raises(fl.FlightError) as caught:
            calls.rows(ask, asked)
        calls.detail_of(caught.value)


def test_an_error_carries_the_request_id_of_the_log(shared, ask):
    with refused("NOT_FOUND") as refusal:
        info(ask, ["no", "such", "path"])
    request = refusal.details["request"]
    line = eventually(lambda: [line for line in shared.log_tail(100_000).splitlines()
                               if request in line], what="the log line")
    said = json.loads(line[0])
    assert said["code"] == "NOT_FOUND" and said["method"] == "GetFlightInfo"


def test_after_all_of_it_the_node_serves_as_before(shared, ask):
    asked = sql("select count(*) as n from t", {"t": files("orders.parquet")})
    assert one(ask, asked) == 150_000
    assert run(ask, sql(DRIP + " limit 3"))[1].num_rows == 3
    assert shared.metric("sheaf_calls_total", code="INTERNAL") == 0
