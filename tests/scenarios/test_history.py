"""What a node remembers: history, restarts after kills, tables as flights, services and nodes."""

# PLAN  finished runs appear once with right summaries, hits and readers of tables do not · 50
#       running tasks are killed, or stopped, on SQLite and PostgreSQL: warm and cold, each is
#       accounted for once · a run is queued again
#       once · what the stop cut off goes on · every table is a flight and an input, without private
#       columns, and nobody writes there · `none` keeps nothing and says so · what a node lacks it
#       refuses · back ends that keep, and again · two servers on one state, and on one database ·
#       services, nodes and load · the CLI

import json
import os
import subprocess
import time

import pytest

import calls
from calls import info, into, one, options, refused, rows, run, sql, told
from postgres import Postgres
from node import BIN, Node, eventually
from slow import Slow, endless

TABLES = {"job_history", "res_history", "svc_history", "orckpt", "processes", "jobs",
          "reservations", "smreg", "smmeta", "rmnodes", "rmshares", "rmload", "duccworks",
          "orprops", "daemonLifetime", "UserLogin"}


def table(client, name):
    return rows(client, ["sheaf", name])


def jobs(client, count):
    """All jobs, oldest first, once there are so many; more are an error."""
    eventually(lambda: len(table(client, "jobs")) >= count, what=f"{count} jobs in history")
    found = sorted(table(client, "jobs"), key=lambda job: job["ducc_id"])
    assert len(found) == count, found
    return found


def memory(node):
    return node.http("/api/v1/node").json["health"]["persistence"]


def written(node):
    return node.metrics()[("sheaf_history_jobs_total", frozenset())]


def begin(client, what):
    """Starts a task and does not wait for it."""
    with refused("POLL") as refusal:
        info(client, what, headers={"sheaf-pollable": "true", "sheaf-wait-ms": "1"})
    return refusal.details["task"]


def test_finished_runs_appear_once_with_right_summaries(node, client):
    before = int(time.time() * 1000)
    run(client, sql("select 1 as n"))
    _, result = run(client, sql("select range as n from range(10)", sink=into("h", "a"),
                                priority=7))
    assert result.num_rows == 10
    assert run(client, sql("select range as n from range(10)", sink=into("h", "a"),
                           priority=7))[0]["hit"] is True
    with refused("FAILED"):
        info(client, sql("select cast('x' as integer)"))
    task = begin(client, sql(endless(1)))
    calls.act_one(client, "CancelTask", {"task": task})
    plain, kept, failed, cancelled = jobs(client, 4)
    for job in (plain, kept, failed, cancelled):
        assert job["user"] == "anonymous" and job["state"] == "Completed"
        assert before <= job["submission_time"] <= int(time.time() * 1000)
        assert 0 <= job["duration"] < 60_000
    assert (plain["reason"], plain["class"], plain["description"]) == \
        ("EndOfJob", "priority-5", "sql")
    assert (kept["class"], kept["description"]) == ("priority-7", "sql > h/a")
    assert (kept["total_wi"], kept["done_wi"], kept["errors"]) == (1, 1, 0)
    assert (failed["reason"], failed["errors"], failed["done_wi"]) == ("Error", 1, 0)
    assert cancelled["reason"] == "CanceledByUser"
    processes = {each["ducc_id"]: each for each in table(client, "processes")}
    assert processes[kept["ducc_id"]]["pid"] == node.pid
    assert processes[kept["ducc_id"]]["run_time"] <= kept["duration"]
    works = {each["ducc_id"]: json.loads(each["work"]) for each in table(client, "job_history")}
    detail = json.loads(works[kept["ducc_id"]]["detail"])
    assert (detail["rows"], detail["sinks"]) == (10, [["h", "a"]])
    assert "'x'" in json.loads(works[failed["ducc_id"]]["detail"])["error"]["message"]
    assert json.loads(works[plain["ducc_id"]]["specification"])["spec"] == \
        {"sql": "select 1 as n"}
    assert len(table(client, "jobs")) == 4, "who reads history does not make it"
    node.restart()
    with node.client() as again:
        assert sorted(table(again, "jobs"), key=lambda job: job["ducc_id"]) == \
            [plain, kept, failed, cancelled]
        run(again, sql("select 2 as n"))
        assert jobs(again, 5)[-1]["ducc_id"] > cancelled["ducc_id"]


@pytest.fixture(scope="module")
def database():
    made = Postgres().start()
    yield made
    made.close()


@pytest.mark.parametrize("backend, end, way", [
    ("sqlite", "kill", "warm"), ("sqlite", "kill", "cold"), ("sqlite", "stop", "warm"),
    ("postgres", "kill", "warm"), ("postgres", "stop", "cold")])
