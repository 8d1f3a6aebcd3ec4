"""PLAN  every value of `reuse` when nothing, the SQL text, or the Parquet file changes · uploaded
flights in the way · freshness through nested sinks · if_generation · ttl_s · tiers · retain_s 0
leaves no byte.
"""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import calls
from calls import files, get_at_once, info, into, one, read, refused, run, sql, told
from node import eventually

REUSES = ["if_same", "if_fresh", "if_exists", "never", "only"]


class Source:
    """A Parquet file that can change, and commands over it."""

    def __init__(self, directory, name):
        self.path = directory / f"{name}.parquet"
        self.name, self.writes = name, 0
        self.write(1)

    def write(self, value):
        # Another size each time: the clock of a file system may be too coarse to tell.
        self.writes += 1
        table = pa.table({"n": [value]}).replace_schema_metadata({"pad": "x" * self.writes})
        pq.write_table(table, self.path)

    def command(self, reuse, factor=1, sink=True):
        made = sql(f"select sum(n) * {factor} as total from t", {"t": files(self.path.name)})
        if sink:
            made["sink"] = into("reuse", self.name, reuse=reuse)
        return made


@pytest.fixture
def source(shared_data, request):
    return Source(shared_data, "".join(c if c.isalnum() else "-" for c in request.node.name))


def total(client, command):
    """(hit, answer) of a command."""
    answer, table = run(client, command)
    return answer["hit"], table["total"][0].as_py()


@pytest.mark.parametrize("reuse", REUSES)
def test_unchanged_command_is_a_hit_unless_never(ask, source, reuse):
    assert total(ask, source.command("if_same")) == (False, 1)
    generation = told(info(ask, ["reuse", source.name]))["generation"]
    assert total(ask, source.command(reuse)) == (reuse != "never", 1)
    moved = told(info(ask, ["reuse", source.name]))["generation"] > generation
    assert moved == (reuse == "never")


@pytest.mark.parametrize("reuse", REUSES)
def test_changed_text_runs_and_replaces_unless_the_name_decides(ask, source, reuse):
    total(ask, source.command("if_same"))
    by_name = reuse in ("if_exists", "only")
    expected = (True, 1) if by_name else (False, 10)
    assert total(ask, source.command(reuse, factor=10)) == expected
    assert one(ask, ["reuse", source.name]) == expected[1]


@pytest.mark.parametrize("reuse", REUSES)
def test_changed_file_is_seen_by_if_fresh_and_never_alone(ask, source, reuse):
    total(ask, source.command("if_same"))
    source.write(7)
    fresh = reuse in ("if_fresh", "never")
    assert total(ask, source.command(reuse)) == ((False, 7) if fresh else (True, 1))
    assert one(ask, ["reuse", source.name]) == (7 if fresh else 1)


@pytest.mark.parametrize("reuse", REUSES)
def test_absent_flight_is_made_unless_only(shared, ask, source, reuse):
    ran = shared.outcome("run")
    if reuse == "only":
        with refused("NOT_FOUND"):
            info(ask, source.command(reuse))
        assert shared.outcome("run") == ran
    else:
        assert total(ask, source.command(reuse)) == (False, 1)


@pytest.mark.parametrize("reuse", REUSES)
def test_an_uploaded_flight_in_the_way_is_a_conflict_unless_asked_for(ask, source, reuse):
    calls.put(ask, ["reuse", source.name], pa.table({"total": [99]}))
    if reuse in ("if_same", "if_fresh"):
        with refused("CONFLICT"):
            info(ask, source.command(reuse))
        assert one(ask, ["reuse", source.name]) == 99
    else:
        expected = (False, 1) if reuse == "never" else (True, 99)
        assert total(ask, source.command(reuse)) == expected


