"""PLAN  liveness, readiness and metrics · the reading API: node, tasks, flights, services, page
by page ·
unknown routes, methods and parameters hear what would be right · bad requests hurt nobody.
"""

import json
import socket
import urllib.parse

import pyarrow as pa
import pytest

import calls
from calls import act_one, into, one, run, sql
from node import eventually
from slow import endless


def test_live_and_ready(shared):
    live, ready = shared.http("/live"), shared.http("/ready")
    assert (live.status, live.json) == (200, {"live": True})
    assert ready.status == 200 and ready.json["ready"] is True
    modules = {module["name"]: module["state"] for module in ready.json["modules"]}
    assert modules == {"files": "ready", "sql": "ready"}


def test_health_is_one_source_for_http_and_the_action(shared, ask):
    said = act_one(ask, "HealthCheck")
    assert said["ready"] is True
    assert {module["name"] for module in said["modules"]} == {"files", "sql"}
    assert said["memory"]["limit"] > 0


def test_metrics_are_prometheus_text_and_move(shared, ask):
    answer = shared.http("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in answer.text.splitlines():
        assert line.startswith("#") or line.startswith("sheaf_"), line
    kinds = {line.split()[2]: line.split()[3] for line in answer.text.splitlines()
             if line.startswith("# TYPE")}
    assert kinds["sheaf_tasks_total"] == "counter" and kinds["sheaf_tasks_active"] == "gauge"
    assert kinds["sheaf_call_seconds"] == "histogram"
    before = shared.metrics()
    calls.put(ask, ["metric", "al"], pa.table({"n": [1, 2, 3]}))
    assert run(ask, sql("select * from t", {"t": {"path": ["metric", "al"]}}))[1].num_rows == 3
    with calls.refused("NOT_FOUND"):
        run(ask, ["metric", "absent"])

    def moved(name, by, **labels):
        return shared.metric(name, **labels) - sum(
            value for (known, has), value in before.items()
            if known == name and set(labels.items()) <= has) == by

    assert moved("sheaf_received_rows_total", 3) and moved("sheaf_uploads_total", 1)
    assert moved("sheaf_tasks_total", 1, outcome="run")
    eventually(lambda: moved("sheaf_sent_rows_total", 3), what="the rows")
    eventually(lambda: moved("sheaf_calls_total", 1, method="DoPut", code="OK"), what="DoPut")
    eventually(lambda: moved("sheaf_calls_total", 1, method="GetFlightInfo", code="NOT_FOUND"),
               what="the failure")


def test_the_node_tells_itself(shared):
    told = shared.http("/api/v1/node").json
    assert told["flight"] == shared.flight and told["http"] == shared.ready["http"]
    assert told["version"] == shared.ready["version"] and told["state"] == "ready"
    assert told["id"] and told["name"] and told["health"]["ready"] is True


def test_services_are_listed(shared):
    answer = shared.http("/api/v1/services").json
    assert [item["service"] for item in answer["items"]] == ["files", "sql"]
    assert answer["next"] is None


def pages(node, path, limit):
    """All items, page by page."""
    items, after = [], None
    while True:
        query = {"limit": limit, **({"after": after} if after else {})}
        answer = node.http(f"{path}?{urllib.parse.urlencode(query)}").json
        assert len(answer["items"]) <= limit
        items += answer["items"]
        after = answer["next"]
        if after is None:
            return items


def test_flights_come_in_pages_in_path_order_and_by_prefix(start):
    node = start()
    names = sorted([["a", str(number)] for number in range(25)] + [["b/c", 'd"e'], ["ä", "ö ü"]],
                   key=lambda path: [part.encode() for part in path])
    with node.client() as client:
        for name in names:
            calls.put(client, name, pa.table({"n": [1]}))
        listed = pages(node, "/api/v1/flights", 4)
        assert [item["path"] for item in listed if not item.get("own")] == names
        assert calls.paths(client) == names
    below = node.http("/api/v1/flights?prefix=" + urllib.parse.quote('["b/c"]')).json
    assert [item["path"] for item in below["items"]] == [["b/c", 'd"e']]
    assert len(node.http("/api/v1/flights?prefix=a&limit=100").json["items"]) == 25


def test_a_flight_has_the_contracts_shape(shared, ask):
    calls.put(ask, ["shape", "in"], pa.table({"n": [1, 2]}))
    made = sql("select sum(n) as s from t", {"t": {"path": ["shape", "in"]}},
               sink=into("shape", "out", ttl_s=500))
    run(ask, made)
    items = {item["path"][1]: item
             for item in shared.http("/api/v1/flights?prefix=shape").json["items"]}
    assert items["out"].keys() >= {"path", "generation", "identity", "command", "principal",
                                   "created", "expires", "tier", "rows", "bytes", "pinned",
                                   "inputs"}
    assert items["out"]["command"]["spec"] == made["spec"]
    assert [used["path"] for used in items["out"]["inputs"]] == [["shape", "in"]]
    assert items["in"].get("command") is None and items["in"]["rows"] == 2


def test_tasks_come_in_pages_with_the_contracts_shape(shared, ask):
    with calls.refused("POLL") as poll:
        calls.info(ask, sql(endless(1)), {"sheaf-pollable": "true", "sheaf-wait-ms": "0"})
    task = poll.details["task"]
    for number in range(12):
        one(ask, sql(f"select {number} as paged"))
    found = {item["task"]: item for item in pages(shared, "/api/v1/tasks", 5)}
    assert len(found) >= 13
    assert found[task].keys() >= {"task", "service", "identity", "state", "outcome", "progress",
                                  "principal", "inputs", "estimate", "rows", "bytes", "ms"}
    assert found[task]["state"] == "executing"
    act_one(ask, "CancelTask", {"task": task})
    calls.ended(ask, task)


@pytest.mark.parametrize("path, near", [("/api/v1/flight", "/api/v1/flights"), ("/healthz", ""),
                                        ("/metric", "/metrics"), ("/", ""), ("/api/v1/", "")])
def test_unknown_routes_are_404_with_the_nearest(shared, path, near):
    answer = shared.http(path)
    assert answer.status == 404 and answer.json["code"] == "NOT_FOUND"
    assert near in answer.json["message"] and "/api/v1/flights" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_with_what_is_allowed(shared, method):
    answer = shared.http("/api/v1/flights", method=method, body="{}")
    assert answer.status == 405 and "GET" in answer.headers["allow"]


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=many", "limit=1001", "lmit=5"])
def test_wrong_parameters_are_400_and_named(shared, query):
    answer = shared.http(f"/api/v1/flights?{query}")
    assert answer.status == 400 and answer.json["code"] == "INVALID"
    assert "limit" in answer.json["message"]


def raw(node, request, timeout_s=5):
    host, port = node.ready["http"].removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_malformed_requests_are_400_and_too_long_ones_are_refused(shared):
    assert raw(shared, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    long = b"GET /live HTTP/1.1\r\nhost: x\r\nx-long: " + b"y" * 70_000 + b"\r\n\r\n"
    assert raw(shared, long)[9:12] in (b"431", b"400")
    assert raw(shared, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n")[9:12] in (b"414", b"431",
                                                                                  b"400")
    big = (b"GET /live HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n"
           b"connection: close\r\n\r\n")
    assert raw(shared, big)[9:12] in (b"413", b"400", b"200")
    pair = b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n" \
           b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answers = raw(shared, pair)
    assert answers.count(b"HTTP/1.1 200") == 2
    assert shared.http("/live").status == 200


def test_the_api_describes_itself(shared):
    document = shared.http("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.")
    for path in ("/live", "/ready", "/metrics", "/api/v1/node", "/api/v1/tasks",
                 "/api/v1/flights", "/api/v1/services"):
        assert "get" in document["paths"][path]
        answer = shared.http(path)
        assert answer.status == 200
        if path.startswith("/api"):
            json.loads(answer.text)
