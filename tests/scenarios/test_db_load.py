"""sheaf db load: the real workload, registries and jobs; killed anywhere, and finished."""

# PLAN  the real table: 325 jobs, again all duplicates, the directory renamed once, a job shown by
#       its derived id · killed at random points and finished: the same rows as of one load, none
#       twice, on SQLite and PostgreSQL · what is rejected keeps the directory and is named · what
#       holds no item, or the database, keeps its name · a dry run changes nothing · Ctrl-C ends
#       between batches · 64 MiB in a value · a NUL by back end

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from node import BIN, ROOT
from postgres import postgres  # noqa: F401: a fixture

ROUNDS = 10 if os.environ.get("SHEAF_SOAK") else 4
LINES = 60_000 if os.environ.get("SHEAF_SOAK") else 12_000
HEADER = ("suite\tfile\tuser\tclass\tthreads\tmemory_gb\tmachines\ttod_ms\twork_items\tsum_ms\t"
          "min_ms\tmedian_ms\tmax_ms\n")
TABLES = ("sheaf_ledger", "job_history", "jobs", "duccworks", "smreg", "smmeta")


class Sqlite:
    """A database in a file of this test."""

    name = "sqlite"

    def __init__(self, directory):
        self.directory, self.count = directory, 0

    def fresh(self):
        self.count += 1
        return f"sqlite:{self.directory}/load{self.count}.db"

    @staticmethod
    def rows(url, table):
        """All rows of a table, sorted; of the ledger not when they were loaded."""
        database = sqlite3.connect(url.removeprefix("sqlite:"))
        found = database.execute(f'select * from "{table}"').fetchall()
        database.close()
        return sorted(repr(row[:4] if table == "sheaf_ledger" else row) for row in found)


class Server:
    """Databases of a PostgreSQL."""

    name = "postgres"

    def __init__(self, server):
        self.server = server

    def fresh(self):
        return self.server.fresh()

    def rows(self, url, table):
        database = url.split("@/")[1].split("?")[0]
        columns = "hash, name, kind, ducc_id" if table == "sheaf_ledger" else "*"
        return sorted(self.server.psql(f'select {columns} from "{table}"', database).splitlines())


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request, tmp_path):
    if request.param == "sqlite":
        return Sqlite(tmp_path)
    return Server(request.getfixturevalue("postgres"))


def begin(source, url, *flags):
    return subprocess.Popen([BIN, "db", "load", source, "--backend", url, "--json", *flags],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def load(source, url, *flags, code=0):
    """The JSON that a load prints."""
    process = begin(source, url, *flags)
    out, error = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, error, out[-2000:])
    return json.loads(out)


def counts(answer):
    return {key: answer[key] for key in ("loaded", "duplicate", "rejected", "ignored")}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def fill(source, lines, chance):
    """A table, services live and archived, jobs; returns how many items they are."""
    with (source / "ducc_workload.tsv").open("w") as table:
        table.write(HEADER)
        for i in range(lines):
            numbers = "\t".join(str(chance.randrange(10_000)) for _ in range(6))
            table.write(f"suite\tjob-{i}\tuser{i % 40}\tnormal\t4\t20\t\t{numbers}\n")
    for i in range(100):
        write(source / f"services/{i}.svc", f"description=no. {i}, \\\n   ${{home}}\nuuid=u{i}\n")
        write(source / f"services/{i}.meta",
              f"numeric_id={i}\nuser=ann\nis_archived={'true' if i % 3 == 0 else 'false'}\n")
        write(source / f"jobs/{i}.job", f"user bob\njob_id {1000 + i}\nprocess_memory_size {i}\n")
    return lines + 200


def test_the_real_workload_is_loaded_once(tmp_path, databases):
    source, url = tmp_path / "ducc", databases.fresh()
    source.mkdir()
    shutil.copy(ROOT / "tests/data/ducc_workload.tsv", source)
    first = load(source, url)
    assert counts(first) == {"loaded": 325, "duplicate": 0, "rejected": 0, "ignored": 0}
    assert first["renamed"] == f"{source}.loaded" and not source.exists()
    assert load(source, url)["loaded"] == 0, "its name says that it was loaded"
    again = load(tmp_path / "ducc.loaded", url)
    assert counts(again) == {"loaded": 0, "duplicate": 325, "rejected": 0, "ignored": 0}
    assert {each["hash"] for each in again["items"]} == {each["hash"] for each in first["items"]}
    verified = subprocess.run([BIN, "db", "verify", "--backend", url], check=False)
    assert verified.returncode == 0
    derived = again["items"][0]["id"]
    shown = subprocess.run([BIN, "db", "history", str(derived), "--json", "--backend", url],
                           check=True, capture_output=True)
    assert derived < 0 and json.loads(shown.stdout)["id"] == derived


