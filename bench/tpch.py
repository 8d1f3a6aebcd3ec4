#!/usr/bin/env python3
"""The 22 TPC-H queries through Flight, against the same SQL by DuckDB in this process.

Over the same Parquet files, and over flights in memory against Arrow tables. Scale 1, in ctest the
sample's; SHEAF_BIN is the program. Prints one JSON line a row, as the other programs do.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import duckdb
import pyarrow as pa
import pyarrow.flight as fl
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parents[1]
SMOKE = os.environ.get("SHEAF_BENCH_SIZE") == "smoke"
ROUNDS, SCALE = (1, "0.1") if SMOKE else (5, "1")
THREADS = 2
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
QUERIES = {file.stem: file.read_text()
           for file in sorted((ROOT / "sheaf/services/sql/tpch").glob("q*.sql"))}


def sample_data():
    made = subprocess.run([ROOT / "tools/sample_data", SCALE], check=True, text=True,
                          stdout=subprocess.PIPE)
    return pathlib.Path(made.stdout.strip())


class Node:
    """`sheaf serve` in a process of its own."""

    def __init__(self, directory, data):
        settings = {"flight.listen": "127.0.0.1:0", "http.enabled": "false", "files.roots": data,
                    "memory.budget": "10GiB", "memory.store_budget": "4GiB",
                    "sql.threads": THREADS}
        sets = [f"--set={key}={value}" for key, value in settings.items()]
        binary = os.environ.get("SHEAF_BIN", ROOT / "build/release/bin/sheaf")
        with open(f"{directory}/log", "ab") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--state", f"{directory}/state", *sets],
                stdout=subprocess.PIPE, stderr=log, text=True)
        self.client = fl.connect(json.loads(self.process.stdout.readline())["flight"])

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def keep(self, name, table):
        descriptor = fl.FlightDescriptor.for_command(
            json.dumps({"sink": {"path": ["tpch", name], "tier": "memory"}}))
        writer, _ = self.client.do_put(descriptor, table.schema)
        with writer:
            writer.write_table(table, max_chunksize=122_880)

    def ask(self, sql, inputs):
        """One round trip; nothing is kept, so that every round runs again."""
        used = {name: value for name, value in inputs.items() if re.search(rf"\b{name}\b", sql)}
        command = {"service": "sql", "spec": {"sql": sql}, "inputs": used,
                   "options": {"retain_s": 0}}
        return self.client.do_get(fl.Ticket(json.dumps(command))).read_all()


def read(file):
    """A table with plain strings: DuckDB's own scan of Arrow cannot filter string views."""
    table = pq.read_table(file)
    return table.cast(pa.schema([
        field.with_type(pa.string()) if field.type == pa.string_view() else field
        for field in table.schema]))


def plain(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def checksum(table):
    """Of the rows in any order, with floats to six digits."""
    columns = [column.to_pylist() for column in table.columns]
    return sum(zlib.crc32("|".join(map(plain, row)).encode()) for row in zip(*columns))


def total(ask, spent):
    """Seconds that all queries take; `spent` collects them one by one."""
    for name, sql in QUERIES.items():
        start = time.perf_counter()
        ask(sql)
        spent.setdefault(name, []).append(time.perf_counter() - start)
    return sum(times[-1] for times in spent.values())


def compare(bench, bar, baseline, candidate):
    work = 0
    for name, sql in QUERIES.items():
        expected, actual = checksum(baseline(sql)), checksum(candidate(sql))
        if expected != actual:
            sys.exit(f"{bench}: {name} has another answer")
        work = (work * 31 + expected) % 2**64
    before, after = {}, {}
    sums = [(total(baseline, before), total(candidate, after)) for _ in range(ROUNDS)]
    first, second = (statistics.median(side) for side in zip(*sums))
    if not SMOKE:
        for name in QUERIES:
            ours, theirs = (statistics.median(side[name]) * 1e3 for side in (after, before))
            print(f"  {name} {theirs:7.1f} ms, ours {ours:7.1f} ms", file=sys.stderr)
    ratio = second / first
    print(json.dumps({"bench": bench, "baseline": first, "candidate": second, "unit": "s",
                      "ratio": ratio, "bar": f"<= {bar}", "pass": ratio <= bar,
                      "checksum": f"{work:016x}"}), flush=True)


def connect():
    connection = duckdb.connect()
    connection.execute(f"set threads = {THREADS}")
    return connection


def main():
    data = sample_data()
    with tempfile.TemporaryDirectory() as directory:
        node = Node(directory, data)
        try:
            connection = connect()
            for name in TABLES:
                connection.execute(f"create view {name} as from '{data}/{name}.parquet'")
            inputs = {name: {"service": "files", "spec": {"uri": f"{name}.parquet"}}
                      for name in TABLES}
            compare(f"tpch/scale {SCALE}/Parquet", 1.25,
                    lambda sql: connection.execute(sql).to_arrow_table(),
                    lambda sql: node.ask(sql, inputs))
            arrow = connect()
            for name in TABLES:
                table = read(data / f"{name}.parquet")
                arrow.register(name, table)
                node.keep(name, table)
            paths = {name: {"path": ["tpch", name]} for name in TABLES}
            compare(f"tpch/scale {SCALE}/Arrow in memory", 1.3,
                    lambda sql: arrow.execute(sql).to_arrow_table(),
                    lambda sql: node.ask(sql, paths))
        finally:
            node.stop()


if __name__ == "__main__":
    pa.set_cpu_count(THREADS)
    main()
