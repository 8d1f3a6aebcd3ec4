"""PLAN  malformed, oversized and too deep commands · integers at the edges of doubles and 64 bits ·
wrong types and unknown keys are named with their place · forged tickets · wrong headers · and after
all of it the node serves as before.
"""

import json

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
from calls import act_one, command, get_at_once, info, into, one, read, refused, sql

BASE = {"service": "sql", "spec": {"sql": "select 1 as x"}}

MALFORMED = {
    "empty": b"", "not json": b"select 1", "half": b"{", "half string": b'{"service": "sq',
    "trailing comma": b'{"service": "sql",}', "behind the end": b'{"service": "sql"} {}',
    "duplicate key": b'{"service": "sql", "service": "sql"}',
    "duplicate key below": b'{"service": "sql", "spec": {"sql": "a", "sql": "b"}}',
    "nan": b'{"service": "sql", "spec": {"x": NaN}}',
    "infinity": b'{"service": "sql", "spec": {"x": 1e999}}',
    "nul": b'{"service": "sql"\0}', "byte order mark": b'\xef\xbb\xbf{"service": "sql"}',
    "not utf-8": b'{"service": "s\xffql"}', "lone surrogate": b'{"service": "\\ud800"}',
    "single quotes": b"{'service': 'sql'}", "comment": b'{/* */"service": "sql"}',
    "leading zero": b'{"service": "sql", "spec": {"x": 01}}', "empty object": b"{}",
    "array": b"[]", "leading blank": b' {"service": "sql"}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_commands_are_invalid(ask, name):
    with refused("INVALID"):
        info(ask, MALFORMED[name])
    with refused("INVALID" if MALFORMED[name][:1] == b"{" else "INVALID_TICKET"):
        ask.do_get(fl.Ticket(MALFORMED[name])).read_all()


def test_a_malformed_command_is_told_where(ask):
    with refused("INVALID", says="byte 19"):
        info(ask, b'{"service": "sql",}')
    with refused("INVALID", says=("duplicate", "'sql'")):
        info(ask, b'{"service": "sql", "spec": {"sql": "a", "sql": "b"}}')


def test_oversized_commands_are_invalid(ask):
    with refused("INVALID", says="limit"):
        info(ask, sql("select 1 --" + "x" * (1 << 20)))
    with refused("INVALID", says="100000 values"):
        info(ask, command("sql", {"sql": "select 1", "params": [0] * 100_001}))
    with refused("INVALID", says="nested deeper"):
        info(ask, b'{"service": "sql", "spec": {"x": ' + b"[" * 100 + b"]" * 100 + b"}}")
    with refused("INVALID", says="nested deeper"):
        info(ask, b'{"service": ' * 50_000)
    # The receive limit of gRPC itself is far above: what is refused has been looked at.
    with refused("INVALID", says="limit"):
        info(ask, b'{"service": "' + b"x" * (8 << 20) + b'"}')


def tree(depth):
    made = sql("select 1 as n")
    for _ in range(depth - 1):
        made = sql("select n + 1 as n from i", {"i": made})
    return made


def test_trees_may_be_16_deep_and_no_deeper(ask):
    assert one(ask, tree(16)) == 16
    with refused("INVALID", says=("deeper than 16", "inputs.i")):
        info(ask, tree(17))
    with refused("INVALID"):
        info(ask, tree(400))


def test_trees_may_have_256_commands_and_no_more(ask):
    def wide(count):
        return sql("select 1 as n", {f"t{i}": calls.files("region.parquet") for i in range(count)})

    assert one(ask, wide(255)) == 1
    with refused("INVALID", says="256"):
        info(ask, wide(256))


# --- integers -----------------------------------------------------------------------------------

EXACT = [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**53) - 1, -(2**63)]


@pytest.mark.parametrize("number", EXACT)
def test_integers_are_exact_to_64_bits(ask, number):
    assert one(ask, sql("select ? as x", params=[number])) == number


