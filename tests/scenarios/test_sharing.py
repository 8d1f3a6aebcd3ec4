"""PLAN  identical commands at once are one run and one answer · outer commands share a slow inner
one ·
one sharer's cancel leaves the other · a result is read while it is made · what `share` false and
other options do to all that.
"""

import concurrent.futures
import statistics
import threading
import time

import pyarrow.compute as pc
import pyarrow.flight as fl

import calls
import raw
from calls import act_one, ended, info, into, one, read, refused, run, sql, told
from node import eventually
from raw import cancel_info
from slow import drip, endless

CALLERS = 100


def at_once(node, count, call):
    """The results of call(client, number), all begun at the same moment."""
    gate = threading.Barrier(count)

    def ask(number):
        with node.client() as client:
            gate.wait(30)
            return call(client, number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


# --- one run ------------------------------------------------------------------------------------

def test_100_identical_commands_run_once_and_hold_no_other_up(shared, ask, slow):
    text = slow.sql_of_at_least(2.5)
    quick = [seconds(lambda i=i: one(ask, sql(f"select {i} as usual"))) for i in range(20)]
    ran, attached = shared.outcome("run"), shared.outcome("attached")
    meanwhile, over = [], threading.Event()

    def different():
        number = 0
        with shared.client() as client:
            while not over.is_set():
                number += 1
                meanwhile.append(seconds(
                    lambda: one(client, sql(f"select {number} as meanwhile"))))

    other = threading.Thread(target=different)
    begun = time.monotonic()
    other.start()
    answers = at_once(shared, CALLERS, lambda client, _: run(client, sql(text)))
    took = time.monotonic() - begun
    over.set()
    other.join()
    assert took >= 2, f"{took} s: the command is too quick to show anything"
    assert len({answer["task"] for answer, _ in answers}) == 1
    assert len({table["n"][0].as_py() for _, table in answers}) == 1
    assert shared.outcome("attached") - attached == CALLERS - 1
    assert shared.outcome("run") - ran == 1 + len(meanwhile)
    # It shares the cores, so it may take a few times as long as alone, but never waits for them.
    usual, now = statistics.median(quick), statistics.median(meanwhile)
    assert now < max(10 * usual, 0.25), f"{now} s instead of {usual} s"
    assert max(meanwhile) < 1.5


def seconds(call):
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_one_round_trip_calls_share_a_run_too(shared, slow):
    text, ran = slow.sql(1), shared.outcome("run")
    answers = at_once(shared, 20, lambda client, _: calls.get_at_once(client, sql(text)))
    assert shared.outcome("run") - ran == 1
    assert len({table["n"][0].as_py() for table in answers}) == 1


def test_each_sharer_keeps_the_result_under_a_path_of_its_own(shared, ask, slow):
    text, ran = slow.sql(1), shared.outcome("run")

    def kept(client, number):
        more = {"tier": "memory"} if number % 2 else {"ttl_s": 100 + number}
        return run(client, sql(text, sink=into("shared", str(number), **more)))

    answers = at_once(shared, 8, kept)
    assert shared.outcome("run") - ran == 1
    value = answers[0][1]["n"][0].as_py()
    for number in range(8):
        assert one(ask, ["shared", str(number)]) == value
        assert told(info(ask, sql(text, sink=into("shared", str(number)))))["hit"] is True
    act_one(ask, "DropFlight", {"path": ["shared", "0"]})
    assert one(ask, ["shared", "2"]) == value


def test_two_outer_commands_share_one_slow_inner_one(shared, slow):
    inner, ran = sql(slow.sql(1.5)), shared.outcome("run")

    def outer(client, number):
        return run(client, sql(f"select n + {number} as n from i", {"i": inner}))

    (first, a), (second, b) = at_once(shared, 2, outer)
    assert first["identity"] != second["identity"]
    assert b["n"][0].as_py() - a["n"][0].as_py() == 1
    assert shared.outcome("run") - ran == 3
    with shared.client() as client:
        ids = {act_one(client, "GetTask", {"task": answer["task"]})["inputs"]["i"]["task"]
               for answer in (first, second)}
    assert len(ids) == 1


def test_share_false_runs_for_itself(shared, slow):
    text, ran = slow.sql(0.7), shared.outcome("run")
    answers = at_once(shared, 3, lambda client, _: run(client, sql(text, share=False)))
    assert shared.outcome("run") - ran == 3
    assert len({answer["task"] for answer, _ in answers}) == 3


def test_a_run_of_another_caller_writes_my_path_unless_i_do_not_share(shared, ask):
    sink = into("sharing", "path")
    answer = info(ask, sql(drip(1), sink=sink))
    same = info(ask, sql(drip(1), sink=sink))
    assert told(same)["task"] == told(answer)["task"]
    for other in (sql(drip(1), sink=sink, share=False), sql("select 1", sink=sink),
                  sql(drip(1), sink={**sink, "reuse": "never"})):
        with refused("CONFLICT") as refusal:
            info(ask, other)
        assert refusal.details["task"] == told(answer)["task"]
    with refused("NOT_FOUND"):  # Followers use the command: a path is there when it is whole.
        info(ask, ["sharing", "path"])
    for each in (answer, same):
        cancel_info(ask, each)
    assert ended(ask, answer)["state"] == "cancelled"


def test_a_finished_result_without_a_sink_is_never_a_hit(shared, ask):
    ran = shared.outcome("run")
    for _ in range(3):
        assert run(ask, sql("select 'again' as n"))[0]["hit"] is False
    assert shared.outcome("run") - ran == 3


# --- following ----------------------------------------------------------------------------------

def test_the_first_batch_is_read_while_the_command_still_runs(ask):
    begun = time.monotonic()
    answer = info(ask, sql(drip(2)))
    reader = ask.do_get(answer.endpoints[0].ticket)
    first = reader.read_chunk().data
    assert time.monotonic() - begun < 5 and first["i"][0].as_py() == 0
    assert calls.task_of(ask, answer)["state"] == "executing"
    assert answer.total_records == -1
    # A second reader starts at batch 0, too, and sees the same.
    again = ask.do_get(answer.endpoints[0].ticket).read_chunk().data
    assert again.equals(first)
    assert reader.read_chunk().data["i"][0].as_py() == first.num_rows
    cancel_info(ask, answer)
    with refused("CANCELLED"):
        while True:
            reader.read_chunk()
    assert ended(ask, answer)["state"] == "cancelled"


def test_an_outer_command_gives_rows_while_its_inner_one_still_runs(ask):
    answer = info(ask, sql("select i * 2 as twice from t", {"t": sql(drip(3))}))
    reader = ask.do_get(answer.endpoints[0].ticket)
    assert reader.read_chunk().data["twice"][1].as_py() == 2
    tree = calls.task_of(ask, answer)
    assert tree["state"] == tree["inputs"]["t"]["state"] == "executing"
    cancel_info(ask, answer)
    assert ended(ask, answer)["state"] == "cancelled"
    assert ended(ask, tree["inputs"]["t"]["task"])["state"] == "cancelled"


def test_followers_at_every_pace_get_every_row(shared, ask):
    rows = 2_000_000
    answer = info(ask, sql(f"select range as n, repeat('s', 50) as s from range({rows})"))

    def follow(client, number):
        total = count = 0
        for chunk in client.do_get(answer.endpoints[0].ticket):
            total += pc.sum(chunk.data["n"]).as_py()
            count += chunk.data.num_rows
            if number == 0:
                eventually(lambda: True, every_s=0.001)
        return count, total

    assert set(at_once(shared, 4, follow)) == {(rows, rows * (rows - 1) // 2)}


# --- ends ---------------------------------------------------------------------------------------

def test_a_cancel_by_one_of_two_sharers_leaves_the_other_whole(shared):
    asked = sql(drip(6).replace("100000000", "500000"))
    with shared.client() as one_of, shared.client() as other:
        mine, theirs = info(one_of, asked), info(other, asked)
        assert told(mine)["task"] == told(theirs)["task"]
        assert cancel_info(one_of, mine) == raw.CANCEL_CANCELLED
        with refused("RESULT_GONE"):
            read(one_of, mine)
        assert read(other, theirs).num_rows == 500_000
        assert ended(other, theirs)["state"] == "completed"


def test_a_waiting_sharer_outlives_the_others_deadline(shared, slow):
    text, results = slow.sql(2), {}

    def wait(client, number):
        try:
            results[number] = run(client, sql(text), timeout=0.4 if number else 30)
        except fl.FlightTimedOutError as error:
            results[number] = error

    at_once(shared, 2, wait)
    assert isinstance(results[1], fl.FlightTimedOutError)
    assert results[0][1].num_rows == 1


def test_the_last_cancel_stops_the_run_and_frees_its_path(shared, ask):
    asked = sql(drip(4), sink=into("cancel", "led"))
    answers = [info(ask, asked) for _ in range(3)]
    for answer in answers[:2]:
        cancel_info(ask, answer)
    assert calls.task_of(ask, answers[0])["state"] == "executing"
    cancel_info(ask, answers[2])
    task = ended(ask, answers[2], timeout_s=2)
    assert task["state"] == "cancelled" and task["error"]["code"] == "CANCELLED"
    assert one(ask, sql("select 1 as n", sink=into("cancel", "led"))) == 1


def test_a_command_may_be_sent_again_right_after_its_cancel(ask):
    for mark in range(5):
        asked = sql(drip(70 + mark))
        cancel_info(ask, info(ask, asked))
        again = info(ask, asked)
        assert ask.do_get(again.endpoints[0].ticket).read_chunk().data["i"][0].as_py() == 0
        cancel_info(ask, again)


def test_an_inner_run_stops_with_its_last_outer_one(shared, ask):
    inner = sql(endless(1))
    polls = []
    for number in range(2):
        with refused("POLL") as poll:
            info(ask, sql(f"select n + {number} as n from i", {"i": inner}),
                 headers={"sheaf-pollable": "true", "sheaf-wait-ms": "0"})
        polls.append(poll.details["task"])
    below = calls.task_of(ask, polls[0])["inputs"]["i"]["task"]
    act_one(ask, "CancelTask", {"task": polls[0]})
    assert ended(ask, polls[0])["state"] == "cancelled"
    assert calls.task_of(ask, below)["state"] == "executing"
    act_one(ask, "CancelTask", {"task": polls[1]})
    assert ended(ask, below, timeout_s=2)["state"] == "cancelled"


def test_an_inner_sink_is_kept_though_its_reader_stops_early(ask):
    inner = sql("select range as n, hash(range) as h from range(2000000)",
                sink=into("inner", "early"))
    assert run(ask, sql("select n from i limit 1", {"i": inner}))[1].num_rows == 1
    assert run(ask, ["inner", "early"])[1].num_rows == 2_000_000


def test_force_ends_the_run_for_everybody(shared, ask):
    answers = [info(ask, sql(drip(5))) for _ in range(2)]
    act_one(ask, "CancelTask", {"task": told(answers[0])["task"], "force": True})
    assert ended(ask, answers[1], timeout_s=2)["state"] == "cancelled"
    for answer in answers:
        with refused("CANCELLED"):
            read(ask, answer)
