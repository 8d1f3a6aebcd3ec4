"""PLAN  every type of Arrow comes back as it went, through both tiers, from disk after a restart
and
in every shape of batches · dictionaries may be replaced or grow within a stream · compressed bodies
both ways · tables without columns or rows · what SQL does with each type.
"""

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import calls
import every_type
from calls import info, into, one, options, read, refused, run, sql

SHAPES = ["whole", "sliced", "tail", "batches", "no rows", "no batches"]


def assert_same(got, sent):
    got.validate(full=True)
    assert got.schema.equals(sent.schema, check_metadata=True), \
        f"{got.schema.to_string()}\ninstead of\n{sent.schema.to_string()}"
    assert got.num_rows == sent.num_rows
    for name in sent.column_names:
        assert got[name].to_pylist() == sent[name].to_pylist(), name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("group", every_type.GROUPS)
@pytest.mark.parametrize("tier", ["disk", "memory"])
def test_every_type_comes_back_as_it_went(ask, tier, group, shape):
    sent = every_type.shapes(every_type.table(group))[shape]
    where = {"sink": into("types", tier, group, shape, tier=tier)}
    receipt = calls.put(ask, where, sent)
    assert receipt["rows"] == sent.num_rows and receipt["durable"] is (tier == "disk")
    answer = info(ask, ["types", tier, group, shape])
    assert answer.schema.equals(sent.schema, check_metadata=True)
    assert answer.total_records == sent.num_rows
    for _ in range(2):
        assert_same(read(ask, answer), sent)
    schema = ask.get_schema(calls.by(["types", tier, group, shape])).schema
    assert schema.equals(sent.schema, check_metadata=True)


def test_every_type_comes_back_after_a_restart(start):
    node = start()
    tables = {group: every_type.shapes(every_type.table(group)) for group in every_type.GROUPS}
    with node.client() as client:
        for group, shapes in tables.items():
            for shape, sent in shapes.items():
                calls.put(client, [group, shape], sent)
    node.restart()
    with node.client() as client:
        for group, shapes in tables.items():
            for shape, sent in shapes.items():
                assert_same(run(client, [group, shape])[1], sent)


def dictionary(indices, values):
    array = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(values))
    return pa.record_batch([array], ["d"])


REPLACED = [([0, 1], ["a", "b"]), ([1, 0, None], ["x", "y"]), ([0], ["only"]), ([], [])]
GROWING = [([0, 1], ["a", "b"]), ([2, 0], ["a", "b", "c"]), ([3], ["a", "b", "c", "d"])]


@pytest.mark.parametrize("tier", ["disk", "memory"])
@pytest.mark.parametrize("deltas", [False, True])
@pytest.mark.parametrize("parts", [REPLACED, GROWING], ids=["replaced", "growing"])
def test_dictionaries_may_change_within_a_stream(ask, tier, deltas, parts):
    if parts is REPLACED:
        parts = [part for part in parts if part[1]]
    batches = [dictionary(*part) for part in parts]
    where = {"sink": into("types", "changing", tier=tier)}
    written = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
    writer, receipts = ask.do_put(calls.by(where), batches[0].schema,
                                  options(write_options=written))
    with writer:
        for batch in batches:
            writer.write_batch(batch)
        writer.done_writing()
        receipts.read()
    expected = [value for batch in batches for value in batch["d"].to_pylist()]
    got = run(ask, ["types", "changing"])[1]
    assert got["d"].to_pylist() == expected and pa.types.is_dictionary(got["d"].type)
    text = "select d::varchar as d from t"
    asked = sql(text, {"t": {"path": ["types", "changing"]}})
    assert [row["d"] for row in calls.rows(ask, asked)] \
        == expected


