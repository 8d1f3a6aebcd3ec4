#!/usr/bin/env python3
"""One request that joins two Parquet files, keeps what it computes, and is answered from memory
the second time. Stock pyarrow, nothing of ours.

    examples/quickstart.py [grpc://127.0.0.1:8815]

The node must see orders.parquet and lineitem.parquet of TPC-H: `make run` starts one that does.
"""

import json
import sys
import time

import pyarrow as pa
import pyarrow.flight as fl

# What is cached, and where, is a change of payload only: each `sink` keeps a result. Take one out
# and the same command computes the same rows and keeps nothing.
LATE = {
    "service": "sql",
    "inputs": {
        "lineitem": {
            "service": "files",
            "spec": {
                "uri": "lineitem.parquet",
                "columns": ["l_orderkey", "l_commitdate", "l_receiptdate", "l_quantity"],
            },
        }
    },
    "spec": {
        "sql": "SELECT l_orderkey, sum(l_quantity) AS quantity FROM lineitem "
        "WHERE l_commitdate < l_receiptdate GROUP BY 1"
    },
    "sink": {"path": ["quickstart", "late"], "reuse": "if_fresh", "ttl_s": 3600},
}
BY_PRIORITY = {
    "service": "sql",
    "inputs": {
        "late": LATE,
        "orders": {"service": "files", "spec": {"uri": "orders.parquet"}},
    },
    "spec": {
        "sql": "SELECT o_orderpriority, count(*) AS orders, sum(quantity) AS quantity "
        "FROM orders JOIN late ON o_orderkey = l_orderkey GROUP BY 1 ORDER BY 1"
    },
    "sink": {"path": ["quickstart", "by_priority"], "reuse": "if_fresh", "ttl_s": 3600},
}
BY_YEAR = {
    **BY_PRIORITY,
    "spec": {
        "sql": "SELECT year(o_orderdate) AS year, count(*) AS orders "
        "FROM orders JOIN late ON o_orderkey = l_orderkey GROUP BY 1 ORDER BY 1"
    },
    "sink": {"path": ["quickstart", "by_year"], "reuse": "if_fresh", "ttl_s": 3600},
}


def run(client, command):
    """Returns the rows of a command, and what the server says of how they came about."""
    begun = time.perf_counter()
    descriptor = fl.FlightDescriptor.for_command(json.dumps(command))
    info = client.get_flight_info(descriptor)
    table = pa.concat_tables([client.do_get(e.ticket).read_all() for e in info.endpoints])
    about = json.loads(info.app_metadata)
    print(f"  {table.num_rows} rows in {time.perf_counter() - begun:.3f} s, hit: {about['hit']}")
    return table, about


def act(client, action, body):
    """Returns the one JSON answer of an action."""
    results = client.do_action(fl.Action(action, json.dumps(body).encode()))
    return json.loads(next(iter(results)).body.to_pybytes())


def tree(task, name="", depth=0):
    """Prints what becomes of each node of a command."""
    what = task.get("service") or "path " + "/".join(task["path"])
    print("  " * depth + f"  {name}{what}: {task.get('outcome', 'read')}")
    for child, below in (task.get("inputs") or {}).items():
        tree(below, child + " = ", depth + 1)


def forget(client, *path):
    try:
        act(client, "DropFlight", {"path": path})
    except pa.ArrowException as error:  # Programs decide by `code`, in the error's detail.
        if json.loads(error.extra_info)["code"] != "NOT_FOUND":
            raise


def upload(client, path, table):
    """Uploads a table; it is visible only if every row came through."""
    options = fl.FlightCallOptions(headers=[(b"sheaf-rows", str(table.num_rows).encode())])
    descriptor = fl.FlightDescriptor.for_path(*path)
    writer, answers = client.do_put(descriptor, table.schema, options)
    writer.write_table(table, max_chunksize=65536)
    writer.done_writing()
    receipt = json.loads(answers.read().to_pybytes())
    writer.close()  # Only this raises a failed commit.
    return receipt


def main():
    server = sys.argv[1] if len(sys.argv) > 1 else "grpc://127.0.0.1:8815"
    client = fl.connect(server)
    for name in ("late", "by_priority", "by_year"):
        forget(client, "quickstart", name)

    print("A command of three, before it runs:")
    tree(act(client, "Explain", {"command": BY_PRIORITY}))
    print("It runs, and keeps its result and the one below:")
    table, about = run(client, BY_PRIORITY)
    assert not about["hit"]
    print(table.to_pandas().to_string(index=False))

    print("The same again is answered from what was kept:")
    again, about = run(client, BY_PRIORITY)
    assert about["hit"] and again.equals(table)

    print("Another question over the same nested result finds that kept, too:")
    plan = act(client, "Explain", {"command": BY_YEAR})
    tree(plan)
    assert plan["inputs"]["late"]["outcome"] == "hit"
    by_year, _ = run(client, BY_YEAR)

    print("Rows of one's own go to a path, and a path is an input like any other:")
    upload(client, ("quickstart", "years"), by_year)
    best, _ = run(client, {
        "service": "sql",
        "inputs": {"years": {"path": ["quickstart", "years"]}},
        "spec": {"sql": "SELECT * FROM years ORDER BY orders DESC LIMIT $n", "params": {"n": 1}},
    })
    print(best.to_pandas().to_string(index=False))


if __name__ == "__main__":
    main()
