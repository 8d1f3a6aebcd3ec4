"""A mixed load against a node that is killed at random, and what must be true after each kill.

Every write puts one number, repeated as often as the number says: half a flight shows itself. The
model knows for each path what may be found there: what was acknowledged, and what was under way.
"""

import dataclasses
import json
import random
import threading

import pyarrow as pa
import pyarrow.flight as fl

import calls
from calls import act_one, into, sql

ABSENT = 0  # The value of a path where nothing is.
SCHEMA = pa.schema([("n", pa.int64())])


def rows_of(value):
    """How many rows carry this value: mostly few, sometimes several messages of a file."""
    return 400_000 if value % 17 == 0 else value % 5000 + 1


def table(value):
    return pa.table({"n": pa.array([value], pa.int64()).take(pa.array([0] * rows_of(value)))})


@dataclasses.dataclass
class Place:
    """One path: what may be found there after a kill."""

    path: list
    may_be: set = dataclasses.field(default_factory=lambda: {ABSENT})

    def begin(self, value):
        self.may_be = self.may_be | {value}

    def done(self, value):
        self.may_be = {value}


class Load:
    """Threads that write, drop and read until the node is gone. One thread has a path at a time."""

    def __init__(self, seed, writers=4, places=24):
        self.random = random.Random(seed)
        self.places = [Place(["kill", str(number)]) for number in range(places)]
        self.writers, self.value = writers, 0
        self.generations, self.newest = set(), 0
        self.lock, self.wrong, self.acknowledged = threading.Lock(), [], 0

    def start(self, node):
        self.over = threading.Event()
        shares = [self.places[number::self.writers] for number in range(self.writers)]
        self.threads = [threading.Thread(target=self.write, args=(node.flight, share, seed))
                        for share, seed in zip(shares, self.random.sample(range(10**9), 99))]
        self.threads.append(threading.Thread(target=self.read, args=(node.flight,)))
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs after its server is gone"
        assert not self.wrong, self.wrong

    # --- what the threads do -------------------------------------------------------------------

    def write(self, flight, share, seed):
        chance = random.Random(seed)
        steps = [self.put, self.put, self.put, self.put_in_memory, self.make, self.drop]
        with fl.FlightClient(flight) as client:
            while not self.over.is_set():
                try:
                    chance.choice(steps)(client, chance.choice(share))
                except fl.FlightUnavailableError:
                    return  # It was killed; what was under way is in doubt.
                except (fl.FlightError, pa.ArrowException) as error:
                    if not self.over.is_set():
                        self.wrong.append(error)
                    return

    def next(self, place):
        with self.lock:
            self.value += 1
            value = self.value
        place.begin(value)
        return value

    def acknowledge(self, place, value, generation=None):
        place.done(value)
        with self.lock:
            self.acknowledged += 1
            if generation is None:
                return
            if generation in self.generations:
                self.wrong.append(f"generation {generation} was given twice")
            self.generations.add(generation)

    def put(self, client, place):
        value = self.next(place)
        sent = table(value)
        headers = {"sheaf-commit": "explicit"}
        writer, receipts = client.do_put(calls.by(place.path), SCHEMA, calls.options(headers))
        with writer:
            writer.write_table(sent, 50_000)
            writer.write_metadata(json.dumps({"commit": {"rows": sent.num_rows}}).encode())
            writer.done_writing()
            receipt = json.loads(receipts.read().to_pybytes())
        assert receipt["durable"] is True and receipt["rows"] == rows_of(value)
        self.acknowledge(place, value, receipt["generation"])

    def put_in_memory(self, client, place):
        """Removes what was durable there, and is itself gone with the process."""
        place.begin(ABSENT)
        value = self.next(place)
        where = {"sink": into(*place.path, tier="memory")}
        receipt = calls.put(client, where, table(value), {"sheaf-rows": rows_of(value)})
        self.acknowledge(place, ABSENT, receipt["generation"])
        # Moved to disk under pressure it may come back; this load makes none.

    def make(self, client, place):
        value = self.next(place)
        text = f"select {value}::bigint as n from range({rows_of(value)})"
        made = sql(text, sink=into(*place.path, reuse="never"))
        assert calls.get_at_once(client, made).num_rows == rows_of(value)
        self.acknowledge(place, value)

    def drop(self, client, place):
        place.begin(ABSENT)
        try:
            act_one(client, "DropFlight", {"path": place.path})
        except fl.FlightError as error:
            if isinstance(error, fl.FlightUnavailableError):
                raise
            assert calls.detail_of(error)["code"] == "NOT_FOUND"
        place.done(ABSENT)

    def read(self, flight):
        """Nothing partial is ever seen, whatever is written meanwhile."""
        chance = random.Random(1)
        with fl.FlightClient(flight) as client:
            while not self.over.is_set():
                place = chance.choice(self.places)
                try:
                    whole(calls.run(client, place.path)[1])
                except (fl.FlightError, pa.ArrowException) as error:
                    if isinstance(error, fl.FlightUnavailableError):
                        return
                    detail = calls.detail_of(error) if error.extra_info else {"code": "gone"}
                    if detail["code"] not in ("NOT_FOUND", "RESULT_GONE", "gone"):
                        self.wrong.append(error)
                except AssertionError as error:
                    self.wrong.append(error)
                    return

    # --- what must be true ---------------------------------------------------------------------

    def check(self, client):
        """After a restart: every path holds one of the values that it may, whole."""
        listed = {tuple(calls.told(each)["path"]): calls.told(each)
                  for each in calls.flights(client)}
        for place in self.places:
            record = listed.pop(tuple(place.path), None)
            found = ABSENT
            if record is not None:
                found = whole(calls.run(client, place.path)[1])
                assert record["tier"] == "disk", record
                self.newest = max(self.newest, record["generation"])
            assert found in place.may_be, f"{place.path}: {found} is none of {place.may_be}"
            place.done(found)
        assert not listed, f"nobody wrote {listed}"
        self.newest = max([self.newest, *self.generations])
        receipt = calls.put(client, ["kill", "probe"], table(1))
        assert receipt["generation"] > self.newest, f"{receipt} after {self.newest}"
        self.generations.add(receipt["generation"])
        act_one(client, "DropFlight", {"path": ["kill", "probe"]})


def whole(found):
    """The one value of a table that has all of its rows."""
    values = found["n"].unique().to_pylist()
    assert len(values) == 1, f"{len(values)} values in one flight"
    assert found.num_rows == rows_of(values[0]), f"{found.num_rows} rows of {values[0]}"
    return values[0]
