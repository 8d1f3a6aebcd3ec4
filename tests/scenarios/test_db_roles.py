"""The database of a node: alive, made with its roles, read beside the node."""

# PLAN  alive tells each of its answers by its exit code, waits when told to, and makes nothing ·
#       create makes roles, tables and a private file, once, and says so · no password is printed,
#       in an argument or in the server's log · guest reads what is public and does nothing else ·
#       a wrong and a missing password are said · a rotated password is the only one · a node
#       reads the file · what only looks makes nothing · schema is the contract's · history pages
#       and filters beside a node

import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest

from calls import run, sql
from node import BIN, Node, eventually
from postgres import GuardedPostgres, free_port
from program import db, sheaf, told

ROLES = ("sheaf", "guest")


def passwords(state):
    """{role: password} of the file."""
    lines = (state / "database.pass").read_text().splitlines()
    return {line.split(":")[3]: line.split(":")[4] for line in lines}


def files(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


@pytest.fixture(scope="module")
def server():
    made = GuardedPostgres().start()
    yield made
    made.close()


@pytest.fixture
def database(server, tmp_path):
    """(server, name of a database nobody has used, state directory); roles are none's yet."""
    name = "d" + os.urandom(6).hex()
    server.psql(f"create database {name}")
    yield server, name, tmp_path / "state"
    server.psql(f"drop database {name} with (force)")
    for role in ROLES:
        server.psql(f"drop role if exists {role}")


@pytest.fixture
def created(database):
    server, name, state = database
    made = told("db", "create", "--backend", server.url(password=server.password, database=name),
                "--state", state)
    return server, name, state, made


def owner_url(created):
    server, name, _, _ = created
    return server.url("sheaf", database=name)


def as_guest(created, statement):
    """What the server says to it."""
    server, name, state, _ = created
    return server.psql(statement, "guest", passwords(state)["guest"], name, check=False)


# --- alive --------------------------------------------------------------------------------------

def test_alive_of_sqlite_tells_what_is_missing_and_makes_nothing(tmp_path):
    state = tmp_path / "state"
    at = ["--state", state]
    assert str(state) in db("alive", *at, code=2)
    assert not state.exists()
    state.mkdir()
    assert "sheaf.db" in db("alive", *at, code=1) and files(state) == []
    (state / "sheaf.db").touch()
    assert "not initialised" in db("alive", *at, code=1)
    (state / "sheaf.db").write_text("no database at all, but long enough to be looked at " * 99)
    assert "not a database" in db("alive", *at, code=4)
    (state / "sheaf.db").unlink()
    assert "made:" in db("create", *at)
    assert told("db", "alive", *at)["state"] == "alive"
    assert "sheaf.db-wal" not in files(state)
    assert "nothing to do" in db("create", *at)


def test_alive_of_the_other_back_ends(tmp_path):
    at = ["--state", tmp_path]
    for backend in ("none", "memory:"):
        assert told("db", "alive", *at, "--backend", backend)["exit"] == 0
    assert db("alive", *at, "--backend", "file:journal", code=1)
    assert files(tmp_path) == []
    db("create", *at, "--backend", "file:journal")
    assert told("db", "alive", *at, "--backend", "file:journal")["exit"] == 0


def test_alive_of_postgresql_has_an_exit_code_for_each_answer(database):
    server, name, state = database
    admin = server.url(password=server.password, database=name)
    at = ["--state", state, "--backend"]
    nobody = f"postgresql://sheaf@127.0.0.1:{free_port()}/d"
    assert "nobody answers" in db("alive", *at, nobody, code=2)
    assert "no tables of Sheaf" in db("alive", *at, admin, code=1)
    assert "no database of this name" in db(
        "alive", *at, server.url(password=server.password, database="nowhere"), code=1)
    assert "URL of the PostgreSQL database is malformed" in db(
        "verify", "--backend", "postgresql://h:1/d?nothing=1", code=2)
    wrong = db("alive", *at, server.url(password="wrong", database=name), code=3)
    assert "refuses this user or its password" in wrong and ":wrong" not in wrong
    assert "demands a password and none was given" in db(
        "alive", *at, server.url(database=name), code=3)
    db("create", *at, admin)
    answer = told("db", "alive", *at, server.url("sheaf", database=name))
    assert answer["roles"] == {"sheaf": True, "guest": True, "granted": True}
    assert answer["superuser_login"] is True
    assert answer["schema"]["present"] == answer["schema"]["wanted"]
    server.psql("revoke select (state) on jobs from guest", database=name)
    assert "less or more than" in db("alive", *at, server.url("sheaf", database=name), code=1)
    server.psql("grant select on smreg to guest", database=name)
    assert "less or more than" in db("alive", *at, server.url("sheaf", database=name), code=1)
    db("create", *at, admin)  # Mends it.
    db("alive", *at, admin)
    server.psql("grant create on schema public to public", database=name)  # As before version 15.
    assert "less or more" in db("alive", *at, server.url("sheaf", database=name), code=1)
    db("create", *at, admin)
    db("alive", *at, server.url("sheaf", database=name))


def test_alive_tries_as_often_as_told_and_hears_an_interrupt():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        seen = []

        def refuse():
            while len(seen) < 3:
                connection, _ = deaf.accept()
                seen.append(1)
                connection.close()

        counting = threading.Thread(target=refuse, daemon=True)
        counting.start()
        url = (f"postgresql://u@127.0.0.1:{deaf.getsockname()[1]}/d"
               "?sslmode=disable&gssencmode=disable")
        db("alive", "--backend", url, "--retries", 2, code=2)
        counting.join(10)
        assert len(seen) == 3
    waiting = subprocess.Popen([BIN, "db", "alive", "--backend",
                                f"postgresql://u@127.0.0.1:{free_port()}/d", "--retries", "100000"],
                               stderr=subprocess.PIPE)
    eventually(lambda: "SigBlk" in pathlib.Path(f"/proc/{waiting.pid}/status").read_text()
               and int(re.search(r"SigBlk:\s+(\w+)", pathlib.Path(
                   f"/proc/{waiting.pid}/status").read_text())[1], 16) & 2, what="it listens")
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(20) == 130


# --- create -------------------------------------------------------------------------------------

def test_create_makes_roles_tables_and_a_private_file_once(created):
    server, name, state, made = created
    assert made["made"] == ["the role sheaf", "the role guest", "the tables",
                            "guest's right to read"]
    assert made["notes"] == []
    file = state / "database.pass"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and made["password_file"] == str(file)
    secret = passwords(state)
    assert set(secret) == set(ROLES) and len({*secret.values(), server.password}) == 3
    assert all(len(bytes.fromhex(each)) >= 16 for each in secret.values())
    assert server.psql("select count(*) from pg_tables where tableowner = 'sheaf'",
                       database=name) == "22"
    before = file.read_bytes()
    for backend in (server.url(password=server.password, database=name), owner_url(created)):
        assert "nothing to do" in db("create", "--backend", backend, "--state", state)
    assert file.read_bytes() == before and not (state / "database.pass.next").exists()
    assert made["backend"].startswith("postgresql://sheaf@/")
    assert told("db", "alive", "--backend", made["backend"], "--state", state)["exit"] == 0


def test_no_password_is_told_to_anybody(database):
    server, name, state = database
    spoken = ""
    for words in (["create"], ["create"], ["alive"], ["rotate-password"], ["alive", "--json"]):
        done = subprocess.run(
            [BIN, "db", *words, "--state", state, "--backend",
             server.url(password=server.password, database=name)], text=True, capture_output=True,
            timeout=60)
        assert done.returncode == 0, done.stderr
        spoken += done.stdout + done.stderr
        for secret in passwords(state).values():
            assert secret not in spoken and secret not in server.log.read_text()
    assert server.password not in spoken
    assert "set_config" in server.log.read_text()  # It does write statements down.


def test_guest_reads_what_is_public_and_does_nothing_else(created):
    reads = as_guest(created, "select count(*) from jobs")
    assert reads.returncode == 0 and reads.stdout.strip() == "0", reads.stderr
    assert as_guest(created, "select description, jvm from smreg").returncode == 0
    for statement in ("select is_archived from smreg", "select uuid from smreg",
                      "select * from smreg", "select numeric_id from smreg",
                      "select is_archived from smmeta", "select * from sheaf_scope",
                      "select * from sheaf_schema",
                      "insert into orprops values ('a','b')", "update jobs set state='x'",
                      "delete from jobs", "truncate jobs", "create table mine (a int)",
                      "create schema mine", "create role other", "drop table jobs",
                      "alter table jobs add column mine int", "set role sheaf",
                      "alter role sheaf password 'x'", "alter role guest superuser",
                      "create index mine on jobs (state)", "copy jobs to '/tmp/x'",
                      "select sheaf_guest_password('SCRAM-SHA-256$1:a$b:c')",
                      "select rolpassword from pg_authid"):
        said = as_guest(created, statement)
        assert said.returncode != 0 and re.search("42501|must be owner", said.stderr), \
            f"{statement}: {said.stdout}{said.stderr}"
    server, name, _, _ = created
    assert server.psql("select 1", "guest", server.password, name, check=False).returncode != 0


def test_create_needs_one_who_may_and_takes_over_what_is_there(database):
    server, name, state = database
    server.psql("create role clerk login password 'clerk'")
    try:
        clerk = server.url("clerk", "clerk", name)
        said = db("create", "--backend", clerk, "--state", state, code=1)
        assert "may not make roles" in said and not (state / "database.pass").exists()
        assert not (state / "database.pass.next").exists()
    finally:
        server.psql("drop role clerk")
    # A node was there first, as the superuser.
    admin = server.url(password=server.password, database=name)
    first = Node(state.parent / "first", settings={"persistence.backend": admin}).start()
    assert first.close() == 0
    assert "the tables" not in told("db", "create", "--backend", admin, "--state", state)["made"]
    second = Node(state.parent / "second",
                  settings={"persistence.backend": server.url("sheaf", database=name),
                            "persistence.password_file": str(state / "database.pass")}).start()
    assert second.close() == 0


def test_create_refuses_a_strong_stranger_and_names_a_missing_password(database):
    server, name, state = database
    admin = ["--backend", server.url(password=server.password, database=name), "--state", state]
    server.psql("create role guest login superuser password 'x'")
    assert "may more than Sheaf's should" in db("create", *admin, code=1)
    server.psql("alter role guest nosuperuser")
    made = told("db", "create", *admin)
    assert "the role guest" not in made["made"] and "guest" in made["notes"][0]
    assert set(passwords(state)) == {"sheaf"}
    db("rotate-password", "--role", "guest", *admin)
    assert set(passwords(state)) == set(ROLES)
    assert told("db", "create", *admin)["notes"] == []


def test_the_superuser_is_locked_only_when_told_to(created):
    server, name, state, _ = created
    admin = server.url(password=server.password, database=name)
    server.psql("create role keeper login superuser password 'keeper'")
    try:
        made = told("db", "create", "--lock-superuser", "--backend", admin, "--state", state)
        assert made["made"] == ["the first superuser may not log in any more"]
        assert server.psql("select 1", check=False).returncode != 0
        assert "nothing to do" in db("create", "--lock-superuser", "--backend", admin, "--state",
                                     state)
    finally:
        server.psql("alter role postgres login", "keeper", "keeper")
        server.psql("drop role keeper")
    assert "is for postgresql" in db("create", "--lock-superuser", "--state", state, code=1)


# --- passwords ----------------------------------------------------------------------------------

def test_a_rotated_password_is_the_only_one(created):
    server, name, state, made = created
    at = ["--backend", made["backend"], "--state", state]
    old = passwords(state)
    assert told("db", "rotate-password", "--role", "guest", *at)["rotated"] == ["guest"]
    new = passwords(state)
    assert new["guest"] != old["guest"] and new["sheaf"] == old["sheaf"]
    assert server.psql("select 1", "guest", old["guest"], name, check=False).returncode != 0
    assert server.psql("select 1", "guest", new["guest"], name) == "1"
    assert told("db", "rotate-password", *at)["rotated"] == list(ROLES)
    for role in ROLES:
        assert server.psql("select 1", role, new[role], name, check=False).returncode != 0
        assert server.psql("select 1", role, passwords(state)[role], name) == "1"
    file = state / "database.pass"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    assert "chmod 600" in db("alive", *at, code=3)
    file.chmod(0o600)
    file.unlink()
    assert "demands a password" in db("alive", *at, code=3)


def test_a_rotation_that_was_cut_off_is_settled(created):
    server, name, state, made = created
    at = ["--backend", made["backend"], "--state", state]
    file, following = state / "database.pass", state / "database.pass.next"
    old = file.read_text()
    db("rotate-password", *at)
    file.rename(following)  # The server had it, the rename was to come.
    file.write_text(old)
    file.chmod(0o600)
    db("alive", *at, code=3)
    node = Node(state.parent / "node", settings={"persistence.backend": made["backend"],
                                                 "persistence.password_file": str(file)})
    with pytest.raises(AssertionError, match="rotate-password"):
        node.start()
    right = following.read_text()
    assert "nothing to do" in db("create", *at)
    assert file.read_text() == right and not following.exists()
    following.write_text(right.replace(passwords(state)["guest"], "f" * 48))
    following.chmod(0o600)  # This time the server never heard of it.
    db("rotate-password", "--role", "sheaf", *at)
    assert server.psql("select 1", "guest", passwords(state)["guest"], name) == "1"


def test_a_node_takes_its_password_from_the_file(created, tmp_path):
    server, name, state, made = created
    node = Node(tmp_path / "node", settings={"persistence.backend": owner_url(created),
                                             "persistence.password_file":
                                                 str(state / "database.pass")})
    node.start()
    with node.client() as client:
        run(client, sql("select 1 as n"))
    at = ["--backend", made["backend"], "--state", state]
    eventually(lambda: json.loads(db("history", *at))["rows"], what="a job in history")
    db("rotate-password", *at)
    server.psql("select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where usename = 'sheaf'")
    with node.client() as client:
        run(client, sql("select 2 as n"))
    eventually(lambda: len(json.loads(db("history", *at))["rows"]) == 2, 30,
               what="a job written with the new password")
    assert node.close() == 0


# --- what only looks ----------------------------------------------------------------------------

LOOKS = [["alive"], ["history"], ["node-state"], ["qload"], ["verify"]]


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_what_only_looks_makes_nothing(tmp_path, words):
    away = tmp_path / "mistyped"
    said = subprocess.run([BIN, "db", *words, "--state", away], text=True, capture_output=True,
                          timeout=60)
    assert said.returncode in (2, 3) and str(away) in said.stderr
    said = subprocess.run([BIN, "db", *words, "--state", tmp_path, "--backend", "sqlite:no.db"],
                          text=True, capture_output=True, timeout=60)
    assert said.returncode in (1, 3) and "no.db" in said.stderr
    assert files(tmp_path) == []
    for words_up in (["check"], ["down"]):
        assert str(away) in sheaf(*words_up, "--state", away, code=2)
    assert files(tmp_path) == []


def test_schema_prints_the_contracts_statements():
    cql = db("schema", "--dialect", "cql").splitlines()
    assert all(line.endswith(";") for line in cql)
    assert cql[0] == ('CREATE TABLE IF NOT EXISTS "job_history" ("type" varchar, "ducc_id" bigint, '
                      '"history" boolean, "work" blob, PRIMARY KEY("type","ducc_id")) WITH '
                      'CLUSTERING ORDER BY ("ducc_id" desc);')
    types = set(re.findall(r'^CREATE TABLE[^(]*\((.*), PRIMARY KEY', "\n".join(cql), re.M))
    words = {column.split()[-1] for table in types for column in table.split(", ")}
    assert words <= {"varchar", "blob", "boolean", "int", "bigint", "double", "uuid"}
    for table in ("smreg", "smmeta"):
        assert f'CREATE INDEX IF NOT EXISTS ON "{table}"("is_archived");' in cql
        assert f'"{table}"("is_archived")' not in db("schema", "--table", table)
    for table in ("job_history", "res_history", "svc_history"):
        line = next(line for line in cql if f'EXISTS "{table}" (' in line)
        assert line.endswith('WITH CLUSTERING ORDER BY ("ducc_id" desc);')
    assert db("schema", "--dialect", "postgres", "--table", "orprops") == (
        'CREATE TABLE IF NOT EXISTS "orprops" ("name" text NOT NULL, "value" text, '
        'PRIMARY KEY("name"));\n')
    indexes = [line for line in cql if line.startswith("CREATE INDEX") and "_idx" in line]
    assert indexes and all(re.fullmatch(
        r'CREATE INDEX IF NOT EXISTS "(\w+)_(\w+)_idx" ON "\1"\("\2"\);', line)
        for line in indexes)
    assert "did you mean" in db("schema", "--table", "job", code=2)
    assert len(told("db", "schema", "--dialect", "sqlite")) == 16


def test_history_is_read_beside_a_node(node):
    with node.client() as client:
        for number in range(5):
            run(client, sql(f"select {number} as n", priority=number))
    at = ["--state", node.state]
    eventually(lambda: len(json.loads(db("history", *at))["rows"]) == 5, what="five jobs")
    newest = json.loads(db("history", *at))["rows"]
    seen, after = [], []
    while True:
        page = json.loads(db("history", "-n", 2, *after, *at, "--json"))
        assert len(page["rows"]) <= 2
        seen += page["rows"]
        if "next" not in page:
            break
        after = ["--after", page["next"]]
    assert seen == newest

    def ask(*words):
        return json.loads(db("history", *words, *at))["rows"]

    assert [each["class"] for each in ask("--class", "priority-3")] == ["priority-3"]
    assert ask("--user", "nobody") == [] and len(ask("--user", "anonymous")) == 5
    assert len(ask("--state-is", "Completed")) == 5 and ask("--state-is", "Running") == []
    assert len(ask("--from", "1h")) == 5 and ask("--to", "1h") == []
    middle = newest[2]["submission_time"]
    assert {each["ducc_id"] for each in ask("--from", middle)} == {
        each["ducc_id"] for each in newest if each["submission_time"] >= middle}
    ran = ask("--of", "processes")
    assert len(ran) == 5 and len(ask("--of", "processes", "--host", ran[0]["host"])) == 5
    assert ask("--of", "reservations") == []
    document = json.loads(db("history", newest[0]["ducc_id"], *at))
    assert document["id"] == newest[0]["ducc_id"] and document["specification"]["service"] == "sql"
    assert "no job 99" in db("history", 99, *at, code=1)
    assert "no time" in db("history", "--from", "yesterday", *at, code=2)
    assert "end of a page" in db("history", "--after", "x", *at, code=2)
    nodes = json.loads(db("node-state", *at))["nodes"]
    assert len(nodes) == 1 and isinstance(nodes[0]["shares"], list)
    load = json.loads(db("qload", *at))
    assert load["load"] == [] and load["provisioning"]["verdict"]