def test_nested_dictionaries_may_change_within_a_stream(ask):
    def batch(values):
        codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), pa.array(values))
        lists = pa.ListArray.from_arrays(pa.array([0, 1, 3]), codes)
        return pa.record_batch([lists, pa.StructArray.from_arrays([codes.slice(1)], ["d"])],
                               ["l", "s"])

    batches = [batch(["a", "b"]), batch(["c", "d"]), batch(["e", "f"])]
    sent = pa.Table.from_batches(batches)
    calls.put(ask, ["types", "nested"], sent)
    assert run(ask, ["types", "nested"])[1].to_pylist() == sent.to_pylist()


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_bodies_are_taken_and_given(ask, codec):
    sent = pa.table({"n": list(range(100_000)), "s": ["sheaf"] * 100_000})
    writer, receipts = ask.do_put(
        calls.by(["types", codec]), sent.schema,
        options(write_options=pa.ipc.IpcWriteOptions(compression=codec)))
    with writer:
        writer.write_table(sent)
        writer.done_writing()
        receipts.read()
    answer = info(ask, ["types", codec])
    assert_same(read(ask, answer), sent)
    assert_same(read(ask, answer, headers={"sheaf-compression": codec}), sent)


def test_an_unknown_compression_is_invalid(ask):
    calls.put(ask, ["types", "gzip"], pa.table({"n": [1]}))
    with refused("INVALID", says="sheaf-compression"):
        run(ask, ["types", "gzip"], headers={"sheaf-compression": "gzip"})


def test_rows_without_columns_are_counted(ask):
    batch = pa.record_batch({"n": [1, 2, 3]}).select([])
    assert batch.num_rows == 3
    for tier in ("disk", "memory"):
        writer, receipts = ask.do_put(calls.by({"sink": into("no", tier, tier=tier)}), batch.schema)
        with writer:
            writer.write_batch(batch)
            writer.write_batch(batch)
            writer.done_writing()
            receipts.read()
        answer = info(ask, ["no", tier])
        assert answer.total_records == 6 and answer.schema.names == []
        reader = ask.do_get(answer.endpoints[0].ticket)
        assert sum(chunk.data.num_rows for chunk in reader) == 6


def test_one_row_above_the_message_limit_travels_alone(ask):
    big = "x" * 9_000_000
    sent = pa.table({"i": [1, 2, 3], "s": ["a", big, "c"]})
    calls.put(ask, ["types", "bigrow"], sent)
    reader = ask.do_get(info(ask, ["types", "bigrow"]).endpoints[0].ticket)
    sizes = [(chunk.data.num_rows, chunk.data.nbytes) for chunk in reader]
    assert [rows for rows, size in sizes if size > 4_000_000] == [1]
    assert one(ask, sql("select max(length(s)) from t",
                        {"t": {"path": ["types", "bigrow"]}})) == len(big)


def test_a_client_with_4_mib_messages_reads_everything(shared, ask):
    wide = pa.table({f"c{i}": [b"y" * 30_000] * 400 for i in range(4)})
    calls.put(ask, ["types", "wide"], wide)
    with shared.client(generic_options=[("grpc.max_receive_message_length", 4 << 20)]) as small:
        assert run(small, ["types", "wide"])[1].equals(wide)


def test_names_may_be_strange_and_twice(ask):
    sent = pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array([2.5])], ["", "a", "a"])
    calls.put(ask, ["types", "names"], sent)
    assert run(ask, ["types", "names"])[1].equals(sent)
    strange = pa.table({'"; drop': [1], "ä b": [2], "select": [3]})
    calls.put(ask, ["types", "strange"], strange)
    path = {"t": {"path": ["types", "strange"]}}
    assert calls.rows(ask, sql('select "ä b", "select", """; drop" from t', path)) \
        == [{"ä b": 2, "select": 3, '"; drop': 1}]


@pytest.mark.parametrize("group", every_type.GROUPS)
def test_sql_gives_every_type_back_or_says_that_it_cannot(ask, group):
    sent = every_type.table(group)
    for name in sent.column_names:
        column = sent.select([name])
        calls.put(ask, ["types", "sql"], column)
        try:
            got = run(ask, sql("select * from t", {"t": {"path": ["types", "sql"]}}))[1]
        except fl.FlightError as error:
            detail = calls.detail_of(error)
            assert detail["code"] in ("UNSUPPORTED", "FAILED") and name in detail["message"], detail
            continue
        assert got.num_rows == 4 and got[name].null_count >= 0
        if pa.types.is_integer(sent.schema.field(name).type) or name in ("string", "list", "map"):
            assert got[name].to_pylist() == sent[name].to_pylist(), name
