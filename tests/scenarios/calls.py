"""Commands, descriptors and errors as a stock client writes and reads them."""

import contextlib
import dataclasses
import json

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from node import eventually

ERROR_BYTES_MAX = 2048
CALL_S = 60

# The table of the contract, section 6: number, retry, gRPC code, exception of pyarrow.
ERRORS = {
    "INVALID": (100, "no", 3, fl.FlightInternalError),
    "UNKNOWN_SERVICE": (101, "no", 3, fl.FlightInternalError),
    "MISPLACED": (102, "other", 14, fl.FlightUnavailableError),
    "INVALID_TICKET": (103, "no", 3, fl.FlightInternalError),
    "NOT_FOUND": (104, "no", 5, fl.FlightInternalError),
    "CONFLICT": (105, "no", 6, fl.FlightInternalError),
    "UNSUPPORTED": (106, "no", 12, fl.FlightInternalError),
    "FAILED": (200, "no", 13, fl.FlightInternalError),
    "CANCELLED": (201, "no", 1, fl.FlightCancelledError),
    "DEADLINE": (202, "no", 4, fl.FlightTimedOutError),
    "RESULT_GONE": (203, "here", 5, fl.FlightInternalError),
    "POLL": (300, "here", 4, fl.FlightTimedOutError),
    "BACKPRESSURE": (301, "any", 14, fl.FlightUnavailableError),
    "EXHAUSTED": (302, "no", 8, fl.FlightInternalError),
    "UNAUTHENTICATED": (400, "no", 16, fl.FlightUnauthenticatedError),
    "FORBIDDEN": (401, "no", 7, fl.FlightUnauthorizedError),
    "INTERNAL": (500, "other", 13, fl.FlightInternalError),
    "NOT_READY": (501, "any", 14, fl.FlightUnavailableError),
    "SHUTTING_DOWN": (502, "other", 14, fl.FlightUnavailableError),
    "DEPENDENCY": (503, "any", 14, fl.FlightUnavailableError),
    "CORRUPT": (504, "other", 15, fl.FlightInternalError),
}
KEYS = {"code", "number", "retry", "effect", "message", "details"}


# --- commands -----------------------------------------------------------------------------------

def command(service, spec=None, inputs=None, sink=None, **options):
    """A JSON command; what is not given is not written."""
    parts = {"service": service, "spec": spec, "inputs": inputs, "sink": sink,
             "options": options or None}
    return {key: value for key, value in parts.items() if value is not None}


def sql(text, inputs=None, params=None, sink=None, **options):
    spec = {"sql": text} if params is None else {"sql": text, "params": params}
    return command("sql", spec, inputs, sink, **options)


def files(uri, sink=None, **spec):
    return command("files", {"uri": str(uri), **spec}, sink=sink)


def into(*path, **more):
    """A sink."""
    return {"path": list(path), **more}


def by(what):
    """The descriptor of a command (dict, bytes) or of a path (list, tuple)."""
    if isinstance(what, fl.FlightDescriptor):
        return what
    if isinstance(what, bytes):
        return fl.FlightDescriptor.for_command(what)
    if isinstance(what, dict):
        return fl.FlightDescriptor.for_command(json.dumps(what))
    return fl.FlightDescriptor.for_path(*what)


def options(headers=None, timeout=None, **more):
    """A call that hangs becomes an exception of its test, not the end of all of them."""
    pairs = [(key.encode(), str(value).encode()) for key, value in (headers or {}).items()]
    return fl.FlightCallOptions(timeout=timeout or CALL_S, headers=pairs, **more)


def info(client, what, headers=None, timeout=None):
    return client.get_flight_info(by(what), options(headers, timeout))


def told(flight_info):
    """What FlightInfo says beside its endpoints."""
    return json.loads(flight_info.app_metadata)


def read(client, flight_info, headers=None, timeout=None):
    """All endpoints of a FlightInfo as one table."""
    tables = [client.do_get(endpoint.ticket, options(headers, timeout)).read_all()
              for endpoint in flight_info.endpoints]
    return pa.concat_tables(tables)


def run(client, what, headers=None, timeout=None):
    """What FlightInfo says, and the result as a table."""
    answer = info(client, what, headers, timeout)
    return told(answer), read(client, answer, headers, timeout)