def test_killed_anywhere_and_finished_it_is_one_load(tmp_path, databases):
    seed = int(os.environ.get("SHEAF_SEED", random.randrange(2**32)))
    print(f"replay with SHEAF_SEED={seed}")
    chance = random.Random(seed)
    source, url, whole_url = tmp_path / "in", databases.fresh(), databases.fresh()
    source.mkdir()
    items = fill(source, LINES, chance)
    begun = time.monotonic()
    whole = load(source, whole_url, "--keep")
    took = time.monotonic() - begun
    assert counts(whole) == {"loaded": items, "duplicate": 0, "rejected": 0, "ignored": 0}
    cut_short = 0
    for _ in range(ROUNDS):
        process = begin(source, url)
        try:
            process.wait(chance.uniform(0.02, took / 2))
        except subprocess.TimeoutExpired:
            cut_short += 1
        process.kill()
        process.communicate()
    assert cut_short > 0, "no load was killed before its end"
    last = load(source, url)
    if source.exists() or last["items"]:
        assert last["loaded"] + last["duplicate"] == items and last["rejected"] == 0
        assert {each["hash"] for each in last["items"]} == \
            {each["hash"] for each in whole["items"]}
    assert not source.exists() and (tmp_path / "in.loaded").is_dir()
    for table in TABLES:
        found = databases.rows(url, table)
        assert len(found) == len(set(found)), f"{table} has a row twice"
        assert found == databases.rows(whole_url, table), table


def test_what_is_rejected_is_named_and_the_source_stays(tmp_path, databases):
    source, url = tmp_path / "in", databases.fresh()
    write(source / "w.tsv", HEADER + "suite\tshort\n" + "s\tf\tann\tc" + "\t1" * 9 + "\n")
    write(source / "a.svc", "nobody=1\n")
    write(source / "a.meta", "")
    write(source / "b.job", "user=x\n\ndescription=\\u12\n")
    write(source / "notes.txt", "")
    (source / "out").symlink_to("/etc")
    answer = load(source, url, code=1)
    assert counts(answer) == {"loaded": 1, "duplicate": 0, "rejected": 3, "ignored": 2}
    assert answer["renamed"] is None and source.exists()
    said = {each["name"]: each.get("reason") for each in answer["items"]}
    assert said["w.tsv:2"] == "line 2: 2 columns, and a workload has 13"
    assert said["a.svc"].startswith("line 1: no column keeps 'nobody'")
    assert said["b.job"] == "line 3: \\u without 4 digits"
    assert said["out"] == "a symbolic link is not followed"
    (source / "w.tsv").write_text(HEADER + "s\tf\tann\tc" + "\t1" * 9 + "\n")
    (source / "b.job").unlink()
    mended = load(source, url, "--drop-unknown")
    assert counts(mended) == {"loaded": 1, "duplicate": 1, "rejected": 0, "ignored": 2}
    assert mended["renamed"] == f"{source}.loaded"


def test_a_directory_that_is_no_source_or_holds_the_database_keeps_its_name(tmp_path):
    other, state = tmp_path / "other", tmp_path / "all" / "state"
    write(other / "notes.txt", "nothing to load\n")
    url = f"sqlite:{state}/sheaf.db"
    state.mkdir(parents=True)
    answer = load(other, url)
    assert answer["renamed"] is None and "can be loaded" in answer["stays"] and other.exists()
    write(tmp_path / "all" / "1.job", "user ann\njob_id 1\n")
    for source in (state, tmp_path / "all"):
        write(source / "jobs" / "2.job", "user ann\njob_id 2\n")
        answer = load(source, url)
        assert answer["renamed"] is None and "is in it" in answer["stays"] and source.exists()
    apart = f"sqlite:{tmp_path}/apart.db"
    assert load(tmp_path / "all", apart, "--state", state)["renamed"] is None
    assert load(tmp_path / "all", apart)["renamed"] == f"{tmp_path}/all.loaded"


def test_a_dry_run_changes_nothing(tmp_path, databases):
    source, url = tmp_path / "in", databases.fresh()
    source.mkdir()
    items = fill(source, 100, random.Random(1))
    for _ in range(2):
        assert load(source, url, "--dry-run")["loaded"] == items
    assert source.exists()
    assert all(databases.rows(url, table) == [] for table in TABLES)


def test_ctrl_c_ends_it_between_batches(tmp_path, databases):
    source, url = tmp_path / "in", databases.fresh()
    source.mkdir()
    items = fill(source, 60_000, random.Random(2))
    process = begin(source, url)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out = process.stdout.read()
    assert process.wait(60) == 130
    process.stderr.close()
    process.stdout.close()
    answer = json.loads(first + out)
    assert answer["loaded"] < items and source.exists()
    assert "load it again" in answer["stays"]
    assert len(databases.rows(url, "sheaf_ledger")) == answer["loaded"]


def test_large_values_pass_and_a_nul_is_kept_or_refused(tmp_path, databases):
    source, url = tmp_path / "in", databases.fresh()
    write(source / "1.svc", "classpath=" + "x" * (64 << 20) + "\n")
    write(source / "1.meta", "")
    assert counts(load(source, url, "--keep"))["loaded"] == 1
    write(source / "2.svc", "classpath=a\\u0000b\n")
    write(source / "2.meta", "")
    if databases.name == "sqlite":
        assert load(source, url)["loaded"] == 1
    else:
        answer = load(source, url, code=1)
        assert (answer["duplicate"], answer["rejected"]) == (1, 1)
        assert "NUL" in next(e["reason"] for e in answer["items"] if e["name"] == "2")