def test_each_of_fifty_running_tasks_is_accounted_for_once(start, request, backend, end, way):
    where = {}
    if backend == "postgres":
        where["persistence.backend"] = request.getfixturevalue("database").fresh_schema()
    node = start(settings={"tasks.running_max": 64, "sql.threads": 1, "stop.drain_s": 0, **where})
    kept, lost = range(20), range(20, 50)
    with node.client() as client:
        slow = Slow(client)
        texts = {mark: slow.sql(0.3) for mark in kept} | {mark: endless(mark) for mark in lost}
        node.settle()
        earlier = len(table(client, "jobs"))
        for mark in lost:
            begin(client, sql(texts[mark]))
        for mark in kept:
            begin(client, sql(texts[mark], sink=into("kept", str(mark))))
        eventually(lambda: memory(node)["live"] + written(node) >= earlier + 50, timeout_s=60,
                   what="a checkpoint of all that runs")
    if end == "kill":
        node.kill()
    else:
        assert node.stop() == 0
    node.flags = [f"--{way}"]
    node.start()
    node.settle()
    with node.client() as client:
        found = jobs(client, earlier + 50)[earlier:]
        numbers = {job["ducc_id"] for job in found}
        said = {each["ducc_id"]: json.loads(each["specification"])["spec"]["sql"]
                for each in table(client, "duccworks") if each["ducc_id"] in numbers}
        assert sorted(said.values()) == sorted(texts.values())
        reasons = {said[job["ducc_id"]]: (job["reason"], job["retries"]) for job in found}
        assert all(reasons[texts[mark]][0] == "Premature" for mark in lost), reasons
        there = {tuple(path) for path in calls.paths(client)}
        for mark in kept:
            reason, retries = reasons[texts[mark]]
            assert (("kept", str(mark)) in there) == (reason == "EndOfJob")
            assert reason == "EndOfJob" or (way == "cold" and reason == "Premature")
            assert retries <= (1 if way == "warm" else 0)
        again = sum(reasons[texts[mark]][1] for mark in kept)
        given_up = sum(reasons[texts[mark]][0] == "Premature" for mark in kept)
        assert (again if way == "warm" else given_up) > 0, "the kill came too late"


def test_a_run_is_queued_again_once(node):
    with node.client() as client:
        begin(client, sql(endless(1), sink=into("never", "done")))
        eventually(lambda: memory(node)["live"] == 1, what="the checkpoint")
    node.kill()
    node.start()
    with node.client() as client:
        eventually(lambda: calls.tasks(client, state="executing"), what="the second try")
        assert memory(node)["live"] == 1
    node.kill()
    node.start()
    node.settle()
    with node.client() as client:
        (job,) = jobs(client, 1)
        assert (job["reason"], job["retries"]) == ("Premature", 1)
        (work,) = table(client, "job_history")
        assert "once already" in json.loads(json.loads(work["work"])["detail"])["error"]["message"]


def test_a_run_that_was_queued_again_can_be_cancelled(node):
    with node.client() as client:
        begin(client, sql(endless(1), sink=into("never", "done")))
        eventually(lambda: memory(node)["live"] == 1, what="the checkpoint")
    node.kill()
    node.start()
    with node.client() as client:
        (task,) = eventually(lambda: calls.tasks(client, state="executing"), what="the second try")
        calls.act_one(client, "CancelTask", {"task": task["task"]})
        (job,) = jobs(client, 1)
        assert (job["reason"], job["retries"]) == ("CanceledByUser", 1)


def test_what_the_stop_cut_off_goes_on_when_its_result_is_kept(start):
    node = start(settings={"stop.drain_s": 0})
    with node.client() as client:
        slow = Slow(client)
        node.settle()
        earlier = len(table(client, "jobs"))
        begin(client, sql(slow.sql_of_at_least(3), sink=into("kept", "on")))
        begin(client, sql(endless(2)))
    earlier += 1  # What measured the three seconds.
    node.restart()
    with node.client() as client:
        eventually(lambda: ["kept", "on"] in calls.paths(client), timeout_s=60, what="the result")
        node.settle()
        assert {job["reason"] for job in table(client, "jobs")[:2]} == {"EndOfJob", "Premature"}
        assert len({job["ducc_id"] for job in table(client, "jobs")}) >= earlier + 2