@pytest.mark.parametrize("number", [2**64, 2**64 + 1, -(2**63) - 1, 10**30])
def test_larger_integers_are_invalid(ask, number):
    with refused("INVALID", says="64 bits"):
        info(ask, sql("select ? as x", params=[number]))
    with refused("INVALID"):
        info(ask, {**BASE, "options": {"deadline_ms": number}})


def test_neighbours_of_2_to_the_53_have_identities_of_their_own(ask):
    def identity(text):
        raw = '{"service": "sql", "spec": {"sql": "select ? as x", "params": [%s]}}' % text
        return calls.told(info(ask, raw.encode()))["identity"]

    exact = {identity(str(2**53 + i)) for i in range(-2, 3)}
    assert len(exact) == 5
    assert identity("2") != identity("2.0") == identity("2e0") == identity("2.00")
    assert identity("9007199254740993.0") == identity("9007199254740992.0")


def test_a_double_keeps_its_value(ask):
    for number in (0.1, 1e308, -5e-324, 2.0):
        assert one(ask, sql("select ?::double as x", params=[number])) == number


# --- types and keys -----------------------------------------------------------------------------

WRONG = [
    ({"service": 5}, "service"), ({"service": ""}, "service"), ({"service": None}, "service"),
    ({"spec": "select 1"}, "spec"), ({"spec": []}, "spec"), ({"spec": {"sql": 1}}, "spec.sql"),
    ({"spec": {}}, "spec.sql"), ({"inputs": []}, "inputs"), ({"inputs": {"a": 1}}, "inputs.a"),
    ({"inputs": {"a": {}}}, "inputs.a"), ({"inputs": {"": BASE}}, "inputs"),
    ({"inputs": {"input": BASE}}, "inputs.input"),
    ({"inputs": {"a": {"path": "x/y"}}}, "inputs.a.path"),
    ({"inputs": {"a": {"path": [1]}}}, "inputs.a.path"),
    ({"inputs": {"a": {"path": []}}}, "inputs.a.path"),
    ({"inputs": {"a": {**BASE, "spec": 3}}}, "inputs.a.spec"),
    ({"sink": []}, "sink"), ({"sink": {}}, "sink.path"), ({"sink": {"path": "a"}}, "sink.path"),
    ({"sink": into("")}, "sink.path"), ({"sink": into("a\0b")}, "sink.path"),
    ({"sink": into(*["p"] * 17)}, "sink.path"), ({"sink": into("x" * 256)}, "sink.path"),
    ({"sink": into("a", ttl_s=0)}, "sink.ttl_s"), ({"sink": into("a", ttl_s=1.5)}, "sink.ttl_s"),
    ({"sink": into("a", ttl_s=-1)}, "sink.ttl_s"), ({"sink": into("a", ttl_s="1h")}, "sink.ttl_s"),
    ({"sink": into("a", ttl_s=2**53)}, "sink.ttl_s"), ({"sink": into("a", tier=1)}, "sink.tier"),
    ({"sink": into("a", tier="ssd")}, "sink.tier"), ({"sink": into("a", reuse=1)}, "sink.reuse"),
    ({"sink": into("a", reuse="if_sane")}, "if_same"),
    ({"sink": into("a", if_generation=-1)}, "sink.if_generation"),
    ({"sink": into("a", if_generation=1.0)}, "sink.if_generation"),
    ({"options": 1}, "options"), ({"options": {"priority": 10}}, "options.priority"),
    ({"options": {"priority": "9"}}, "options.priority"),
    ({"options": {"priority": 5.0}}, "options.priority"),
    ({"options": {"deadline_ms": 0}}, "options.deadline_ms"),
    ({"options": {"deadline_ms": True}}, "options.deadline_ms"),
    ({"options": {"share": 1}}, "options.share"), ({"options": {"retain_s": -1}}, "retain_s"),
    ({"options": {"memory_bytes": "1GB"}}, "options.memory_bytes"),
    ({"inputs": {"a": {**BASE, "options": {"priority": 1}}}}, "inputs.a.options.priority"),
    ({"inputs": {"a": {**BASE, "options": {"deadline_ms": 9}}}}, "inputs.a.options.deadline_ms"),
    ({"spec": {"sql": "select 1", "params": 5}}, "spec.params"),
    ({"spec": {"sql": "select 1", "params": [[1]]}}, "spec.params"),
    ({"spec": {"sql": "select ?", "params": []}}, "spec.params"),
    ({"spec": {"sql": "select 1", "params": [1]}}, "spec.params"),
    ({"spec": {"sql": "select $a", "params": {"b": 1}}}, "spec.params"),
]


