"""What `sheaf db schema` prints, applied to real databases and compared with the oracle of 210
elements: tests/data/ducc_schema.tsv."""

import csv
import os
import pathlib
import sqlite3
import subprocess
import sys

import pytest
from cassandra.cluster import Cluster

from cassandra_server import CassandraServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scenarios"))

from postgres import Postgres  # noqa: E402 (its directory is known now)

BIN = os.environ["SHEAF_BIN"]
CQL = {"String": "text", "Blob": "blob", "Boolean": "boolean", "Integer": "int", "Long": "bigint",
       "Double": "double", "UUID": "uuid"}
POSTGRES = {"String": "text", "Blob": "bytea", "Boolean": "boolean", "Integer": "integer",
            "Long": "bigint", "Double": "double precision", "UUID": "uuid"}
# Columns that only CQL has: upstream forgot their flag, and its databases have them.
ONLY_CQL = {("daemonLifetime", "daemonLifetime")}
# Indexes that only CQL has, without a name of their own.
NAMELESS = {("smreg", "is_archived"), ("smmeta", "is_archived")}


def elements():
    with (ROOT / "tests/data/ducc_schema.tsv").open() as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["meta"] == "0"]


def columns(only_cql):
    """(table, column) -> type as upstream calls it."""
    return {(row["table"], row["column"]): row["type"] for row in elements()
            if only_cql or (row["table"], row["column"]) not in ONLY_CQL}


def keys():
    return {(row["table"], row["column"]) for row in elements() if row["pk"] == "1"}


def indexes():
    return {(row["table"], row["column"]) for row in elements() if row["index"] == "1"}


def statements(dialect):
    done = subprocess.run([BIN, "db", "schema", "--dialect", dialect], text=True, check=True,
                          capture_output=True, timeout=60)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def keyspace():
    server = CassandraServer()
    cluster = Cluster(["127.0.0.1"], port=server.port)
    session = cluster.connect()
    session.execute("create keyspace ducc with replication = "
                    "{'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.set_keyspace("ducc")
    yield session
    cluster.shutdown()
    server.close()


def test_cassandra_takes_the_schema_twice_and_has_what_the_oracle_says(keyspace):
    lines = statements("cql")
    for line in lines + lines:
        keyspace.execute(line)
    told = list(keyspace.execute(
        "select * from system_schema.columns where keyspace_name = 'ducc'"))
    found = {(row.table_name, row.column_name): row.type for row in told}
    assert found == {place: CQL[is_type] for place, is_type in columns(only_cql=True).items()}
    assert {(row.table_name, row.column_name) for row in told
            if row.kind in ("partition_key", "clustering")} == keys()
    made = {(row.table_name, row.options["target"].strip('"'), row.index_name) for row in
            keyspace.execute("select * from system_schema.indexes where keyspace_name = 'ducc'")}
    assert {(table, column) for table, column, _ in made} == indexes() | NAMELESS
    assert all(name == f"{table}_{column}_idx" for table, column, name in made)
    newest_first = {row.table_name for row in told if row.clustering_order == "desc"}
    assert newest_first == {"job_history", "res_history", "svc_history"}


def test_cassandra_keeps_rows_of_reserved_words_and_extremes(keyspace):
    said = 'quotes \' " and\nlines, ${these}, ünïcode'
    keyspace.execute('insert into "jobs" ("user", "ducc_id", "class", "duration", "memory") '
                     "values (%s, %s, %s, %s, %s)", (said, -2**63, "", 2**63 - 1, -2**31))
    (row,) = keyspace.execute('select "user", "ducc_id", "class", "duration", "memory", "state" '
                              'from "jobs"')
    assert tuple(row) == (said, -2**63, "", 2**63 - 1, -2**31, None)
    blob = bytes(range(256)) * 4096
    for number in (1, 3, 2):
        keyspace.execute('insert into "job_history" ("type", "ducc_id", "history", "work") '
                         "values ('job', %s, true, %s)", (number, blob))
    rows = list(keyspace.execute('select "ducc_id", "work" from "job_history"'))
    assert [row.ducc_id for row in rows] == [3, 2, 1] and all(row.work == blob for row in rows)


def test_postgresql_has_what_the_oracle_says():
    server = Postgres().start()
    try:
        server.psql("\n".join(statements("postgres") * 2))
        told = server.psql(
            "select table_name || '|' || column_name || '|' || data_type "
            "from information_schema.columns where table_schema = 'public'").splitlines()
        found = {tuple(line.split("|")[:2]): line.split("|")[2] for line in told}
        assert found == {place: POSTGRES[is_type]
                         for place, is_type in columns(only_cql=False).items()}
        told = server.psql("select indexname from pg_indexes where schemaname = 'public'")
        for table, column in indexes():
            assert f"{table}_{column}_idx" in told.splitlines()
    finally:
        server.close()


def test_sqlite_has_what_the_oracle_says():
    database = sqlite3.connect(":memory:")
    database.executescript("\n".join(statements("sqlite") * 2))
    tables = [name for (name,) in database.execute(
        "select name from sqlite_master where type = 'table'")]
    found = {(table, row[1]): bool(row[5]) for table in tables
             for row in database.execute(f'pragma table_info("{table}")')}
    assert set(found) == set(columns(only_cql=False))
    assert {place for place, is_key in found.items() if is_key} == keys()
    made = {name for (name,) in database.execute(
        "select name from sqlite_master where type = 'index'")}
    assert {f"{table}_{column}_idx" for table, column in indexes()} <= made