def test_every_table_is_a_flight_and_an_input(node, client):
    run(client, sql("select 1 as n"))
    jobs(client, 1)
    listed = {path[1] for path in calls.paths(client, {"prefix": ["sheaf"]}, own=True)}
    assert listed == TABLES
    assert ["sheaf", "jobs"] in calls.paths(client, own=True)
    for each in calls.flights(client, {"prefix": ["sheaf"]}, own=True):
        assert each.total_records == each.total_bytes == -1
        found = client.do_get(each.endpoints[0].ticket, options()).read_all()
        assert found.schema == each.schema == client.get_schema(each.descriptor).schema
        assert not {"is_archived"} & set(found.column_names)
    assert "uuid" not in info(client, ["sheaf", "smreg"]).schema.names
    assert calls.get_at_once(client, {"path": ["sheaf", "jobs"]}).num_rows == 1
    assert len(rows(client, {"service": "sheaf", "spec": {"table": "jobs", "limit": 1}})) == 1
    asked = sql("select j.reason, p.host from j join p using (ducc_id)",
                {"j": {"path": ["sheaf", "jobs"]}, "p": {"path": ["sheaf", "processes"]}},
                sink=into("report", "jobs"))
    assert len(rows(client, asked)) == 1
    jobs(client, 2)
    assert len(rows(client, asked)) == 2, "the tables have grown: it is another result"
    flights = {tuple(item["path"]) for item in
               node.http("/api/v1/flights?prefix=sheaf&limit=100").json["items"]}
    assert flights == {("sheaf", name) for name in TABLES}
    with refused("FORBIDDEN"):
        info(client, sql("select 1", sink=into("sheaf", "jobs")))
    with refused("NOT_FOUND"):
        info(client, ["sheaf", "job"])
    with refused("INVALID", says="'jobs'"):
        info(client, {"service": "sheaf", "spec": {"table": "job"}})


@pytest.mark.parametrize("backend, state", [("none", "disabled"), ("memory:", "ok")])
def test_what_is_not_to_be_kept_is_gone_with_the_process(start, backend, state):
    node = start(settings={"persistence.backend": backend})
    with node.client() as client:
        run(client, sql("select 1 as n", sink=into("a", "b")))
        eventually(lambda: memory(node)["waiting"] == 0, what="the end of writing")
        assert (memory(node)["state"], memory(node)["backend"]) == (state, backend)
        assert len(table(client, "jobs")) == (1 if backend == "memory:" else 0)
    node.restart()
    with node.client() as client:
        assert table(client, "jobs") == []
        assert table(client, "job_history") == []
        assert one(client, ["a", "b"]) == 1
    assert not (node.state / "sheaf.db").exists()


