"""PLAN  `sheaf` as a person uses it: query in every format, here and on a server · what --as-python
prints runs · explain, info, ls, tasks tell · put and get · Ctrl-C cancels there · exit codes ·
config and completion.
"""

import array
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import calls
import every_type
from calls import into, run, sql
from node import BIN, eventually
from slow import drip, endless


def environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("SHEAF_")}


def sheaf(*arguments, server=None, stdin=None, cwd=None, code=0, variables=None):
    """Runs the program; returns its standard output. The exit code must be `code`."""
    where = ["--server", server.flight] if server else []
    done = subprocess.run([BIN, *map(str, arguments), *where], input=stdin, text=True, cwd=cwd,
                          capture_output=True, timeout=60,
                          env={**environment(), **(variables or {})})
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def unread(pipe):
    """How many bytes are in the pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


QUERY = "select n_name, n_regionkey from nation where n_nationkey < 3 order by 1"
NAMES = ["ALGERIA", "ARGENTINA", "BRAZIL"]


# --- query --------------------------------------------------------------------------------------

def test_query_prints_every_format(shared, tmp_path):
    def ask(*more):
        return sheaf("query", "-i", "nation.parquet", QUERY, *more, server=shared)

    table = ask()
    assert "n_name" in table and all(name in table for name in NAMES)
    assert ask("--format", "csv").splitlines()[0].replace('"', "") == "n_name,n_regionkey"
    assert [row["n_name"] for row in json.loads(ask("--json"))] == NAMES
    lines = ask("-F", "ndjson").splitlines()
    assert [json.loads(line)["n_name"] for line in lines] == NAMES
    for suffix, read in (("parquet", pq.read_table), ("csv", pa.csv.read_csv),
                         ("arrow", lambda file: pa.ipc.open_file(file).read_all())):
        file = tmp_path / f"out.{suffix}"
        ask("-o", file)
        assert read(str(file))["n_name"].to_pylist() == NAMES
    assert ask("--format", "none") == ""


def test_query_writes_a_stream_to_standard_output(shared):
    done = subprocess.run([BIN, "query", "-i", "nation.parquet", QUERY, "-F", "arrow", "--server",
                           shared.flight], capture_output=True, timeout=60, env=environment())
    with pa.ipc.open_stream(done.stdout) as reader:
        assert reader.read_all()["n_name"].to_pylist() == NAMES


def test_query_takes_inputs_params_files_and_standard_input(shared, ask, tmp_path):
    calls.put(ask, ["cli", "numbers"], pa.table({"n": [1, 2, 3]}))
    text = "select sum(n) + ? as s from t"
    asked = ["-i", "t=cli/numbers", "--param", "10", "--json"]
    assert json.loads(sheaf("query", text, *asked, server=shared)) == [{"s": 16}]
    assert json.loads(sheaf("query", "-", *asked, server=shared, stdin=text)) == [{"s": 16}]
    command = sql("select max(n) as m from i", {"i": sql("select n from t", {
        "t": {"path": ["cli", "numbers"]}})}, sink=into("cli", "made"))
    file = tmp_path / "command.json"
    file.write_text(json.dumps(command))
    assert json.loads(sheaf("query", "--file", file, "--json", server=shared)) == [{"m": 3}]
    assert calls.told(calls.info(ask, command))["hit"] is True
    inner = tmp_path / "inner.json"
    inner.write_text(json.dumps(sql("select 41 as n")))
    assert json.loads(sheaf("query", "select n + 1 as n from t", "-i", f"t=@{inner}", "--json",
                            server=shared)) == [{"n": 42}]


def test_query_keeps_its_result_under_a_sink(shared, ask):
    made = ["query", "select 5 as n", "--sink", "cli/kept", "--ttl", "1h", "--tier", "memory"]
    sheaf(*made, server=shared)
    told = calls.told(calls.info(ask, ["cli", "kept"]))
    assert told["tier"] == "memory" and told["expires"]
    assert calls.told(calls.info(ask, sql("select 5 as n", sink=into("cli", "kept"))))["hit"]
    error = sheaf("query", "select 6 as n", "--sink", "cli/kept", "--reuse", "never",
                  "--if-generation", "1", server=shared, code=1)
    assert "CONFLICT" in error


def test_query_works_without_a_server(tmp_path, tpch):
    pq.write_table(pa.table({"n": [1, 2, 3]}), tmp_path / "here.parquet")
    out = sheaf("query", "-i", "here.parquet", "select sum(n) as s from here", "--json",
                cwd=tmp_path)
    assert json.loads(out) == [{"s": 6}]
    there = sheaf("query", "-i", f"n={tpch}/nation.parquet", "select count(*) as c from n",
                  "--json", cwd=tmp_path)
    assert json.loads(there) == [{"c": 25}]
    assert [path.name for path in tmp_path.iterdir()] == ["here.parquet"]  # It leaves nothing.
    assert json.loads(sheaf("query", "select 1 as x", "--json", cwd=tmp_path)) == [{"x": 1}]


def test_an_embedded_node_may_have_a_state_of_its_own(tmp_path):
    state = ["--state", "mine"]
    sheaf("query", "select 7 as n", "--sink", "kept/seven", *state, cwd=tmp_path)
    assert json.loads(sheaf("get", "kept/seven", "--json", *state, cwd=tmp_path)) == [{"n": 7}]
    listed = sheaf("ls", "-1", *state, cwd=tmp_path).split()
    assert [path for path in listed if not path.startswith("sheaf/")] == ["kept/seven"]


def test_a_command_that_looks_makes_no_state_directory(tmp_path):
    gone = tmp_path / "typo"
    for command in (["ls"], ["get", "a/b"], ["explain", "select 1"]):
        assert str(gone) in sheaf(*command, "--state", gone, code=2)
        assert not gone.exists()
    (tmp_path / "n.csv").write_text("n\n1\n")
    sheaf("put", "raw/n", tmp_path / "n.csv", "--state", gone)
    assert sheaf("ls", "-1", "--state", gone).split() == ["raw/n"]


def test_a_flag_beats_the_environment(shared, tmp_path):
    elsewhere = {"SHEAF_SERVER": "grpc://127.0.0.1:1"}
    mine = ["--state", tmp_path / "mine"]
    sheaf("query", "select 7 as n", "--sink", "kept/seven", *mine, variables=elsewhere)
    assert sheaf("ls", "-1", *mine, variables=elsewhere).split() == ["kept/seven"]
    sheaf("ls", variables=elsewhere, code=4)
    sheaf("health", server=shared, variables=elsewhere)
    sheaf("health", variables={"SHEAF_SERVER": shared.flight})
    for command in (["ls"], ["query", "select 1"]):
        error = sheaf(*command, *mine, server=shared, code=2)
        assert "--state" in error and "--server" in error


def test_what_as_python_prints_runs_and_gives_the_same(shared):
    asked = ["query", "-i", "nation.parquet", QUERY, "--sink", "cli/python"]
    program = sheaf(*asked, "--as-python", server=shared)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=60, check=True)
    assert all(name in done.stdout for name in NAMES) and "pyarrow.Table" in done.stdout
    program = sheaf("get", "cli/python", "--as-python", server=shared)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=60, check=True)
    assert all(name in done.stdout for name in NAMES)
    generation = json.loads(sheaf("info", "cli/python", "--json", server=shared))["generation"]
    for more in ([], ["--generation", str(generation)]):
        program = sheaf("get", "cli/python", "-c", "n_name", *more, "--as-python", server=shared)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              timeout=60, check=True)
        assert NAMES[0] in done.stdout and "n_regionkey" not in done.stdout
    program = sheaf("get", "cli/python", "--generation", "1", "--as-python", server=shared)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode != 0 and (generation == 1 or "generation 1" in done.stderr)


def test_errors_go_to_standard_error_with_code_and_caret(shared):
    error = sheaf("query", "select 1 form t", server=shared, code=1)
    assert "FAILED" in error and "LINE 1" in error and "^" in error
    assert "NOT_FOUND" in sheaf("get", "no/such", server=shared, code=1)
    assert "FORBIDDEN" in sheaf("query", "-i", "t=/etc/hosts.csv", "select 1 from t",
                                server=shared, code=1)


# --- put, get, ls, info -------------------------------------------------------------------------

@pytest.mark.parametrize("group", every_type.GROUPS)
def test_put_and_get_bring_every_type_back(shared, tmp_path, group):
    sent = every_type.table(group)
    source, target = tmp_path / "in.arrow", tmp_path / "out.arrow"
    with pa.ipc.new_file(str(source), sent.schema) as file:
        file.write_table(sent)
    receipt = json.loads(sheaf("put", f"cli/{group}", source, "--json", server=shared))
    assert receipt["rows"] == sent.num_rows and receipt["durable"] is True
    sheaf("get", f"cli/{group}", "-o", target, server=shared)
    got = pa.ipc.open_file(str(target)).read_all()
    got.validate(full=True)
    assert got.schema.equals(sent.schema, check_metadata=True)
    for name in sent.column_names:
        assert got[name].to_pylist() == sent[name].to_pylist(), name


def test_put_takes_every_format_and_standard_input(shared, ask, tmp_path):
    table = pa.table({"n": [1, 2, 3], "s": ["a", "b", "c"]})
    pa.csv.write_csv(table, tmp_path / "t.csv")
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        sheaf("put", "cli/formats", tmp_path / name, server=shared)
        assert run(ask, ["cli", "formats"])[1].to_pylist() == table.to_pylist()
    sheaf("put", "cli/formats", tmp_path / "t.csv", tmp_path / "t.csv", server=shared)
    assert run(ask, ["cli", "formats"])[1].num_rows == 6
    sheaf("put", "cli/formats", "-", "--format", "csv", stdin="a,b\n1,2\n", server=shared)
    assert run(ask, ["cli", "formats"])[1].to_pylist() == [{"a": 1, "b": 2}]


def test_a_put_that_fails_in_the_middle_keeps_nothing(shared, ask, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("a\n" + "1\n" * 100_000)
    bad.write_text("a\n" + "1\n" * 100_000 + "1,2\n")
    error = sheaf("put", "cli/torn", good, bad, server=shared, code=1)
    assert "bad.csv" in error
    with calls.refused("NOT_FOUND"):
        calls.info(ask, ["cli", "torn"])


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("format", ["csv", "json", "arrow"])
def test_one_signal_ends_a_put_of_silent_standard_input(shared, number, code, format):
    child = subprocess.Popen([BIN, "put", "cli/silent", "-", "-F", format, "--server",
                              shared.flight], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=environment())
    try:
        child.stdin.write(b'{"n":')
        child.stdin.flush()
        eventually(lambda: unread(child.stdin) == 0, what="that it reads")
        child.send_signal(number)
        assert child.wait(timeout=10) == code
        assert b"CANCELLED" in child.stderr.read()
    finally:
        child.kill()
        child.stdin.close()
        child.stderr.close()
    assert "NOT_FOUND" in sheaf("info", "cli/silent", server=shared, code=1)


def test_ls_info_pin_renew_refresh_and_drop(shared, ask):
    run(ask, sql("select 9 as nine", sink=into("cli", "kept-9")))
    assert "cli/kept-9" in sheaf("ls", "cli", server=shared)
    assert "cli/kept-9" in sheaf("ls", "cli", "-1", server=shared).splitlines()
    items = [json.loads(line) for line in sheaf("ls", "cli", "--json", server=shared).splitlines()]
    assert ["cli", "kept-9"] in [item["path"] for item in items]
    shown = sheaf("info", "cli/kept-9", server=shared)
    assert "nine" in shown and "select 9" in shown and "anonymous" in shown
    record = json.loads(sheaf("info", "cli/kept-9", "--json", server=shared))
    assert record["command"]["spec"]["sql"] == "select 9 as nine" and record["rows"] == 1
    sheaf("renew", "cli/kept-9", "--ttl", "1h", server=shared)
    sheaf("pin", "cli/kept-9", server=shared)
    told = calls.told(calls.info(ask, ["cli", "kept-9"]))
    assert told["expires"] and told["pinned"] is True
    sheaf("pin", "cli/kept-9", "--undo", server=shared)
    sheaf("refresh", "cli/kept-9", server=shared)
    assert calls.told(calls.info(ask, ["cli", "kept-9"]))["generation"] > told["generation"]
    sheaf("drop", "cli/kept-9", server=shared)
    assert "NOT_FOUND" in sheaf("info", "cli/kept-9", server=shared, code=1)


# --- explain, tasks, cancel ---------------------------------------------------------------------

def test_explain_draws_the_tree_with_hit_fused_and_read(shared, ask):
    calls.put(ask, ["cli", "explain"], pa.table({"n": [1]}))
    made = sql("select 1 as n", sink=into("cli", "hit"))
    run(ask, made)
    command = sql("select 1 from a, b, c", {"a": made, "b": {"path": ["cli", "explain"]},
                                            "c": calls.files("nation.parquet")})
    shown = sheaf("explain", json.dumps(command), server=shared)
    lines = {line.split(":")[0].strip(" ├└─│"): line for line in shown.splitlines()}
    assert "planned" in shown.splitlines()[0]
    assert "hit" in lines["a"] and "read" in lines["b"] and "fused" in lines["c"]
    tree = json.loads(sheaf("explain", json.dumps(command), "--json", server=shared))
    assert tree["inputs"]["c"]["outcome"] == "fused"


def test_tasks_are_shown_and_cancelled(shared, ask):
    with calls.refused("POLL") as poll:
        calls.info(ask, sql(endless(1)), {"sheaf-pollable": "true", "sheaf-wait-ms": "0"})
    task = poll.details["task"]
    assert task[:6] in sheaf("tasks", server=shared)
    listed = [json.loads(line) for line in sheaf("tasks", "--json", server=shared).splitlines()]
    assert [each["state"] for each in listed if each["task"] == task] == ["executing"]
    assert "executing" in sheaf("tasks", task, server=shared)
    sheaf("cancel", task, server=shared)
    assert calls.ended(ask, task)["state"] == "cancelled"
    assert task[:6] in sheaf("tasks", "--all", server=shared)


def test_cancel_takes_the_first_digits_and_tells_what_has_ended(shared, ask):
    with calls.refused("POLL") as poll:
        calls.info(ask, sql(endless(4)), {"sheaf-pollable": "true", "sheaf-wait-ms": "0"})
    task = poll.details["task"]
    assert f"{task}: cancelled" in sheaf("cancel", task[:12], server=shared)
    assert calls.ended(ask, task)["state"] == "cancelled"
    assert "begins with" in sheaf("cancel", "000000000000", server=shared, code=1)
    assert "sheaf tasks" in sheaf("cancel", "zz", server=shared, code=1)
    run(ask, sql("select 404 as n", sink=into("cli", "ended")))
    (ended,) = [each["task"] for each in calls.tasks(ask, state="completed")
                if each.get("sink", {}).get("path") == ["cli", "ended"]]
    assert f"{ended}: already completed" in sheaf("cancel", ended, server=shared)


@pytest.mark.parametrize("text", [endless(2), drip(2)], ids=["waiting", "streaming"])
def test_ctrl_c_cancels_on_the_server(shared, ask, text):
    child = subprocess.Popen([BIN, "query", text, "--server", shared.flight, "-F", "csv"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             env=environment())
    (task,) = eventually(lambda: calls.tasks(ask, state="executing"), what="the task")
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=10)
    assert child.returncode == 130, error
    assert calls.ended(ask, task["task"], timeout_s=2)["state"] == "cancelled"


# --- the rest -----------------------------------------------------------------------------------

def test_health_says_whether_the_node_is_ready(shared):
    assert "ready" in sheaf("health", server=shared)
    assert json.loads(sheaf("health", "--json", server=shared))["ready"] is True


def test_exit_codes(shared, tmp_path):
    sheaf("query", "select 1", "--no-such-flag", code=2)
    sheaf("nonsense", code=2)
    sheaf("query", code=2)
    sheaf("get", "a//b", server=shared, code=2)
    sheaf("query", "select 1", "--server", "grpc://127.0.0.1:1", code=4)
    sheaf("health", "--server", "grpc://127.0.0.1:1", code=4)
    sheaf("query", "select x", server=shared, code=1)
    sheaf("ls", "--state", shared.state, code=3)
    sheaf("config", "check", "--set", "flight.listne=1", code=2)
    assert "sheaf" in sheaf("--version") and "sheaf" in sheaf("version")


@pytest.mark.parametrize("more", [["-F", "csv"], ["-F", "arrow"], [], ["--as-python"]])
@pytest.mark.parametrize("rows", [1, 100_000])
def test_what_cannot_be_written_is_an_error(rows, more):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BIN, "query", f"select range a from range({rows})", *more],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                              env=environment())
    assert done.returncode == 1 and "standard output" in done.stderr, done.stderr


def test_wrong_words_are_named(shared, tmp_path):
    assert "'quary'; did you mean 'query'" in sheaf("quary", "select 1", code=2)
    assert "unknown command 'bogus'" in sheaf("config", "bogus", code=2)
    assert "'n' is given twice" in sheaf("query", "-i", "n=a.parquet", "-i", "n=b.parquet",
                                         "select 1", code=2)
    error = sheaf("tasks", "zz", server=shared, code=1)
    assert "sheaf tasks" in error and "sheaf ls" not in error
    assert "nodir/x.csv" in sheaf("query", "select 1", "-o", "nodir/x.csv", cwd=tmp_path, code=1)


def test_an_arrow_file_is_no_stream(shared, tmp_path):
    table = pa.table({"n": [1, 2]})
    for kind, make in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
        with make(str(tmp_path / kind), table.schema) as writer:
            writer.write_table(table)
    put = [BIN, "put", "cli/piped", "-", "-F", "arrow", "--server", shared.flight]
    with (tmp_path / "file").open("rb") as file:
        done = subprocess.run(put, stdin=file, capture_output=True, text=True, timeout=60,
                              env=environment())
    assert done.returncode == 1 and "by its name" in done.stderr, done.stderr
    with (tmp_path / "stream").open("rb") as file:
        subprocess.run(put, stdin=file, check=True, timeout=60, env=environment())
    assert json.loads(sheaf("get", "cli/piped", "--json", server=shared)) == table.to_pylist()


def test_timeout_ends_a_call(shared, ask):
    error = sheaf("query", endless(3), "--timeout", "1s", server=shared, code=1)
    assert "DEADLINE" in error
    eventually(lambda: not calls.tasks(ask, state="executing"), what="the end of the task")


def test_config_is_shown_with_origins_and_checked(tmp_path):
    file = tmp_path / "node.toml"
    file.write_text("[sql]\nthreads = 3\n")
    shown = sheaf("config", "show", "--config", file, "--set", "stop.drain_s=7")
    assert "threads = 3" in shown and "node.toml" in shown and "drain_s = 7" in shown
    sheaf("config", "check", "--config", file)
    again = tmp_path / "again.toml"
    again.write_text(shown)  # What is shown is a configuration itself.
    sheaf("config", "check", "--config", again)
    file.write_text("[sql]\nthreats = 3\n")
    assert "threads" in sheaf("config", "check", "--config", file, code=2)
    for command in (["config", "check"], ["config", "show"], ["serve"]):
        here = {"cwd": tmp_path, "code": 2}
        assert "'sql'" in sheaf(*command, "--set", "modules.enabled=sqll", **here)
        assert "directory" in sheaf(*command, "--state", "", **here)
        assert "directory" in sheaf(*command, "--set", "state.dir=", **here)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell):
    script = sheaf("completion", shell)
    assert "refresh" in script and "serve" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_help_has_examples_everywhere():
    top = sheaf("--help")
    for command in ("serve", "query", "get", "put", "ls", "info", "refresh", "explain", "tasks",
                    "history", "services", "nodes", "cancel", "renew", "drop", "health", "config",
                    "completion"):
        assert command in top
        text = sheaf(command, "--help")
        assert f"sheaf {command}" in text
        assert command == "config" or "Examples:" in text
