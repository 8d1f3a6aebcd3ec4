"""PLAN  every format gives the table that was written · delimiters, headers, nulls and types of
text · columns and filters are as Arrow computes them · patterns, directories and several roots.
"""

import gzip

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

import calls
from calls import command, files, info, one, refused, run, sql

TABLE = pa.table({"n": [3, 1, None, 7], "x": [0.5, -1.5, 2.0, None], "s": ["a", None, "ä b", "d"],
                  "b": [True, False, None, True]})


def rows(client, asked):
    return run(client, asked)[1].to_pylist()


def ipc(path, opener):
    with opener(str(path), TABLE.schema) as file:
        file.write_table(TABLE)


WRITERS = {
    "t.parquet": lambda path: pq.write_table(TABLE, path),
    "t.feather": lambda path: pyarrow.feather.write_feather(TABLE, str(path)),
    "t.arrow": lambda path: ipc(path, pa.ipc.new_file),
    "t.arrows": lambda path: ipc(path, pa.ipc.new_stream),
    "t.orc": lambda path: pyarrow.orc.write_table(TABLE, str(path)),
    "t.jsonl": lambda path: path.write_text(TABLE.to_pandas().to_json(orient="records",
                                                                      lines=True)),
    "t.csv": lambda path: pyarrow.csv.write_csv(TABLE, path),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(text_of(TABLE))),
}


def text_of(table):
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_what_was_written(ask, shared_data, name):
    WRITERS[name](shared_data / name)
    got = run(ask, files(name))[1]
    assert got.column_names == TABLE.column_names
    assert [row["n"] for row in got.to_pylist()] == [3, 1, None, 7]
    assert [row["x"] for row in got.to_pylist()] == [0.5, -1.5, 2.0, None]
    assert one(ask, sql("select sum(n) from t", {"t": files(name)})) == 11
    projected = run(ask, files(name, columns=["x", "n"]))[1]
    assert projected.column_names == ["x", "n"]


def test_text_options_are_obeyed(ask, shared_data):
    (shared_data / "odd.txt").write_text("1;-;x\n2;3;y\n")
    asked = files("odd.txt", format="csv",
                  options={"delimiter": ";", "header": False, "null_values": ["-"]})
    assert [list(row.values()) for row in rows(ask, asked)] == [[1, None, "x"], [2, 3, "y"]]
    (shared_data / "typed.csv").write_text("a,d\n1,2026-03-01\n2,\n")
    typed = files("typed.csv", options={"types": {"a": "decimal(9, 2)", "d": "date32"}})
    schema = run(ask, typed)[1].schema
    assert schema.types == [pa.decimal128(9, 2), pa.date32()]
    with refused("INVALID", says="options"):
        info(ask, files("t.parquet", options={"delimiter": ";"}))
    (shared_data / "tabs.tsv").write_text("a\tb\n1\t2\n")
    assert rows(ask, files("tabs.tsv")) == [{"a": 1, "b": 2}]


FILTERS = [
    ([["n", "=", 3]], pc.field("n") == 3), ([["n", "!=", 3]], pc.field("n") != 3),
    ([["n", "<", 3]], pc.field("n") < 3), ([["x", ">=", 0.5]], pc.field("x") >= 0.5),
    ([["n", "in", [1, 7]]], pc.field("n").isin([1, 7])),
    ([["s", "=", "ä b"]], pc.field("s") == "ä b"),
    ([["n", "is_null"]], pc.field("n").is_null()), ([["x", "not_null"]], pc.field("x").is_valid()),
    ([["n", ">", 1], ["b", "=", True]], (pc.field("n") > 1) & pc.field("b")),
    ([["n", ">", 100]], pc.field("n") > 100),
]


@pytest.mark.parametrize("terms, expression", FILTERS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.arrow"])
def test_filters_are_as_arrow_computes_them(ask, shared_data, name, terms, expression):
    WRITERS[name](shared_data / name)
    wanted = TABLE.filter(expression)["n"].to_pylist()
    assert [row["n"] for row in rows(ask, files(name, filter=terms))] == wanted
    # A filter may look at columns that are not asked for.
    lean = run(ask, files(name, filter=terms, columns=["x"]))[1]
    assert lean.column_names == ["x"] and lean.num_rows == len(wanted)
    assert one(ask, sql("select count(*) from t", {"t": files(name, filter=terms)})) == len(wanted)


def test_not_in_leaves_nulls_out_as_sql_does(ask, shared_data):
    WRITERS["t.parquet"](shared_data / "t.parquet")
    found = rows(ask, files("t.parquet", filter=[["n", "not_in", [1, 7]]]))
    assert [row["n"] for row in found] == [3]


def test_patterns_directories_and_lists_are_read_in_order(ask, shared_data):
    below = shared_data / "tree" / "deep"
    below.mkdir(parents=True)
    for number, place in enumerate([shared_data / "tree", below, below]):
        pq.write_table(pa.table({"n": [number]}), place / f"part-{number}.parquet")
    (below / ".hidden.parquet").write_text("not a file to be read")

    def numbers(asked):
        return [row["n"] for row in rows(ask, asked)]

    assert numbers(files("tree/deep/*.parquet")) == [1, 2]
    assert sorted(numbers(files("tree/**/*.parquet"))) == [0, 1, 2]
    assert sorted(numbers(files("tree"))) == [0, 1, 2]
    several = command("files", {"uris": ["tree/deep/part-2.parquet", "tree/part-0.parquet"]})
    assert numbers(several) == [2, 0]
    assert len(info(ask, several).endpoints) == 2


def test_roots_are_looked_up_in_their_order(start, tmp_path):
    roots = [tmp_path / "first", tmp_path / "second"]
    for number, root in enumerate(roots):
        root.mkdir()
        pq.write_table(pa.table({"n": [number]}), root / "same.parquet")
    pq.write_table(pa.table({"n": [5]}), roots[1] / "only.parquet")
    node = start(roots=roots)
    with node.client() as client:
        assert one(client, files("same.parquet")) == 0
        assert one(client, files("only.parquet")) == 5
        assert one(client, files(roots[1] / "same.parquet")) == 1
        assert one(client, files(f"file://{roots[1]}/same.parquet")) == 1


def test_a_node_without_roots_reads_no_file(start, tmp_path):
    node = start(roots=None, settings={"files.roots": ""})
    with node.client() as client:
        with refused("FORBIDDEN", says="files.roots"):
            info(client, files(tmp_path / "x.parquet"))


def test_a_files_result_can_be_kept_and_read_as_a_path(ask, shared_data):
    WRITERS["t.parquet"](shared_data / "t.parquet")
    kept = files("t.parquet", sink=calls.into("files", "kept"))
    assert run(ask, kept)[1].equals(run(ask, ["files", "kept"])[1])
    assert run(ask, kept)[0]["hit"] is True
