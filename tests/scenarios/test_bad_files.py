"""PLAN  files outside the roots, by any spelling and by links · truncated, lying, ragged, empty and
mismatched files · a file that changes while it is read · nothing of a file's contents is told, and
nothing half-read is kept.
"""

import json
import os
import struct

import pyarrow as pa
import pyarrow.csv
import pyarrow.flight as fl
import pyarrow.parquet as pq
import pytest

import calls
from calls import command, files, info, into, one, read, refused, rows, run, sql
from node import eventually
from slow import counting

SECRET = "hunter2-secret"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table(count=1000):
    return pa.table({"n": list(range(count)), "s": [SECRET] * count})


# --- roots --------------------------------------------------------------------------------------

def test_files_outside_the_roots_are_forbidden_whether_or_not_they_exist(ask, shared_data,
                                                                         tmp_path):
    outside = tmp_path / "there.parquet"
    pq.write_table(table(), outside)
    up = os.path.relpath(tmp_path, shared_data)
    for spelling in (f"{tmp_path}/%s", f"file://{tmp_path}/%s", f"{up}/%s", f"./{up}/%s",
                     f"a/../{up}/%s", f"{shared_data}/../%s", f"{shared_data}-sibling/%s"):
        messages = set()
        for name in ("there.parquet", "absent.parquet", "*"):
            with refused("FORBIDDEN") as refusal:
                info(ask, files(spelling % name, format="parquet"))
            messages.add(refusal.message.replace(name, "NAME"))
        assert len(messages) == 1, messages
    outside = ("/etc/passwd", "file:///etc/passwd", "../../../etc/passwd", "/proc/self/environ")
    for uri in outside:
        with refused("FORBIDDEN"):
            info(ask, files(uri, format="csv"))


@pytest.mark.parametrize("uri", ["http://localhost/x.parquet", "s3://bucket/x.parquet",
                                 "file://other-host/x.parquet", "ftp://h/x.parquet", "//h/x.csv"])
def test_places_that_are_not_configured_are_refused(ask, uri):
    with pytest.raises(fl.FlightError) as caught:
        info(ask, files(uri))
    assert calls.detail_of(caught.value)["code"] in ("FORBIDDEN", "UNSUPPORTED", "INVALID")


