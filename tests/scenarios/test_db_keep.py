"""`sheaf db` as an operator uses it to keep a database: migrate, backup, restore, purge, verify."""

# PLAN  a backup of a serving node goes to the other database and serves there · a restore waits for
#       no node: exit 5 with its name; stopped it goes; crashed it goes with --force, and the node
#       that was fenced writes no more · what an earlier program left is migrated: at the start, by
#       the command, never under a node · drift is told · what was purged is in the archive, for
#       sheaf query and for pyarrow · Ctrl-C ends a purge, which goes on · a backup is read by
#       other programs as its page says, and replaces no other file · wrong flags · every command
#       has help with examples

import itertools
import json
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess

import pyarrow as pa
import pyarrow.dataset
import pytest

from calls import into, rows, run, sql
from node import BIN, ROOT, eventually
from postgres import postgres  # noqa: F401 (a fixture)


def db(*words, code=0, state=None, backend=None):
    """Runs `sheaf db`; its JSON when it printed some, else its words. It must end with `code`."""
    where = [*(["--state", state] if state else []), *(["--backend", backend] if backend else [])]
    done = subprocess.run([BIN, "db", *map(str, [*words, *where])], text=True, timeout=120,
                          capture_output=True, check=False)
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
    if code != 0:
        return done.stderr + done.stdout
    return json.loads(done.stdout) if "--json" in words else done.stdout


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request, tmp_path):
    """A database nobody has used: by its setting."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/kept.db"
    return request.getfixturevalue("postgres").fresh()


def other_than(backend, request, tmp_path):
    """One of the other kind."""
    if backend.startswith("postgres"):
        return f"sqlite:{tmp_path}/other.db"
    return request.getfixturevalue("postgres").fresh()


FRESH = itertools.count()  # A run that was made before is a hit and no job.


def do_work(node, count):
    """Makes so many jobs; returns all that are kept, oldest first."""
    def jobs():
        return sorted(rows(client, ["sheaf", "jobs"]), key=lambda job: job["ducc_id"])

    with node.client() as client:
        there = len(jobs())
        for _ in range(count):
            number = next(FRESH)
            run(client, sql(f"select {number} as n", sink=into("made", str(number))))
        eventually(lambda: len(jobs()) >= there + count, what="history")
        return jobs()


def test_a_backup_of_a_serving_node_serves_on_the_other_database(start, backend, request,
                                                                  tmp_path):
    node = start(settings={"persistence.backend": backend})
    jobs = do_work(node, 5)
    file = tmp_path / "kept.backup"
    wrote = db("backup", file, "--json", backend=backend)
    assert wrote["bytes"] == file.stat().st_size and wrote["rows"] > 20
    do_work(node, 7)
    other = other_than(backend, request, tmp_path)
    restored = db("restore", file, "--json", backend=other)
    assert restored["rows"] == wrote["rows"]
    assert db("verify", "--json", backend=other) == {"differences": []}
    assert db("migrate", "drift", "--json", backend=other)["drift"] == []
    again = start("again", settings={"persistence.backend": other})
    with again.client() as client:
        assert sorted(rows(client, ["sheaf", "jobs"]), key=lambda job: job["ducc_id"]) == jobs
    assert list(tmp_path.glob("*.partial-*")) == []


def test_a_restore_refuses_while_a_node_holds_the_database(start, backend, tmp_path):
    node = start(settings={"persistence.backend": backend})
    jobs = do_work(node, 2)
    file = tmp_path / "kept.backup"
    db("backup", file, backend=backend)
    refusal = db("restore", file, backend=backend, code=5)
    assert "is held by" in refusal and "--force" in refusal
    do_work(node, 3)
    node.stop()
    assert "restored" in db("restore", file, backend=backend)
    node.start()
    with node.client() as client:
        assert sorted(rows(client, ["sheaf", "jobs"]), key=lambda job: job["ducc_id"]) == jobs
    node.kill()
    assert "is held by" in db("restore", file, backend=backend, code=5)
    db("restore", file, "--force", backend=backend)
    node.start()
    do_work(node, 3)


def earlier(backend, postgres_server=None):
    """The database as the program of version 1 left it."""
    if backend.startswith("sqlite:"):
        with sqlite3.connect(backend.removeprefix("sqlite:")) as database:
            database.executescript((ROOT / "tests/data/schema_v1.sqlite.sql").read_text())
            database.execute("insert into sheaf_schema values ('version', '1')")
        return
    name = backend.removeprefix("postgresql://postgres@/").split("?")[0]
    ddl = (ROOT / "tests/data/schema_v1.postgres.sql").read_text()
    postgres_server.psql(ddl + "insert into sheaf_schema values ('version', '1');", name)


def test_an_earlier_schema_is_migrated(start, backend, request, tmp_path):
    server = request.getfixturevalue("postgres") if backend.startswith("postgres") else None
    earlier(backend, server)
    plan = db("migrate", "plan", "--json", backend=backend)
    assert (plan["present"], plan["drift"]) == (1, [])
    assert [step["to"] for step in plan["steps"]] == list(range(2, plan["wanted"] + 1))
    assert "sheaf_ledger" in db("migrate", "plan", "--sql", backend=backend)
    state = tmp_path / "operator"
    state.mkdir()
    if server is not None:
        refusal = db("verify", backend=backend, code=3)
        assert "sheaf db migrate apply" in refusal and "version 1" in refusal
        applied = db("migrate", "apply", "--json", backend=backend, state=state)
        (file,) = applied["backups"]
        assert pathlib.Path(file).parent == state
        assert "already" in db("migrate", "apply", backend=backend, state=state)
    node = start(settings={"persistence.backend": backend})
    assert len(do_work(node, 1)) == 1
    node.stop()
    if server is None:
        (file,) = tmp_path.glob("kept.db.schema1.*.backup")
    now = db("migrate", "drift", "--json", backend=backend)
    assert (now["present"], now["drift"], now["steps"]) == (plan["wanted"], [], [])
    assert "schema version 1" in db("restore", file, backend=backend)


def test_nothing_is_migrated_under_a_holder(backend, request, tmp_path):
    server = request.getfixturevalue("postgres") if backend.startswith("postgres") else None
    earlier(backend, server)
    held = "insert into sheaf_scope (scope, number, holder, slot) values ('node/n', 3, 'me', 0)"
    if server is None:
        with sqlite3.connect(backend.removeprefix("sqlite:")) as database:
            database.execute(held)
        assert "'me'" in db("purge", "--table", "jobs", "--max-rows", 5, backend=backend, code=5)
    else:
        server.psql(held, backend.removeprefix("postgresql://postgres@/").split("?")[0])
    assert "node/n is held by 'me'" in db("migrate", "apply", backend=backend, state=tmp_path,
                                          code=5)
    assert list(tmp_path.glob("*.backup")) == []
    db("migrate", "apply", "--force", backend=backend, state=tmp_path)
    assert db("migrate", "plan", "--json", backend=backend)["steps"] == []


def test_drift_and_a_later_schema_are_told(tmp_path):
    backend = f"sqlite:{tmp_path}/kept.db"
    db("create", backend=backend)
    with sqlite3.connect(tmp_path / "kept.db") as database:
        database.execute("drop index jobs_state_idx")
    assert "missing: index jobs_state_idx" in db("migrate", "drift", backend=backend, code=1)
    with sqlite3.connect(tmp_path / "kept.db") as database:
        database.execute("update sheaf_schema set value = '9' where name = 'version'")
    for words in (["verify"], ["migrate", "apply"], ["backup", tmp_path / "b"]):
        told = db(*words, backend=backend, code=3 if words == ["verify"] else 1)
        assert "version 9" in told and "version 2" in told
    assert not (tmp_path / "b").exists()


def test_what_was_purged_is_in_the_archive(start, backend, tmp_path):
    node = start(settings={"persistence.backend": backend})
    jobs = do_work(node, 12)
    rule = ["purge", "--table", "jobs", "--max-rows", 4]
    would = db(*rule, "--dry-run", "--json", backend=backend)
    archive = tmp_path / "old"
    did = db(*rule, "--archive", archive, "--json", backend=backend)  # The node goes on.
    assert would == {**did, "dry_run": True}
    assert {each["table"]: each["rows"] for each in did["tables"]}["jobs"] == len(jobs) - 4
    assert len(do_work(node, 0)) == 4
    assert db("verify", "--json", backend=backend) == {"differences": []}
    gone = pa.dataset.dataset(archive / "jobs", format="parquet").to_table()
    assert gone.sort_by("ducc_id").to_pylist() == jobs[:-4]
    documents = pa.dataset.dataset(archive / "job_history").to_table().to_pylist()
    assert {json.loads(each["work"])["id"] for each in documents} == \
        {job["ducc_id"] for job in jobs[:-4]}
    told = subprocess.run(
        [BIN, "query", "-i", f"jobs={archive}/jobs/*.parquet", "--format", "csv",
         "select count(*) as n, min(ducc_id) as first from jobs"],
        text=True, capture_output=True, check=True, timeout=60).stdout.split()
    assert told[-1] == f"{len(jobs) - 4},{jobs[0]['ducc_id']}"
    assert db(*rule, backend=backend) == "nothing is to go\n"
    assert "nothing is to go" in db("purge", "--table", "jobs", "--older-than", "1d",
                                    backend=backend)


def test_ctrl_c_ends_a_purge_and_it_goes_on(start, tmp_path):
    backend = f"sqlite:{tmp_path}/kept.db"
    node = start(settings={"persistence.backend": backend})
    do_work(node, 1)
    node.stop()
    with sqlite3.connect(tmp_path / "kept.db") as database:
        (kind, number, history, work), = database.execute("select * from job_history")
        document = json.loads(work)
        columns = [row[1] for row in database.execute("pragma table_info(jobs)")]
        for more in range(20_000):
            document["id"] = document["job"]["ducc_id"] = number + 1 + more
            document["processes"] = []
            document.pop("specification", None)
            text = json.dumps(document, separators=(",", ":")).encode()
            database.execute("insert into job_history values (?,?,?,?)",
                             (kind, document["id"], history, text))
            database.execute(f"insert into jobs values ({','.join('?' * len(columns))})",
                             [document["job"].get(name) for name in columns])
    assert "every summary" in db("verify", backend=backend)
    rule = [BIN, "db", "purge", "--table", "jobs", "--max-rows", "10", "--backend", backend]
    with subprocess.Popen(rule, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as purge:
        with sqlite3.connect(tmp_path / "kept.db") as database:
            eventually(lambda: database.execute("select count(*) from jobs").fetchone()[0] < 20_001,
                       every_s=0.001, what="the purge")
        purge.send_signal(signal.SIGINT)
        purge.communicate(timeout=60)
    assert purge.returncode == 128 + signal.SIGINT
    with sqlite3.connect(tmp_path / "kept.db") as database:
        left = database.execute("select count(*) from jobs").fetchone()[0]
        assert 10 < left < 20_001, "it ended in the middle"
    assert "every summary" in db("verify", backend=backend)
    subprocess.run(rule, check=True, timeout=120, stdout=subprocess.DEVNULL)
    assert "every summary" in db("verify", backend=backend)
    with sqlite3.connect(tmp_path / "kept.db") as database:
        assert database.execute("select count(*) from jobs").fetchone()[0] == 10


def test_a_backup_is_read_as_its_page_says(start, tmp_path):
    """docs/formats/backup.md, by a program that knows nothing else."""
    backend = f"sqlite:{tmp_path}/kept.db"
    node = start(settings={"persistence.backend": backend})
    jobs = do_work(node, 3)
    db("backup", tmp_path / "b", backend=backend)
    data = (tmp_path / "b").read_bytes()
    assert data[:8] == b"SHEAFBK1"
    place, tables, kinds = 8, {}, []
    while place < len(data):
        kind, number, size, _ = struct.unpack_from("<IIQQ", data, place)
        assert number == len(kinds)
        kinds.append(kind)
        payload = data[place + 24:place + 24 + size]
        place += 24 + size + -size % 8
        if kind == 1:
            head = json.loads(payload)
        elif kind == 2:
            page = pa.ipc.open_stream(payload).read_all()
            name = page.schema.metadata[b"table"].decode()
            tables.setdefault(name, []).extend(page.to_pylist())
        else:
            tail = json.loads(payload)
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == (1, 3, {2}) and place == len(data)
    assert head["schema"] == 2 and len(head["tables"]) == len(tail["rows"])
    assert {name: len(found) for name, found in tables.items()} == \
        {name: count for name, count in tail["rows"].items() if count}
    assert sorted(tables["jobs"], key=lambda job: job["ducc_id"]) == jobs


def test_wrong_flags_are_told(tmp_path):
    backend = f"sqlite:{tmp_path}/kept.db"
    assert "--older-than" in db("purge", "--table", "jobs", backend=backend, code=2)
    assert "duration" in db("purge", "--table", "jobs", "--older-than", "x", backend=backend,
                            code=2)
    assert "processes go with" in db("purge", "--table", "processes", "--max-rows", 1,
                                     backend=backend, code=1)
    assert "nothing to administer" in db("backup", tmp_path / "b", backend="none", code=1)
    missing = db("restore", "no/such", backend=backend, code=1)
    assert "no/such" in missing and "sheaf ls" not in missing, "a server's flights are no matter"
    (tmp_path / "not").write_text("a backup")
    assert "is no backup of Sheaf" in db("restore", tmp_path / "not", backend=backend, code=1)


def test_a_backup_does_not_replace_what_is_none(tmp_path):
    db("create", backend=f"sqlite:{tmp_path}/kept.db")
    backend = f"sqlite:{tmp_path}/kept.db"
    before = (tmp_path / "kept.db").read_bytes()
    assert "no backup of Sheaf" in db("backup", tmp_path / "kept.db", backend=backend, code=1)
    assert (tmp_path / "kept.db").read_bytes() == before
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        assert "no plain file" in db("backup", place, backend=backend, code=2)
        assert "no plain file" in db("restore", place, backend=backend, code=2)
    db("backup", tmp_path / "file", backend=backend)
    db("backup", tmp_path / "file", backend=backend)  # A backup is.
    assert sorted(path.name for path in tmp_path.glob("*partial*")) == []


@pytest.mark.parametrize("command", ["backup", "restore", "purge", "verify", "migrate plan",
                                     "migrate apply", "migrate drift"])
def test_every_command_has_help_with_examples(command):
    said = db(*command.split(), "--help")
    assert "Examples:" in said and f"sheaf db {command}" in said and "--json" in said
