"""PLAN  the composed command of the contract runs once and is a hit ever after · a nested sink
serves
another command · what hits, planning and lineage tell · flights are listed, dropped, pinned,
touched, refreshed.
"""

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import calls
import raw
from calls import act_one, command, files, info, into, paths, refused, run, sql, told
from node import eventually

Q3 = """
select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority
from lineitem join orders on l_orderkey = o_orderkey
where o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
group by l_orderkey, o_orderdate, o_shippriority
order by revenue desc, o_orderdate, l_orderkey limit 10"""
COLUMNS = ["l_orderkey", "l_extendedprice", "l_discount", "l_shipdate"]


def composed(name, **more):
    """The command of the contract, section 2, with paths of its own."""
    lineitem = files("lineitem.parquet", columns=COLUMNS)
    sink = into("reports", name, reuse="if_same", ttl_s=3600, tier="disk")
    return sql(Q3, {"orders": {"path": ["raw", name]}, "lineitem": lineitem}, sink=sink,
               priority=5, deadline_ms=60000, share=True, retain_s=60, **more)


def put_orders(client, tpch, name):
    return calls.put(client, ["raw", name], pq.read_table(tpch / "orders.parquet"))


def test_second_run_of_a_composed_command_is_a_hit(shared, ask, tpch):
    uploaded = put_orders(ask, tpch, "q3")
    assert uploaded["rows"] == 150_000 and uploaded["durable"] is True
    ran, hits = shared.outcome("run"), shared.outcome("hit")

    first, table = run(ask, composed("q3"))
    assert first["hit"] is False and first["task"]
    assert table.num_rows == 10 and table["revenue"][0].as_py() > table["revenue"][9].as_py()
    assert shared.outcome("run") == ran + 1 and shared.outcome("fused") >= 1

    second, again = run(ask, composed("q3"))
    assert second["hit"] is True and second["task"] is None
    assert second["identity"] == first["identity"] and again.equals(table)
    assert second["path"] == ["reports", "q3"] and second["tier"] == "disk"
    assert second["generation"] > uploaded["generation"]
    for key in ("created", "expires"):
        assert datetime.datetime.fromisoformat(second[key])
    assert shared.outcome("run") == ran + 1 and shared.outcome("hit") == hits + 1

    by_path, same = run(ask, ["reports", "q3"])
    assert same.equals(table) and by_path["generation"] == second["generation"]


def test_explain_tells_fused_run_and_hit_without_running(shared, ask, tpch):
    put_orders(ask, tpch, "q3x")
    ran = shared.outcome("run")
    before = act_one(ask, "Explain", {"command": composed("q3x")})
    assert before["outcome"] == "planned" and before["service"] == "sql"
    assert before["inputs"]["lineitem"]["outcome"] == "fused"
    assert before["inputs"]["orders"]["path"] == ["raw", "q3x"]
    assert shared.outcome("run") == ran

    answer, _ = run(ask, composed("q3x"))
    calls.ended(ask, answer["task"])
    done = act_one(ask, "Explain", {"task": answer["task"]})
    assert done["outcome"] == "run" and done["state"] == "completed" and done["rows"] == 10
    assert set(done["ms"]) == {"queue", "run", "stream"} and done["ms"]["run"] > 0
    assert done["inputs"]["lineitem"]["outcome"] == "fused"
    assert act_one(ask, "Explain", {"command": composed("q3x")})["outcome"] == "hit"


def test_identity_is_of_service_spec_and_inputs_alone(ask, tpch):
    put_orders(ask, tpch, "q3i")
    plain = composed("q3i")
    identity = act_one(ask, "Explain", {"command": plain})["identity"]
    unsunk = {key: plain[key] for key in ("inputs", "spec", "service")}
    assert act_one(ask, "Explain", {"command": unsunk})["identity"] == identity
    other = {**unsunk, "options": {"priority": 9}, "sink": into("reports", "elsewhere")}
    assert act_one(ask, "Explain", {"command": other})["identity"] == identity
    spaced = json.dumps(unsunk, indent=3, sort_keys=True).encode()
    assert told(info(ask, spaced))["identity"] == identity

    put_orders(ask, tpch, "q3i")  # A new generation of a path input is another identity.
    assert act_one(ask, "Explain", {"command": plain})["identity"] != identity


