"""The program as a shell calls it."""

import json
import os
import subprocess

from node import BIN


def sheaf(*words, code=0, environment=None):
    """Runs the program; returns standard output, or standard error when it is to fail."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("SHEAF_", "PG"))}
    done = subprocess.run([BIN, *map(str, words)], text=True, capture_output=True, timeout=180,
                          stdin=subprocess.DEVNULL, env={**kept, **(environment or {})})
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def db(*words, **options):
    return sheaf("db", *words, **options)


def told(*words, **options):
    return json.loads(sheaf(*words, "--json", **options))
