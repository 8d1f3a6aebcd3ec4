"""The examples run, against a node of their own."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("SHEAF_BIN", str(ROOT / "build/test/bin/sheaf"))


@pytest.fixture
def node(tmp_path):
    data = subprocess.run([ROOT / "tools/sample_data", "0.1"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    server = subprocess.Popen(
        [BINARY, "serve", "--state", tmp_path / "state", "--set", "flight.listen=127.0.0.1:0",
         "--set", "http.listen=127.0.0.1:0", "--set", f"files.roots={data}"],
        stdout=subprocess.PIPE, text=True)
    yield json.loads(server.stdout.readline())["flight"]
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 0


def test_quickstart_runs_twice(node):
    for _ in range(2):
        done = subprocess.run([sys.executable, ROOT / "examples/quickstart.py", node], text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "hit: True" in done.stdout