def test_a_nested_sink_is_reused_by_another_outer_command(shared, ask):
    inner = sql("select o_custkey, sum(o_totalprice) as spent from orders group by 1",
                {"orders": files("orders.parquet")}, sink=into("cache", "spent"))
    ran = shared.outcome("run")
    most, table = run(ask, sql("select max(spent) as m from spent", {"spent": inner}))
    assert most["hit"] is False and shared.outcome("run") == ran + 2
    assert "cache/spent" in ["/".join(path) for path in paths(ask)]

    hits = shared.outcome("hit")
    answer, fewest = run(ask, sql("select min(spent) as m from spent", {"spent": inner}))
    assert answer["hit"] is False and shared.outcome("run") == ran + 3
    assert shared.outcome("hit") == hits + 1
    tree = act_one(ask, "Explain", {"task": answer["task"]})
    assert tree["inputs"]["spent"]["outcome"] == "hit"
    assert fewest["m"][0].as_py() < table["m"][0].as_py()
    # The path alone reads the same data.
    assert calls.one(ask, sql("select max(spent) from spent",
                              {"spent": {"path": ["cache", "spent"]}})) == table["m"][0].as_py()


def test_get_schema_plans_and_never_runs(shared, ask, tpch):
    ran = shared.outcome("run")
    asked = sql("select o_orderkey, o_totalprice * 2 as doubled from orders",
                {"orders": files("orders.parquet")})
    schema = ask.get_schema(calls.by(asked)).schema
    assert schema.names == ["o_orderkey", "doubled"] and schema.types[0] == pa.int64()
    assert shared.outcome("run") == ran
    assert run(ask, asked)[1].schema.equals(schema)
    only = files("orders.parquet", columns=["o_comment"])
    assert ask.get_schema(calls.by(only)).schema.names == ["o_comment"]
    calls.put(ask, ["raw", "tiny"], pa.table({"x": [1], "y": ["a"]}))
    assert ask.get_schema(calls.by(["raw", "tiny"])).schema.names == ["x", "y"]
    with pytest.raises(pa.ArrowKeyError, match="no flight"):  # pyarrow drops the detail here.
        ask.get_schema(calls.by(["raw", "nothing", "there"]))


def test_lists_are_in_path_order_and_obey_their_criteria(client):
    empty = pa.table({"n": pa.array([], pa.int64())})
    names = [["b"], ["a", "2"], ["a", "1"], ["a", "1", "x"], ["ab"], ["ä", "ö"]]
    for name in names:
        calls.put(client, name, empty)
    info(client, sql("select 1 as unnamed"))
    ordered = sorted(names, key=lambda path: [part.encode() for part in path])
    assert paths(client) == ordered
    assert paths(client, {"prefix": ["a"]}) == [["a", "1"], ["a", "1", "x"], ["a", "2"]]
    assert paths(client, {"prefix": ["a", "1"]}) == [["a", "1"], ["a", "1", "x"]]
    assert paths(client, {"after": ["a", "1"], "limit": 2}) == [["a", "1", "x"], ["a", "2"]]
    assert paths(client, {"prefix": ["a"], "after": ["a", "2"]}) == []
    (found,) = client.list_flights(b'{"prefix": ["b"]}')
    assert found.schema.names == ["n"] and found.total_records == 0
    assert told(found)["path"] == ["b"] and calls.read(client, found).num_rows == 0
    for wrong in (b"[]", b'{"prefx": ["a"]}', b'{"limit": 0}', b'{"prefix": "a"}', b"a"):
        with refused("INVALID"):
            paths(client, wrong)


def test_a_dropped_flight_is_gone_and_its_command_runs_again(shared, ask):
    made = sql("select 7 as seven", sink=into("drop", "me"))
    first, _ = run(ask, made)
    assert told(info(ask, ["drop", "me"]))["generation"]
    with refused("CONFLICT"):
        act_one(ask, "DropFlight", {"path": ["drop", "me"], "generation": 1})
    generation = run(ask, made)[0]["generation"]
    act_one(ask, "DropFlight", {"path": ["drop", "me"], "generation": generation})
    for gone in (lambda: info(ask, ["drop", "me"]),
                 lambda: act_one(ask, "DropFlight", {"path": ["drop", "me"]})):
        with refused("NOT_FOUND"):
            gone()
    again, _ = run(ask, made)
    assert again["hit"] is False and again["identity"] == first["identity"]
    assert run(ask, made)[0]["generation"] > generation