def test_links_out_of_the_roots_are_forbidden_and_links_inside_work(ask, shared_data, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    pq.write_table(table(), outside / "t.parquet")
    inside = shared_data / "links"
    inside.mkdir()
    pq.write_table(table(3), inside / "real.parquet")
    (inside / "good.parquet").symlink_to("real.parquet")
    (inside / "bad.parquet").symlink_to(outside / "t.parquet")
    (inside / "baddir").symlink_to(outside)
    (inside / "twice.parquet").symlink_to("bad.parquet")
    (inside / "loop.parquet").symlink_to("loop.parquet")
    assert rows(ask, files("links/good.parquet"))[0]["s"] == SECRET
    for uri in ("links/bad.parquet", "links/baddir/t.parquet", "links/twice.parquet",
                "links/baddir/*.parquet", "links/b*.parquet"):
        with refused("FORBIDDEN"):
            info(ask, files(uri))
        with refused("FORBIDDEN"):
            info(ask, sql("select * from t", {"t": files(uri)}))
    with pytest.raises(fl.FlightError):
        info(ask, files("links/loop.parquet"))


def test_sql_reaches_no_file_no_network_and_no_setting(ask, shared_data):
    pq.write_table(table(3), shared_data / "here.parquet")
    here = shared_data / "here.parquet"
    for text in (f"select * from read_parquet('{here}')", f"select * from '{here}'",
                 "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')",
                 "select * from glob('/*')", "select * from duckdb_settings()",
                 "select getenv('HOME')", "select current_setting('memory_limit')",
                 "select * from 'https://example.com/x.parquet'",
                 "select * from sniff_csv('/etc/passwd')"):
        with pytest.raises(fl.FlightError) as caught:
            calls.rows(ask, sql(text))
        assert calls.detail_of(caught.value)["code"] in ("FORBIDDEN", "FAILED"), text
    # The same while a fused input is open, whose reader must not be reachable by name.
    for text in (f"select * from read_parquet('{here}')", f"copy t to '{shared_data}/out.csv'",
                 f"select * from t union all select * from '{here}'"):
        with pytest.raises(fl.FlightError):
            calls.rows(ask, sql(text, {"t": files("here.parquet")}))
    for text in ("set threads = 1", "attach 'x.db'", "install httpfs", "create table t (n int)",
                 "pragma database_list", "call pragma_version()", "copy (select 1) to 'x.csv'",
                 "export database 'x'", "select 1; select 2", ""):
        with refused("INVALID"):
            info(ask, sql(text))
    assert not (shared_data / "out.csv").exists()


# --- damaged files ------------------------------------------------------------------------------

def damaged(shared_data):
    """Names of Parquet files that are not what they say, with the codes they may end in."""
    directory = shared_data / "damaged"
    whole = write(directory / "whole.parquet", b"")
    pq.write_table(table(200_000), whole, row_group_size=20_000)
    data = whole.read_bytes()
    footer = struct.unpack("<I", data[-8:-4])[0]
    half = len(data) // 2
    kinds = {
        "empty": b"", "four": b"PAR1", "text": b"this is no parquet file, honestly\n" * 10,
        "cut-footer": data[:-footer // 2], "cut-tail": data[:-1], "cut-half": data[:half],
        "footer-too-long": data[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1",
        "footer-zero": data[:-8] + struct.pack("<I", 0) + b"PAR1",
        "footer-noise": data[:-8 - footer] + bytes(range(256)) * (footer // 256 + 1) + data[-8:],
        "body-cut": data[:1000] + data[half:],  # The footer lies about where things are.
        "body-noise": data[:half] + os.urandom(20_000) + data[half + 20_000:],
        "body-zero": data[:4] + bytes(len(data) - footer - 12) + data[-footer - 8:],
    }
    return {name: write(directory / f"{name}.parquet", text).name for name, text in kinds.items()}


@pytest.fixture(scope="module")
def damaged_files(shared_data):
    return damaged(shared_data)


@pytest.mark.parametrize("name", ["empty", "four", "text", "cut-footer", "cut-tail", "cut-half",
                                  "footer-too-long", "footer-zero", "footer-noise", "body-cut",
                                  "body-noise", "body-zero"])
@pytest.mark.parametrize("through", ["files", "sql", "sink"])
def test_damaged_parquet_is_refused_and_leaves_nothing(ask, damaged_files, name, through):
    asked = files(f"damaged/{damaged_files[name]}")
    sink = into("damaged", name, through)
    if through == "sql":
        asked = sql("select count(s) as c, sum(n) as n from t", {"t": asked}, sink=sink)
    elif through == "sink":
        asked["sink"] = sink
    with pytest.raises((fl.FlightError, pa.ArrowException)) as caught:
        run(ask, asked)
    detail = calls.detail_of(caught.value)
    assert detail["code"] in ("FAILED", "CORRUPT"), detail
    assert SECRET not in json.dumps(detail)
    assert damaged_files[name] in detail["message"], detail
    with refused("NOT_FOUND"):
        info(ask, sink["path"])


RAGGED = {
    "too many": f"a,b\n1,2\n3,4,{SECRET}\n", "too few": f"a,b\n1,2\n{SECRET}\n",
    "not a number": "a,b\n" + "1,2\n" * 50_000 + f"1,{SECRET}\n",
    "open quote": f'a,b\n1,"{SECRET}\n', "two columns of one name": f"a,a\n1,{SECRET}\n",
}


@pytest.mark.parametrize("name", RAGGED)
def test_ragged_csv_fails_with_its_place_and_without_its_contents(ask, shared_data, name):
    file = write(shared_data / "csv" / f"{name.replace(' ', '-')}.csv", RAGGED[name])
    asked = files(f"csv/{file.name}", options={"types": {"b": "int64"}} if "number" in name else {})
    asked["sink"] = into("csv", name)
    with pytest.raises((fl.FlightError, pa.ArrowException)) as caught:
        run(ask, asked)
    detail = calls.detail_of(caught.value)
    assert detail["code"] == "FAILED" and SECRET not in json.dumps(detail)
    assert file.name in detail["message"], detail
    with refused("NOT_FOUND"):
        info(ask, ["csv", name])


BAD_JSON = {"cut": f'{{"a": 1}}\n{{"a": "{SECRET}', "mixed": f'{{"a": 1}}\n{{"a": "{SECRET}"}}\n',
            "no object": f'["{SECRET}"]\n', "text": SECRET}


@pytest.mark.parametrize("name", BAD_JSON)
def test_malformed_json_lines_fail_without_their_contents(ask, shared_data, name):
    file = write(shared_data / "jsonl" / f"{name.replace(' ', '-')}.jsonl", BAD_JSON[name])
    with pytest.raises((fl.FlightError, pa.ArrowException)) as caught:
        run(ask, files(f"jsonl/{file.name}"))
    detail = calls.detail_of(caught.value)
    assert detail["code"] == "FAILED" and SECRET not in json.dumps(detail)


def test_schemas_that_differ_between_files_fail_and_name_both(ask, shared_data):
    directory = shared_data / "mixed"
    directory.mkdir()
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), directory / "one.parquet")
    pq.write_table(pa.table({"a": ["1"], "b": ["x"]}), directory / "other-type.parquet")
    pq.write_table(pa.table({"a": [1]}), directory / "fewer.parquet")
    pq.write_table(pa.table({"a": [1], "b": ["x"], "c": [1]}), directory / "more.parquet")
    for other in ("other-type", "fewer", "more"):
        uris = ["mixed/one.parquet", f"mixed/{other}.parquet"]
        asked = command("files", {"uris": uris}, sink=into("mixed", other))
        with refused("FAILED", says=("one.parquet", f"{other}.parquet")):
            run(ask, asked)
        with refused("NOT_FOUND"):
            info(ask, ["mixed", other])
        unsunk = command("files", {"uris": uris})
        with pytest.raises(fl.FlightError):
            calls.rows(ask, sql("select count(a) from t", {"t": unsunk}))


def test_missing_files_and_columns_are_named(ask, shared_data):
    with refused("NOT_FOUND", says="absent.parquet"):
        info(ask, files("absent.parquet"))
    with refused("NOT_FOUND"):
        info(ask, files("absent-*.parquet"))
    with refused("NOT_FOUND", says="inputs.t"):
        info(ask, sql("select 1", {"t": files("absent.parquet")}))
    with refused("INVALID", says=("r_nam", "'r_name'")):
        info(ask, files("region.parquet", columns=["r_nam"]))
    with refused("INVALID", says="spec.filter"):
        info(ask, files("region.parquet", filter=[["r_regionkey", "~", 1]]))
    with refused("INVALID", says="spec.filter"):
        info(ask, files("region.parquet", filter=[["nope", "=", 1]]))
    with refused("INVALID", says="spec.filter"):
        info(ask, files("region.parquet", filter=[["r_regionkey", "=", "a"]]))


def test_a_pipe_or_a_directory_of_nothing_is_no_file(ask, shared_data):
    os.mkfifo(shared_data / "pipe.csv")
    (shared_data / "hollow").mkdir()
    with refused("INVALID"):
        info(ask, files("pipe.csv"))
    with refused("NOT_FOUND"):
        info(ask, files("hollow"))


# --- change while reading -----------------------------------------------------------------------

def test_a_file_replaced_while_it_is_read_fails_and_nothing_is_kept(ask, shared_data):
    path = shared_data / "moving.parquet"
    pq.write_table(pa.table({"n": list(range(10_000))}), path)
    text = counting(400_000_000).replace("from ", "from (select count(*) from t), ")
    asked = sql(text, {"t": files("moving.parquet")}, sink=into("moving", "one"))
    with refused("POLL") as poll:
        info(ask, asked, headers={"sheaf-pollable": "true", "sheaf-wait-ms": "300"})
    pq.write_table(pa.table({"n": list(range(20_000))}), path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)
    with refused("FAILED", says=("moving.parquet", "changed")):
        info(ask, {"task": poll.details["task"]})
    with refused("NOT_FOUND"):
        info(ask, ["moving", "one"])
    assert one(ask, sql("select count(*) from t", {"t": files("moving.parquet")})) == 20_000


def test_a_csv_cut_short_while_it_is_read_never_kills_the_node(shared, ask, shared_data):
    path = shared_data / "shrinking.csv"
    pa.csv.write_csv(pa.table({"n": range(3_000_000)}), path)
    reader = ask.do_get(calls.ticket(files("shrinking.csv", sink=into("shrink", "ed"))))
    assert reader.read_chunk().data.num_rows > 0
    os.truncate(path, 100)
    try:
        count = sum(chunk.data.num_rows for chunk in reader)
    except (fl.FlightError, pa.ArrowException) as error:
        assert calls.detail_of(error)["code"] in ("FAILED", "CORRUPT")
        with refused("NOT_FOUND"):
            info(ask, ["shrink", "ed"])
    else:
        assert count > 0  # It had been read before the cut, and is whole.
    assert one(ask, sql("select 1 as n")) == 1
    eventually(lambda: not calls.tasks(ask, state="executing"), what="the end of the reading")