@pytest.mark.parametrize("change, place", WRONG, ids=lambda value: str(value)[:60])
def test_wrong_types_are_invalid_and_named(ask, change, place):
    with refused("INVALID", says=place):
        info(ask, {**BASE, **change})


UNKNOWN = [
    ({**BASE, "sinc": {}}, "'sink'"), ({"servise": "sql", "spec": {}}, "'service'"),
    (sql("select 1", {"x": {"pth": ["a"]}}), "'path'"), (command("sql", {"sqll": "x"}), "'sql'"),
    ({**BASE, "sink": {"pth": ["a"]}}, "'path'"),
    ({**BASE, "spec": {"sqll": "select 1", "sql": "select 1"}}, "'sql'"),
    ({**BASE, "options": {"priorty": 1}}, "'priority'"),
    ({**BASE, "sink": into("a", tll_s=1)}, "'ttl_s'"),
    ({**BASE, "inputs": {"a": {"path": ["x"], "generaton": 1}}}, "inputs.a"),
    (calls.files("region.parquet", column=["r_name"]), "'columns'"),
    (calls.files("region.parquet", format="parqet"), "'parquet'"),
    ({"tusk": "x"}, "'task'"), ({"task": "x", "more": 1}, "more"),
]


@pytest.mark.parametrize("asked, near", UNKNOWN, ids=lambda value: str(value)[:60])
def test_unknown_keys_are_invalid_and_named_with_the_nearest(ask, asked, near):
    with refused("INVALID", says=near):
        info(ask, asked)


def test_an_unknown_service_is_told_with_the_nearest(shared, ask):
    with refused("UNKNOWN_SERVICE", says="'sql'"):
        info(ask, command("sqll", {"anything": "goes: its spec is not looked at"}))
    with refused("UNKNOWN_SERVICE", says=("nothing", "inputs.a")):
        info(ask, sql("select 1", {"a": command("nothing")}))


def test_two_sinks_of_one_path_need_one_identity(ask):
    inner = sql("select 1 as n", sink=into("one", "path"))
    other = sql("select 2 as n", sink=into("one", "path"))
    asked = sql("select a.n + b.n as n from a, b", {"a": inner, "b": other})
    with refused("INVALID", says=("one/path", "inputs.")):
        info(ask, asked)
    same = sql("select a.n + b.n as n from a, b", {"a": inner, "b": inner})
    assert one(ask, same) == 2


# --- descriptors, tickets, headers --------------------------------------------------------------

def test_paths_outside_the_limits_are_invalid(ask):
    longest = ["x" * 255] * 16
    assert calls.put(ask, longest, pa.table({"n": [1]}))["rows"] == 1
    assert one(ask, longest) == 1
    act_one(ask, "DropFlight", {"path": longest})
    for path in ([], [""], ["a", ""], ["a"] * 17, ["x" * 256], ["a\0b"]):
        with refused("INVALID"):
            info(ask, path)
    with refused("INVALID"):
        calls.put(ask, ["x" * 256], pa.table({"n": [1]}))


def test_what_is_no_message_of_flights_is_invalid_with_its_detail(ask):
    with pytest.raises(pa.ArrowInvalid, match="UTF-8"):  # pyarrow gives no detail of this call.
        ask.get_schema(calls.by([b"\xff"]))
    for call in (lambda: info(ask, [b"\xff"]),
                 lambda: calls.put(ask, [b"\xff"], pa.table({"n": [1]}))):
        with refused("INVALID", says="UTF-8") as refusal:
            call()
        assert refusal.details["request"]