def test_touch_and_pin_move_a_flights_end(ask):
    run(ask, sql("select 8 as eight", sink=into("keep", "me", ttl_s=100)))
    before = told(info(ask, ["keep", "me"]))
    touched = act_one(ask, "TouchFlight", {"path": ["keep", "me"], "ttl_s": 5000})
    moved = datetime.datetime.fromisoformat(touched["expires"]) \
        - datetime.datetime.fromisoformat(before["expires"])
    assert 4890 <= moved.total_seconds() <= 4910
    assert touched["generation"] == before["generation"]
    assert act_one(ask, "PinFlight", {"path": ["keep", "me"]})["pinned"] is True
    with refused("CONFLICT"):
        act_one(ask, "TouchFlight", {"path": ["keep", "me"], "generation": 1})
    with refused("NOT_FOUND"):
        act_one(ask, "PinFlight", {"path": ["keep", "nobody"]})
    with refused("INVALID", says="ttl_s"):
        act_one(ask, "TouchFlight", {"path": ["keep", "me"], "ttl_s": "1h"})


def test_refresh_runs_the_recorded_command_again(shared, ask, shared_data):
    pq.write_table(pa.table({"n": [1, 2, 3]}), shared_data / "fresh.parquet")
    made = sql("select sum(n) as total from t", {"t": files("fresh.parquet")},
               sink=into("fresh", "total"))
    assert calls.one(ask, made) == 6
    before = told(info(ask, ["fresh", "total"]))
    pq.write_table(pa.table({"n": [10, 20, 30, 40]}), shared_data / "fresh.parquet")
    fresh = act_one(ask, "RefreshFlight", {"path": ["fresh", "total"]})
    assert fresh["generation"] > before["generation"]
    assert calls.one(ask, ["fresh", "total"]) == 100
    assert told(info(ask, made))["hit"] is True  # Of the same identity as ever.
    calls.put(ask, ["fresh", "upload"], pa.table({"x": [1]}))
    with refused("INVALID", says="uploaded"):
        act_one(ask, "RefreshFlight", {"path": ["fresh", "upload"]})
    with refused("NOT_FOUND"):
        act_one(ask, "RefreshFlight", {"path": ["fresh", "nothing"]})


def test_refresh_keeps_the_life_and_the_command_of_what_it_refreshes(ask):
    made = sql("select 1 as x", sink=into("fresh", "kept", ttl_s=3600, reuse="if_fresh",
                                          tier="memory"), memory_bytes=10**9)
    run(ask, made)
    before = act_one(ask, "GetFlight", {"path": ["fresh", "kept"]})
    fresh = act_one(ask, "RefreshFlight", {"path": ["fresh", "kept"]})
    assert fresh["generation"] > before["generation"]
    assert fresh["command"] == before["command"] == made
    left = datetime.datetime.fromisoformat(fresh["expires"]) \
        - datetime.datetime.fromisoformat(fresh["created"])
    assert abs(left.total_seconds() - 3600) < 1 and fresh["tier"] == "memory"
    assert run(ask, fresh["command"])[0]["generation"] >= fresh["generation"]
    sooner = act_one(ask, "RefreshFlight", {"path": ["fresh", "kept"], "ttl_s": 60})
    left = datetime.datetime.fromisoformat(sooner["expires"]) \
        - datetime.datetime.fromisoformat(sooner["created"])
    assert abs(left.total_seconds() - 60) < 1 and sooner["command"] == made