def test_an_upload_below_a_fresh_hit_is_not_looked_at(ask, source):
    asked = nested(source, "if_same", "if_fresh")
    assert total(ask, asked) == (False, 1001)
    calls.put(ask, asked["inputs"]["i"]["sink"]["path"], pa.table({"total": [99]}))
    assert total(ask, asked) == (True, 1001)
    source.write(2)  # Now the outer one must run, and the upload is in its way.
    with refused("CONFLICT", says=["inputs.i", "was uploaded"]):
        info(ask, asked)


def test_a_file_with_an_old_time_but_another_size_is_not_fresh(ask, source):
    total(ask, source.command("if_fresh"))
    before = source.path.stat()
    source.write(3)
    os.utime(source.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert total(ask, source.command("if_fresh")) == (False, 3)
    os.utime(source.path, ns=(before.st_atime_ns, before.st_mtime_ns + 5_000_000_000))
    assert total(ask, source.command("if_fresh")) == (False, 3)
    assert total(ask, source.command("if_fresh")) == (True, 3)


def nested(source, inner_reuse, outer_reuse):
    inner = source.command(inner_reuse)
    inner["sink"]["path"].append("inner")
    return sql("select total + 1000 as total from i", {"i": inner},
               sink=into("reuse", source.name, "outer", reuse=outer_reuse))


def test_if_fresh_looks_through_a_nested_if_same(ask, source):
    assert total(ask, nested(source, "if_same", "if_fresh")) == (False, 1001)
    assert total(ask, nested(source, "if_same", "if_fresh")) == (True, 1001)
    source.write(5)
    assert total(ask, nested(source, "if_same", "if_fresh")) == (False, 1005)
    assert one(ask, ["reuse", source.name, "inner"]) == 5


@pytest.mark.parametrize("inner_reuse", ["if_exists", "only"])
def test_if_fresh_stops_at_a_nested_name(ask, source, inner_reuse):
    total(ask, nested(source, "if_exists", "if_same"))
    assert total(ask, nested(source, inner_reuse, "if_fresh"))[1] == 1001
    source.write(5)
    assert total(ask, nested(source, inner_reuse, "if_fresh")) == (True, 1001)
    # Another generation under the name: now the outer one is stale.
    inner = source.command("never")
    inner["sink"]["path"].append("inner")
    total(ask, inner)
    assert total(ask, nested(source, inner_reuse, "if_fresh")) == (False, 1005)


def test_if_same_does_not_look_below_its_hit(shared, ask, source):
    total(ask, nested(source, "if_same", "if_same"))
    source.path.unlink()
    assert total(ask, nested(source, "if_same", "if_same")) == (True, 1001)


def test_a_path_input_of_another_generation_is_not_fresh_and_not_the_same(ask):
    asked = sql("select sum(n) as total from t", {"t": {"path": ["gen", "in"]}},
                sink=into("gen", "out", reuse="if_fresh"))
    for value, hit in ((1, False), (1, True), (2, False)):
        if not hit:
            calls.put(ask, ["gen", "in"], pa.table({"n": [value]}))
        assert total(ask, asked) == (hit, value)


def test_if_generation_lets_only_the_expected_one_be_replaced(ask):
    def made(value, **more):
        return sql(f"select {value} as total", sink=into("exact", "one", reuse="never", **more))

    assert total(ask, made(1, if_generation=0)) == (False, 1)
    with refused("CONFLICT") as conflict:
        info(ask, made(2, if_generation=0))
    current = told(info(ask, ["exact", "one"]))["generation"]
    assert conflict.details["generation"] == current
    with refused("CONFLICT"):
        info(ask, made(2, if_generation=current + 1))
    assert total(ask, made(3, if_generation=current)) == (False, 3)
    assert one(ask, ["exact", "one"]) == 3


def test_ttl_ends_a_flight_from_its_commit_and_hits_do_not_extend_it(shared, ask):
    asked = sql("select 1 as total", sink=into("short", "lived", ttl_s=2))
    assert total(ask, asked) == (False, 1)
    expires = told(info(ask, asked))["expires"]

    def expired():
        answer = told(info(ask, asked))
        assert not answer["hit"] or answer["expires"] == expires
        return not answer["hit"]

    eventually(expired, timeout_s=8, every_s=0.2, what="the flight's end")
    run(ask, asked)
    with refused("NOT_FOUND"):
        eventually(lambda: info(ask, ["short", "lived"]) is None, timeout_s=8, every_s=0.1)
    assert ["short", "lived"] not in calls.paths(ask)


def test_a_tier_can_be_chosen_and_object_is_refused_where_there_is_none(ask):
    asked = sql("select 4 as total", sink=into("tier", "m", tier="memory"))
    total(ask, asked)
    assert told(info(ask, asked))["tier"] == "memory"
    with refused("UNSUPPORTED", says="object"):
        info(ask, sql("select 4", sink=into("tier", "o", tier="object")))


def test_retain_0_leaves_no_byte_on_disk_and_no_name(start):
    node = start()

    def files():
        # That there were runs is remembered; what must not be is looked for at the end.
        return {name: facts for name, facts in node.files().items() if "sheaf.db" not in name}

    asked = sql("select range as n, repeat('secret-word', 20) as s from range(300000)", retain_s=0)
    with node.client() as client:
        one(client, sql("select 1 as warm"))
        eventually(lambda: not any("run-" in name for name in node.files()))
        before = files()
        answer = info(client, asked)
        count = 0
        for chunk in client.do_get(answer.endpoints[0].ticket):
            count += chunk.data.num_rows
            assert files() == before
            assert not [name for name in node.descriptors() if "deleted" in name]
        assert count == 300_000 and files() == before and calls.paths(client) == []
        with refused("RESULT_GONE"):
            read(client, answer)
        assert get_at_once(client, asked).num_rows == 300_000 and files() == before
        # The same below: inputs stay in memory too.
        outer = sql("select count(s) as n from t", {"t": sql(asked["spec"]["sql"])}, retain_s=0)
        assert one(client, outer) == 300_000 and files() == before
        refused_run = sql("select cast('secret-word' as integer)", retain_s=0)
        with refused("FAILED", says="secret-word"):
            get_at_once(client, refused_run)
        node.settle()
    assert b"secret-word" not in b"".join(
        path.read_bytes() for path in node.state.rglob("*") if path.is_file())


def test_retain_0_runs_for_each_caller_and_allows_no_sink(shared, ask):
    asked = sql("select 123 as total", retain_s=0)
    ran = shared.outcome("run")
    answers = [info(ask, asked) for _ in range(3)]
    assert shared.outcome("run") == ran + 3
    assert {read(ask, answer)["total"][0].as_py() for answer in answers} == {123}
    with refused("INVALID", says="retain_s"):
        info(ask, sql("select 1", sink=into("a", "b"), retain_s=0))
    with refused("INVALID", says="retain_s"):
        info(ask, sql("select 1", {"i": sql("select 2", sink=into("a", "b"))}, retain_s=0))


def test_retain_0_producer_waits_for_its_reader(shared, ask):
    asked = sql("select range as n, repeat('x', 1000) as s from range(10000000)", retain_s=0)
    idle = shared.resident_mb()
    reader = ask.do_get(calls.ticket(asked))
    assert reader.read_chunk().data.num_rows > 0
    task = eventually(lambda: calls.tasks(ask, state="executing"), what="the producer")[0]
    cpu = shared.cpu_s()

    def held_up():
        """It makes 10 GB if nobody holds it up."""
        nonlocal cpu
        before, cpu = cpu, shared.cpu_s()
        assert shared.resident_mb() < idle + 400
        return cpu - before < 0.02

    eventually(held_up, every_s=0.2, what="the producer's wait")
    assert calls.tasks(ask, task=task["task"])[0]["state"] == "executing"
    reader.cancel()
    eventually(lambda: not calls.tasks(ask, task=task["task"], state="executing"), what="its end")