def test_a_ticket_of_one_flipped_bit_is_invalid(ask):
    calls.put(ask, ["ticket", "ed"], pa.table({"n": [1, 2, 3]}))
    good = info(ask, ["ticket", "ed"]).endpoints[0].ticket.ticket
    unnamed = info(ask, sql("select 3 as n")).endpoints[0].ticket.ticket
    for known in (good, unnamed):
        for place in range(len(known)):
            forged = bytearray(known)
            forged[place] ^= 1 << place % 8
            if forged[:1] == b"{":
                continue
            with refused("INVALID_TICKET"):
                ask.do_get(fl.Ticket(bytes(forged))).read_all()
    assert ask.do_get(fl.Ticket(good)).read_all().num_rows == 3


def test_a_shortened_or_lengthened_ticket_is_invalid(ask):
    calls.put(ask, ["ticket", "ed"], pa.table({"n": [1, 2, 3]}))
    good = info(ask, ["ticket", "ed"]).endpoints[0].ticket.ticket
    pieces = [good[:size] for size in range(len(good))] + [good + b"\0", good * 2, b"\x01" * 100000]
    for piece in pieces:
        with refused("INVALID_TICKET"):
            ask.do_get(fl.Ticket(piece)).read_all()


def test_a_ticket_of_another_node_is_invalid(ask, node):
    with node.client() as other:
        calls.put(other, ["a"], pa.table({"n": [1]}))
        foreign = info(other, ["a"]).endpoints[0].ticket
    with refused("INVALID_TICKET"):
        ask.do_get(foreign).read_all()


HEADERS = [("sheaf-wait-ms", "soon"), ("sheaf-wait-ms", "-1"), ("sheaf-wait-ms", "99999999999")]


@pytest.mark.parametrize("header, value", HEADERS)
def test_a_wrong_header_is_invalid_and_named(ask, header, value):
    with refused("INVALID", says=header):
        info(ask, sql("select 1 as n"), headers={"sheaf-pollable": "true", header: value})


PUT_HEADERS = [("sheaf-rows", "many"), ("sheaf-rows", "-1"), ("sheaf-rows", "1.0"),
               ("sheaf-commit", "implicit")]


@pytest.mark.parametrize("header, value", PUT_HEADERS)
def test_a_wrong_header_of_an_upload_is_invalid_and_named(ask, header, value):
    with refused("INVALID", says=header):
        calls.put(ask, ["head", "er"], pa.table({"n": [1]}), headers={header: value})
    with refused("NOT_FOUND"):
        info(ask, ["head", "er"])


BODIES = [("GetTask", b"{"), ("GetTask", b""), ("GetTask", b'{"task": 5}'),
          ("GetTask", b'{"tusk": "x"}'), ("CancelTask", b'{"task": "x", "force": 1}'),
          ("DropFlight", b"{}"), ("DropFlight", b'{"path": "a"}'), ("Explain", b"{}"),
          ("Explain", b'{"command": {"service": 1}}'), ("ListTasks", b'{"all": true}'),
          ("GetLocations", b'{"descriptor": {"path": ["a"]}, "for": "fun"}'),
          ("CancelFlightInfo", b"\xff\xff\xff"), ("RenewFlightEndpoint", b"\x0a\xff")]


@pytest.mark.parametrize("action, body", BODIES)
def test_a_wrong_body_of_an_action_is_invalid(ask, action, body):
    with refused("INVALID"):
        list(ask.do_action((action, body)))


def test_after_all_of_it_the_node_serves_as_before(shared, ask):
    asked = sql("select count(*) as n from t", {"t": calls.files("orders.parquet")})
    assert get_at_once(ask, asked)["n"].to_pylist() == [150_000]
    assert read(ask, info(ask, json.dumps(asked).encode())).num_rows == 1
    assert shared.http("/ready").status == 200