def test_a_pinned_flight_outlives_its_time(shared, ask):
    for tier in ("disk", "memory"):
        run(ask, sql("select 3 as three", sink=into("pinned", tier, ttl_s=1, tier=tier)))
        pinned = act_one(ask, "PinFlight", {"path": ["pinned", tier]})
    past = datetime.datetime.fromisoformat(pinned["expires"])
    eventually(lambda: datetime.datetime.now(datetime.timezone.utc) > past, what="its time")
    for tier in ("disk", "memory"):
        assert calls.one(ask, ["pinned", tier]) == 3
        act_one(ask, "PinFlight", {"path": ["pinned", tier], "pinned": False})
        with refused("NOT_FOUND"):
            info(ask, ["pinned", tier])


def test_the_record_keeps_command_inputs_principal_and_times(shared, ask):
    calls.put(ask, ["raw", "numbers"], pa.table({"n": list(range(10))}))
    generation = told(info(ask, ["raw", "numbers"]))["generation"]
    made = sql("select sum(n) as s from t", {"t": {"path": ["raw", "numbers"]}},
               sink=into("derived", "sum"))
    run(ask, made)
    record = act_one(ask, "PinFlight", {"path": ["derived", "sum"]})
    assert record["command"]["spec"] == made["spec"] and record["principal"] == "anonymous"
    assert [(used["path"], used["generation"]) for used in record["inputs"]] \
        == [(["raw", "numbers"], generation)]
    assert record["rows"] == 1 and record["tier"] == "disk" and record["expires"] is None
    assert datetime.datetime.fromisoformat(record["created"])
    assert record["identity"] == told(info(ask, made))["identity"]
    assert "command" not in act_one(ask, "PinFlight", {"path": ["raw", "numbers"]})


def test_one_round_trip_gives_the_data_and_what_flight_info_tells(shared, ask):
    asked = sql("select range as n from range(1000)", sink=into("once", "trip"))
    table = calls.get_at_once(ask, asked)
    assert table["n"].to_pylist() == list(range(1000))
    assert calls.get_at_once(ask, {"path": ["once", "trip"]}).equals(table)
    generation = told(info(ask, ["once", "trip"]))["generation"]
    pinned = {"path": ["once", "trip"], "generation": generation}
    assert calls.get_at_once(ask, pinned).equals(table)
    with raw.Flight(shared) as flight:
        first = raw.message(next(flight.stream("DoGet", raw.field(1, json.dumps(asked)))))
    metadata = json.loads(first[3][0])
    assert metadata["hit"] is True and metadata["generation"] == generation


def test_a_command_may_read_the_path_that_it_replaces(ask):
    calls.put(ask, ["count", "er"], pa.table({"n": [0]}))
    step = sql("select n + 1 as n from me", {"me": {"path": ["count", "er"]}},
               sink=into("count", "er", reuse="never"))
    for expected in (1, 2, 3):
        assert calls.one(ask, step) == expected
    assert calls.one(ask, ["count", "er"]) == 3


def test_a_task_names_a_run_and_never_starts_one(shared, ask):
    answer, table = run(ask, sql("select 5 as five", retain_s=2))
    assert calls.rows(ask, {"task": answer["task"]}) == table.to_pylist()
    ran = shared.outcome("run")
    with refused("NOT_FOUND"):
        info(ask, {"task": "0" * 32})
    assert shared.outcome("run") == ran


def test_a_result_that_is_not_kept_is_gone_after_its_time(start):
    node = start(settings={"store.claim_s": 1})
    with node.client() as client:
        answer = info(client, sql("select 5 as five", retain_s=1))
        assert calls.read(client, answer).num_rows == 1

        def gone():
            try:
                calls.read(client, answer)
            except calls.fl.FlightError as error:
                return calls.detail_of(error)["code"]
            return None

        # Every opened endpoint renews the claim: look away for longer than retain_s.
        assert eventually(gone, every_s=2.5, what="the end of the result") == "RESULT_GONE"
        with refused("RESULT_GONE"):
            info(client, {"task": told(answer)["task"]})


def test_several_files_are_several_endpoints_and_one_table(ask, shared_data):
    for part in range(3):
        pq.write_table(pa.table({"part": [part] * 4}), shared_data / f"many-{part}.parquet")
    answer = info(ask, command("files", {"uris": ["many-*.parquet"]}))
    assert len(answer.endpoints) == 3
    parts = [calls.read(ask, answer)["part"].to_pylist()]
    assert parts == [[0] * 4 + [1] * 4 + [2] * 4]
