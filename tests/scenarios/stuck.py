"""Clients in a process of their own that stop in the middle of what they do, and stay there."""

import os
import signal
import subprocess
import sys

PROGRAM = """
import json, sys, threading
import pyarrow as pa, pyarrow.flight as fl

flight, way, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
schema = pa.schema([("n", pa.int64())])
held, lock = [], threading.Lock()

def begin(number):
    client = fl.FlightClient(flight)
    if way == "read":
        what = client.do_get(fl.Ticket(b'{"path": ["big"]}'))
        what.read_chunk()
    elif way == "put":
        what, _ = client.do_put(fl.FlightDescriptor.for_path("stuck", str(number)), schema)
        what.write_batch(pa.record_batch([[1]], schema=schema))
    else:
        asked = {"service": "sql", "spec": {"sql": "select count(*) from range(3000000) a, "
                 f"range(3000000) b where xor(a.range, b.range) % 7 = 3 and {number} = {number}"}}
        what = threading.Thread(target=wait, args=(client, asked), daemon=True)
        what.start()
    with lock:
        held.append((client, what))

def wait(client, asked):
    try:
        client.get_flight_info(fl.FlightDescriptor.for_command(json.dumps(asked)))
    except Exception:
        pass

threads = [threading.Thread(target=begin, args=(number,)) for number in range(count)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("stuck", len(held), flush=True)
sys.stdin.read()
"""


class Stuck:
    """`count` clients that read ["big"] ("read"), upload ("put") or wait for tasks ("wait")."""

    def __init__(self, node, way, count):
        self.arguments = [sys.executable, "-c", PROGRAM, node.flight, way, str(count)]
        self.count = count

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        assert self.process.stdout.readline() == f"stuck {self.count}\n"
        return self

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)

    def running(self):
        return self.process.poll() is None

    def __exit__(self, *_):
        self.kill()
        self.process.communicate()