@pytest.mark.parametrize("backend, says, code", [
    ("postgresql://u:secret@127.0.0.1:1/d",
     "persistence.backend: postgresql://u@127.0.0.1:1/d: nobody answers there", 3),
    ("postgresql://u:secret@h/d?nonsense=1", "persistence.backend", 3),
    ("file:/dev/null/there", "persistence.backend", 3),
    ("sqlite:/nowhere/at/all.db", "persistence.backend", 3),
    ("mysql:x", "persistence.backend: expected sqlite:FILE", 2),
])
def test_a_back_end_that_cannot_start_is_an_error(tmp_path, backend, says, code):
    done = subprocess.run([BIN, "serve", "--state", tmp_path / "state", "--set",
                           f"persistence.backend={backend}", "--set", "flight.listen=127.0.0.1:0",
                           "--set", "http.listen=127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert says in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize("backend, there", [("sqlite:own.db", "own.db"), ("file:own", "own")])
def test_a_node_starts_on_what_its_settings_say_and_again(start, backend, there):
    node = start(settings={"persistence.backend": backend})
    with node.client() as client:
        run(client, sql("select 1 as n", sink=into("kept", "one")))
        begin(client, sql(endless(1), sink=into("never", "done")))
        eventually(lambda: memory(node)["live"] == 1 and written(node) == 1, what="both in memory")
        assert (node.state / there).exists() and not (node.state / "sheaf.db").exists()
        assert (memory(node)["backend"], memory(node)["state"]) == (backend, "ok")
    node.kill()
    node.start()
    with node.client() as client:
        eventually(lambda: calls.tasks(client, state="executing"), what="the second try")
        (kept,) = table(client, "job_history")
        assert json.loads(kept["work"])["id"] == kept["ducc_id"]
        if backend.startswith("file:"):
            with refused("UNSUPPORTED", says="keeps no summaries"):
                table(client, "jobs")
            assert table(client, "rmnodes") == []
        else:
            assert [each["reason"] for each in table(client, "jobs")] == ["EndOfJob"]


def test_two_servers_on_one_state(node):
    before = node.http("/api/v1/node").json
    done = subprocess.run([BIN, "serve", "--state", node.state, "--set",
                           "flight.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert str(node.pid) in done.stderr, done.stderr
    with node.client() as client:
        run(client, sql("select 1 as n"))
        jobs(client, 1)
    assert node.http("/api/v1/node").json["id"] == before["id"]


def test_the_loser_of_a_database_is_not_ready(start, tmp_path):
    shared = {"persistence.backend": f"sqlite:{tmp_path}/shared.db"}
    first = start("first", settings={**shared, "node.name": "twin"})
    other = start("other", settings={**shared, "node.name": "sister"})
    with first.client() as client, other.client() as sister:
        run(client, sql("select 1 as n"))
        run(sister, sql("select 2 as n"))
        eventually(lambda: len(table(client, "jobs")) == 2, what="both in one history")
        second = start("second", settings={**shared, "node.name": "twin"})
        run(client, sql("select 3 as n"))
        eventually(lambda: memory(first)["state"] == "lost", what="the loss")
        assert f"process {second.pid}" in memory(first)["error"]
        with refused("NOT_READY"):
            info(client, sql("select 4 as n"))
        eventually(lambda: first.http("/ready").status == 503, what="not ready")
        assert "fenced" in first.http("/ready").json["reasons"][-1]
        with second.client() as winner:
            run(winner, sql("select 5 as n"))
            eventually(lambda: len(table(winner, "jobs")) == 3, what="the winner's run")
        assert memory(other)["state"] == memory(second)["state"] == "ok"


def test_services_nodes_and_load(node, client):
    def services():
        return {each["endpoint"].rsplit(":", 1)[1]: each["service_state"]
                for each in table(client, "smmeta")}

    eventually(lambda: services() == {"sql": "Available", "files": "Available"},
               what="the registrations")
    eventually(lambda: table(client, "rmnodes"), what="the node")
    (this,) = table(client, "rmnodes")
    assert this["online"] and this["shares_left"] == this["share_order"] > 0
    assert table(client, "rmload") == table(client, "rmshares") == []
    task = begin(client, sql(endless(1), priority=3))
    (load,) = eventually(lambda: table(client, "rmload"), what="the load")
    assert (load["class"], load["state"], load["occupancy"]) == ("priority-3", "Running", 1)
    assert len(table(client, "rmshares")) == 1
    assert table(client, "rmnodes")[0]["shares_left"] == this["share_order"] - 1
    calls.act_one(client, "CancelTask", {"task": task})
    eventually(lambda: not table(client, "rmload"), what="the end of the load")
    node.restart()
    with node.client() as again:
        eventually(lambda: table(again, "rmnodes")[0]["online"], what="the node")
        eventually(lambda: len(table(again, "smmeta")) == 2, what="the same registrations")
        assert len({each["numeric_id"] for each in table(again, "smmeta")}) == 2


def test_the_command_line_shows_history_services_and_nodes(node, client):
    def sheaf(*words, code=0):
        done = subprocess.run([BIN, *words, "--server", node.flight], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stdout

    run(client, sql("select 1 as n", sink=into("cli", "one"), priority=8))
    run(client, sql("select 2 as n"))
    jobs(client, 2)
    assert "sql > cli/one" in sheaf("history") and "(2 jobs" in sheaf("history")
    (newest,) = [json.loads(line) for line in sheaf("history", "-n", "1", "--json").splitlines()]
    assert newest["description"] == "sql"
    (kept,) = [json.loads(line) for line in
               sheaf("history", "--class", "priority-8", "--json").splitlines()]
    whole = json.loads(sheaf("history", str(kept["ducc_id"])))
    assert whole["specification"]["spec"] == {"sql": "select 1 as n"}
    assert whole["job"]["ducc_id"] == kept["ducc_id"] == whole["id"]
    assert sheaf("history", "--user", "nobody", "--json") == ""
    sheaf("history", "4711", code=1)
    eventually(lambda: "(2 services)" in sheaf("services"), what="the registrations")
    assert {json.loads(line)["service_state"] for line in
            sheaf("services", "--json").splitlines()} == {"Available"}
    eventually(lambda: "online" in sheaf("nodes"), what="the node")
    assert json.loads(sheaf("nodes", "--json"))["online"] is True
    assert "memory: sqlite:sheaf.db is ok" in sheaf("health")
    assert "sheaf/jobs" not in sheaf("ls"), "the server's own are asked for"
    assert "sheaf/jobs" in sheaf("ls", "-1", "--all") and "sheaf/jobs" in sheaf("ls", "sheaf")
    assert "EndOfJob" in sheaf("get", "sheaf/jobs")
    assert "submission_time" in sheaf("info", "sheaf/jobs")
    assert "ducc_id" in sheaf("query", "-i", "j=sheaf/jobs", "select ducc_id from j", "--format",
                              "csv")
    (node.directory / "own").mkdir()
    done = subprocess.run([BIN, "history", "--state", node.directory / "own"],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, "(0 jobs" in done.stdout) == (0, True), done.stderr