def rows(client, what, **more):
    """The result as a list of rows."""
    return run(client, what, **more)[1].to_pylist()


def one(client, what, **more):
    """The only value of the result."""
    (row,) = rows(client, what, **more)
    (value,) = row.values()
    return value


def ticket(what):
    """A JSON ticket: one round trip."""
    return fl.Ticket(what if isinstance(what, bytes) else json.dumps(what).encode())


def get_at_once(client, what, headers=None, timeout=None):
    return client.do_get(ticket(what), options(headers, timeout)).read_all()


def put(client, where, table, headers=None, chunk_rows=None, **more):
    """Uploads a table and returns the receipt."""
    writer, receipts = client.do_put(by(where), table.schema, options(headers, **more))
    with writer:
        writer.write_table(table, chunk_rows)
        writer.done_writing()
        return json.loads(receipts.read().to_pybytes())


def act(client, name, body=None):
    """The results of an action, each parsed."""
    sent = json.dumps(body).encode() if isinstance(body, dict) else body or b""
    results = client.do_action((name, sent), options())
    return [json.loads(result.body.to_pybytes()) for result in results]


def act_one(client, name, body=None):
    (result,) = act(client, name, body)
    return result


def tasks(client, **wanted):
    """The caller's tasks with these facts."""
    return [task for task in act(client, "ListTasks")
            if all(task.get(key) == value for key, value in wanted.items())]


def flights(client, criteria=b"", own=False):
    """What ListFlights says; the server's own flights, its tables, only if they are wanted."""
    sent = json.dumps(criteria).encode() if isinstance(criteria, dict) else criteria
    return [flight for flight in client.list_flights(sent)
            if own or not told(flight).get("own")]


def paths(client, criteria=b"", own=False):
    return [[part.decode() for part in flight.descriptor.path]
            for flight in flights(client, criteria, own)]


# --- errors -------------------------------------------------------------------------------------

@dataclasses.dataclass
class Refusal:
    """An error as pyarrow gives it."""

    error: Exception = None
    detail: dict = None

    @property
    def message(self):
        return self.detail["message"]

    @property
    def details(self):
        return self.detail["details"]


def detail_of(error):
    """The JSON detail of an exception, checked against the contract's table."""
    raw = getattr(error, "extra_info", None)
    assert raw, f"no detail: {type(error).__name__}: {error}"
    assert len(raw) <= ERROR_BYTES_MAX, f"a detail of {len(raw)} bytes"
    detail = json.loads(raw.decode())
    assert KEYS <= detail.keys() <= KEYS | {"after_ms"}, detail
    assert isinstance(detail["details"], dict) and detail["message"], detail
    assert detail["effect"] in ("none", "unknown"), detail
    number, retry, _, kind = ERRORS[detail["code"]]
    assert (detail["number"], detail["retry"]) == (number, retry), detail
    assert type(error) is kind, f"{detail['code']} reached pyarrow as {type(error).__name__}"
    return detail


@contextlib.contextmanager
def refused(code, effect="none", says=()):
    """The block must raise this error; every text of `says` must stand in its message."""
    refusal = Refusal()
    with pytest.raises((fl.FlightError, pa.ArrowException)) as caught:
        yield refusal
    refusal.error, refusal.detail = caught.value, detail_of(caught.value)
    assert refusal.detail["code"] == code, refusal.detail
    assert refusal.detail["effect"] == effect, refusal.detail
    for text in [says] if isinstance(says, str) else says:
        assert text in refusal.message, refusal.detail


# --- tasks --------------------------------------------------------------------------------------

def task_of(client, flight_info_or_id):
    """The Task of a FlightInfo or an id, as it is now."""
    task = flight_info_or_id
    if not isinstance(task, str):
        task = told(task)["task"]
    return act_one(client, "GetTask", {"task": task})


def ended(client, flight_info_or_id, timeout_s=10):
    """The Task once it runs no longer: a stream may end a moment before its task is closed."""
    def look():
        task = task_of(client, flight_info_or_id)
        return task if task["state"] not in ("queued", "executing") else None

    return eventually(look, timeout_s, what="the end of the task")
