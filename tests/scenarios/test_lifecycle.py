"""PLAN  the ready line and every exit code · SIGTERM drains: running work ends, uploads commit or
roll
back, new work is refused · a second SIGTERM stops now · 50 stuck clients do not hold it up.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import info, into, one, refused, run, sql
from node import BIN, Node, eventually
from slow import Slow, endless
from stuck import Stuck


def serve(*arguments, directory=None, timeout_s=20, environment=None):
    """Runs `sheaf serve` to its end; for starts that fail."""
    return subprocess.run([BIN, "serve", *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout_s, cwd=directory, env={**os.environ,
                                                                 **(environment or {})})


FREE = ["--set=flight.listen=127.0.0.1:0", "--set=http.listen=127.0.0.1:0"]


# --- starting -----------------------------------------------------------------------------------

def test_the_ready_line_is_all_that_standard_output_says(node):
    assert set(node.ready) >= {"ready", "flight", "http", "pid", "version"}
    assert node.ready["flight"].startswith("grpc://127.0.0.1:")
    assert node.ready["http"].startswith("http://127.0.0.1:")
    assert not node.ready["flight"].endswith(":0") and not node.ready["http"].endswith(":0")
    with node.client() as client:
        assert one(client, sql("select 1 as n")) == 1
    assert node.http("/ready").status == 200
    assert node.stop() == 0  # Node.wait looks at the rest of standard output.


def test_a_ready_node_answers_health_over_grpc(node):
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    with grpc.insecure_channel(node.flight.removeprefix("grpc://")) as channel:
        for name in ("", "arrow.flight.protocol.FlightService"):
            asked = health_pb2.HealthCheckRequest(service=name)
            answer = health_pb2_grpc.HealthStub(channel).Check(asked)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("arguments, named", [
    (["--set=flight.listne=127.0.0.1:0"], "flight.listen"),
    (["--set=flight.idle_read_s=soon"], "flight.idle_read_s"),
    (["--set=memory.budget=-1"], "memory.budget"),
    (["--set=flight.listen=0.0.0.0:0"], "insecure"), (["--set=http.listen=nowhere"], "http.listen"),
    (["--set=modules.enabled=files,sqll"], "'sql'"), (["--config", "absent.toml"], "absent.toml"),
    (["--set=tasks.running_max"], "tasks.running_max"), (["--no-such-flag"], "--no-such-flag"),
])
def test_bad_configuration_is_exit_2_and_named(tmp_path, arguments, named):
    ended = serve("--state", tmp_path / "state", *FREE, *arguments, directory=tmp_path)
    assert ended.returncode == 2 and named in ended.stderr, ended.stderr
    assert ended.stdout == "" and not (tmp_path / "state").exists()


def test_a_configuration_file_is_read_and_its_mistakes_are_placed(tmp_path):
    file = tmp_path / "node.toml"
    file.write_text('[flight]\nlisten = "127.0.0.1:0"\nidle_read_s = "x"\n[nonsense]\na = 1\n')
    ended = serve("--config", file, "--state", tmp_path / "state")
    assert ended.returncode == 2 and f"{file}:3" in ended.stderr and "nonsense" in ended.stderr
    good = tmp_path / "good.toml"
    good.write_text('[flight]\nlisten = "127.0.0.1:1"\n[sql]\nrows_max = 5\n')
    node = Node(tmp_path / "node", environment={"SHEAF_SQL_ROWS_MAX": "7"})
    arguments = node.arguments()
    node.arguments = lambda: [*arguments, "--config", str(good)]
    node.start()
    with node.client() as client:  # File < environment < flags.
        assert run(client, sql("select range from range(7)"))[1].num_rows == 7
        with refused("EXHAUSTED"):
            run(client, sql("select range from range(8)"))
    assert node.close() == 0


def test_a_state_directory_in_use_is_exit_3_and_names_its_user(node):
    ended = serve("--state", node.state, *FREE)
    assert ended.returncode == 3 and str(node.pid) in ended.stderr, ended.stderr
    assert ended.stdout == ""
    with node.client() as client:
        assert one(client, sql("select 1 as n")) == 1


@pytest.mark.parametrize("file, left", [("node.json", b"\x5a"), ("index", b"\x5a"),
                                        ("index", b""), ("sheaf.db", b"\x5a")])
def test_a_damaged_state_directory_is_exit_3_and_named(start, file, left):
    node = start()
    with node.client() as client:
        calls.put(client, ["a"], pa.table({"n": list(range(1000))}))
    assert node.stop() == 0
    damaged = [path for path in node.state.rglob("*") if path.is_file() and
               (path.name == file or file == "index" and "flights" in path.parts and
                path.read_bytes()[:15] == b"SQLite format 3")]
    assert damaged, list(node.files())
    flights = list(node.state.rglob("*.arrows"))
    for path in damaged:
        path.write_bytes(left * max(path.stat().st_size, 4096))
    ended = serve("--state", node.state, *FREE)
    assert ended.returncode == 3 and damaged[0].name in ended.stderr, ended.stderr
    assert flights and all(path.exists() for path in flights)


@pytest.mark.parametrize("listener", ["flight", "http"])
def test_a_taken_port_is_exit_4_and_named(tmp_path, listener):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = serve("--state", tmp_path / "state", *FREE, f"--set={listener}.listen={address}")
    assert ended.returncode == 4 and address in ended.stderr, ended.stderr


def test_a_node_keeps_its_identity_and_its_directory_to_itself(start):
    node = start()
    first = json.loads((node.state / "node.json").read_text())
    assert node.state.stat().st_mode & 0o77 == 0
    assert (node.state / "node.json").stat().st_mode & 0o77 == 0
    node.restart()
    assert json.loads((node.state / "node.json").read_text()) == first


# --- stopping -----------------------------------------------------------------------------------

def background(call):
    """Runs a call in a thread; join gives its result or its exception."""
    box = {}

    def body():
        try:
            box["result"] = call()
        except (fl.FlightError, pa.ArrowException) as error:
            box["result"] = error

    thread = threading.Thread(target=body)
    thread.start()

    def join(timeout_s=30):
        thread.join(timeout_s)
        assert not thread.is_alive()
        return box["result"]

    return join


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_node_stops_at_once_with_exit_0(node, number):
    begun = time.monotonic()
    node.signal(number)
    assert node.wait() == 0 and time.monotonic() - begun < 3


def test_sigterm_lets_running_work_finish_and_keeps_its_result(start):
    node = start(settings={"stop.drain_s": 20})
    with node.client() as client:
        text = Slow(client).sql_of_at_least(2)
        asked = sql(text, sink=into("drained", "result"))
        join = background(lambda: calls.get_at_once(client, asked))
        eventually(lambda: calls.tasks(client, state="executing"), what="the task")
        node.signal(signal.SIGTERM)
        eventually(lambda: node.http("/ready").status == 503, timeout_s=2, what="not ready")
        assert node.http("/live").status == 200
        table = join()
    assert table.num_rows == 1 and node.wait() == 0
    node.start()
    with node.client() as client:
        assert run(client, ["drained", "result"])[1].equals(table)


def test_work_that_outlasts_the_drain_is_cancelled(start):
    node = start(settings={"stop.drain_s": 1})
    with node.client() as client:
        join = background(lambda: run(client, sql(endless(1), sink=into("never", "done"))))
        eventually(lambda: calls.tasks(client, state="executing"), what="the task")
        begun = time.monotonic()
        node.signal(signal.SIGTERM)
        error = join()
    assert calls.detail_of(error)["code"] == "SHUTTING_DOWN"
    assert node.wait() == 0 and 0.9 < time.monotonic() - begun < 5
    node.start()
    with node.client() as client:
        assert calls.paths(client) == []


def test_a_second_sigterm_stops_now(start):
    node = start(settings={"stop.drain_s": 600})
    with node.client() as client:
        join = background(lambda: run(client, sql(endless(1))))
        eventually(lambda: calls.tasks(client, state="executing"), what="the task")
        node.signal(signal.SIGTERM)
        eventually(lambda: node.http("/ready").status == 503, what="not ready")
        assert node.running()
        begun = time.monotonic()
        node.signal(signal.SIGTERM)
        assert node.wait() == 0 and time.monotonic() - begun < 4
        assert isinstance(join(), fl.FlightError)


@pytest.mark.parametrize("held", ["upload", "reader"])
def test_a_node_that_drains_streams_alone_still_says_so(start, held):
    node = start(settings={"stop.drain_s": 20})
    table = pa.table({"n": list(range(2_000_000))})
    with node.client() as client, node.client() as other:
        calls.put(client, ["big"], table)
        if held == "upload":
            stream, _ = client.do_put(calls.by(["up"]), table.schema)
            stream.write_batch(table.to_batches()[0].slice(0, 1))
            eventually(lambda: node.metric("sheaf_received_rows_total") == table.num_rows + 1,
                       what="the first batch")
        else:
            stream = client.do_get(info(client, ["big"]).endpoints[0].ticket)
            stream.read_chunk()
        node.signal(signal.SIGTERM)
        eventually(lambda: node.http("/ready").status == 503, what="not ready")
        for one_of in (client, other):
            for _ in range(3):
                with refused("SHUTTING_DOWN"):
                    info(one_of, ["big"])
        assert node.running()
        if held == "upload":
            stream.close()
        else:
            stream.read_all()
        assert node.wait() == 0


@pytest.mark.parametrize("end", ["finishes", "stays"])
def test_an_upload_under_way_at_sigterm_commits_or_leaves_nothing(start, end):
    node = start(settings={"stop.drain_s": 3})
    schema = pa.schema([("n", pa.int64())])
    with node.client() as client:
        writer, receipts = client.do_put(calls.by(["up", "load"]), schema,
                                         calls.options({"sheaf-rows": 2}))
        writer.write_batch(pa.record_batch([[1]], schema=schema))
        eventually(lambda: node.metric("sheaf_received_rows_total") == 1, what="the first batch")
        node.signal(signal.SIGTERM)
        eventually(lambda: node.http("/ready").status == 503, what="not ready")
        receipt = None
        if end == "finishes":
            writer.write_batch(pa.record_batch([[2]], schema=schema))
            writer.done_writing()
            receipt = json.loads(receipts.read().to_pybytes())
        assert node.wait() == 0
        with pytest.raises((fl.FlightError, pa.ArrowException)) if end == "stays" else \
                threading.Lock():
            writer.close()
    node.start()
    with node.client() as client:
        if end == "stays":
            assert calls.paths(client) == []
        else:
            assert receipt["durable"] and run(client, ["up", "load"])[1].num_rows == 2


def test_50_stuck_clients_do_not_hold_sigterm_up(start):
    node = start(settings={"stop.drain_s": 2})
    with node.client() as client:
        calls.put(client, ["big"], pa.table({"n": list(range(4_000_000))}))
    with Stuck(node, "read", 20) as readers, Stuck(node, "put", 20) as silent, \
            Stuck(node, "wait", 10) as waiting:
        readers.freeze()
        assert silent.running() and waiting.running()
        begun = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - begun < 2 + 4
    node.start()
    with node.client() as client:
        assert calls.paths(client) == [["big"]]


def test_50_frozen_clients_do_not_hold_a_second_sigterm_up(start):
    node = start(settings={"stop.drain_s": 60})
    with node.client() as client:
        calls.put(client, ["big"], pa.table({"n": list(range(4_000_000))}))
    with Stuck(node, "read", 25) as readers, Stuck(node, "put", 25) as writers:
        readers.freeze()
        writers.freeze()
        node.signal(signal.SIGTERM)
        eventually(lambda: node.http("/ready").status == 503, what="not ready")
        begun = time.monotonic()
        node.signal(signal.SIGTERM)
        assert node.wait() == 0 and time.monotonic() - begun < 4
