"""Tables that hold every type of Arrow: plain, nested, empty, sliced and full of nulls."""

import datetime
import decimal

import numpy as np
import pyarrow as pa

NOW = datetime.datetime(2026, 3, 1, 12, 30, 15, 123456)
DAY = datetime.date(2026, 3, 1)
TIME = datetime.time(23, 59, 59, 999999)
SPAN = datetime.timedelta(days=1, microseconds=7)


def plain():
    """{name: array of values with nulls among them}."""
    arrays = {"null": pa.nulls(4)}
    values = {
        pa.bool_(): [True, None, False, True],
        pa.float16(): np.array([0.5, -1.0, 65504.0, 0.0], np.float16),
        pa.date32(): [DAY, None, datetime.date(1900, 1, 1), DAY],
        pa.date64(): [DAY, None, datetime.date(1900, 1, 1), DAY],
        pa.binary(): [b"", None, b"\0\xff", b"x" * 300],
        pa.large_binary(): [b"", None, b"\0\xff", b"x" * 300],
        pa.binary_view(): [b"", None, b"in the view", b"beside the view, because it is long"],
        pa.string(): ["", None, "äöü €", "x" * 300],
        pa.large_string(): ["", None, "äöü €", "x" * 300],
        pa.string_view(): ["", None, "short", "a text of more than twelve bytes"],
        pa.binary(3): [b"abc", None, b"\0\0\0", b"xyz"],
        pa.month_day_nano_interval(): [(1, 2, 3), None, (-1, -2, -3), (0, 0, 0)],
        pa.decimal32(5, 2): [decimal.Decimal("1.25"), None, decimal.Decimal("-999.99")] + [None],
        pa.decimal64(15, 2): [decimal.Decimal("1.25"), None, decimal.Decimal("-9e9")] + [None],
        pa.decimal128(38, 9): [decimal.Decimal("1.25"), None, decimal.Decimal("-9e20")] + [None],
        pa.decimal256(76, 9): [decimal.Decimal("1.25"), None, decimal.Decimal("-9e60")] + [None],
    }
    for bits in (8, 16, 32, 64):
        signed, unsigned = getattr(pa, f"int{bits}")(), getattr(pa, f"uint{bits}")()
        values[signed] = [-(2 ** (bits - 1)), None, 0, 2 ** (bits - 1) - 1]
        values[unsigned] = [0, None, 1, 2**bits - 1]
    for real in (pa.float32(), pa.float64()):
        values[real] = [1.5, None, float("inf"), -0.0]
    for unit in ("s", "ms", "us", "ns"):
        values[pa.timestamp(unit)] = [0, None, -1, 2**31]
        values[pa.timestamp(unit, "Europe/Berlin")] = [0, None, -1, 2**31]
        values[pa.duration(unit)] = [0, None, -1, 2**31]
    for unit in ("s", "ms"):
        values[pa.time32(unit)] = [0, None, 1, 86399]
    for unit in ("us", "ns"):
        values[pa.time64(unit)] = [0, None, 1, 86399]
    return arrays | {str(kind): pa.array(of, kind) for kind, of in values.items()}


def dictionaries():
    arrays = {}
    for index in (pa.int8(), pa.uint8(), pa.int32(), pa.uint32(), pa.int64()):
        codes = pa.array([0, None, 2, 0], index)
        arrays[f"dictionary of {index}"] = pa.DictionaryArray.from_arrays(codes, ["a", "b", "cc"])
    codes = pa.array([1, 0, None, 1], pa.int16())
    arrays["dictionary ordered"] = pa.DictionaryArray.from_arrays(codes, [1.5, 2.5], ordered=True)
    arrays["dictionary of nulls"] = pa.DictionaryArray.from_arrays(
        codes, pa.array(["a", None]))
    arrays["dictionary of lists"] = pa.DictionaryArray.from_arrays(
        codes, pa.array([[1, 2], []], pa.list_(pa.int8())))
    arrays["dictionary empty"] = pa.DictionaryArray.from_arrays(
        pa.nulls(4, pa.int8()), pa.array([], pa.string()))
    return arrays


def nested():
    some = [[1, 2], None, [], [None, 3]]
    arrays = {
        "list": pa.array(some, pa.list_(pa.int32())),
        "large list": pa.array(some, pa.large_list(pa.int32())),
        "list view": pa.array(some, pa.list_view(pa.int32())),
        "large list view": pa.array(some, pa.large_list_view(pa.int32())),
        "fixed list": pa.array([[1, 2], None, [3, None], [4, 5]], pa.list_(pa.int32(), 2)),
        "list of views": pa.array([["a"], None, [], ["b" * 40, None]], pa.list_(pa.string_view())),
        "map": pa.array([[("a", 1)], None, [], [("b", None)]], pa.map_(pa.string(), pa.int64())),
        "map sorted": pa.array([[("a", [1])], None, [], [("b", None)]],
                               pa.map_(pa.string(), pa.list_(pa.int8()), keys_sorted=True)),
        "struct": pa.array([{"x": 1, "y": ["a"]}, None, {"x": None, "y": None}, {"x": 2, "y": []}],
                           pa.struct([("x", pa.int8()), ("y", pa.list_(pa.string()))])),
        "struct empty": pa.array([{}, None, {}, {}], pa.struct([])),
        "struct not null": pa.array([{"x": 1}] * 4, pa.struct([pa.field("x", pa.int8(), False)])),
    }
    deep = pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.large_list(pa.decimal128(9, 2))))]))
    arrays["deep"] = pa.array([[{"m": [("k", [decimal.Decimal("1.00")])]}], None, [], [None]], deep)
    kinds = pa.array([0, 1, 0, 1], pa.int8())
    arrays["union dense"] = pa.UnionArray.from_dense(
        kinds, pa.array([0, 0, 1, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a", "b"])])
    arrays["union sparse"] = pa.UnionArray.from_sparse(
        kinds, [pa.array([1, 2, 3, 4]), pa.array(["a", "b", "c", "d"])], ["i", "s"], [0, 1])
    arrays["run ends"] = pa.RunEndEncodedArray.from_arrays(pa.array([1, 3, 4], pa.int32()),
                                                           pa.array(["a", None, "b"]))
    arrays["run ends of 16 bits"] = pa.RunEndEncodedArray.from_arrays(
        pa.array([2, 4], pa.int16()), pa.array([1.5, 2.5]))
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, None], pa.int8()), ["x", "y"])
    arrays["list of dictionaries"] = pa.ListArray.from_arrays(pa.array([0, 1, 1, 3, 4]), codes)
    arrays["struct of dictionary"] = pa.StructArray.from_arrays([codes], ["d"])
    return arrays


def extensions():
    ids = pa.array([b"0123456789abcdef", None, b"\0" * 16, b"\xff" * 16], pa.binary(16))
    tensor = pa.fixed_shape_tensor(pa.int32(), [2])
    storage = pa.array([[1, 2], [3, 4], [5, 6], [7, 8]], pa.list_(pa.int32(), 2))
    return {
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), ids),
        "json": pa.ExtensionArray.from_storage(
            pa.json_(), pa.array(['{"a": 1}', None, "[]", "null"])),
        "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None, 1], pa.int8())),
        "opaque": pa.ExtensionArray.from_storage(
            pa.opaque(pa.binary(), "geometry", "database"), pa.array([b"x", None, b"", b"y"])),
        "tensor": pa.ExtensionArray.from_storage(tensor, storage),
    }


GROUPS = {"plain": plain, "dictionaries": dictionaries, "nested": nested, "extensions": extensions}


def table(group):
    """A group's arrays as columns, with metadata on schema and fields."""
    arrays = GROUPS[group]()
    fields = [pa.field(name, array.type, metadata={"of": name.encode(), "\0": b"\xff\0"})
              for name, array in arrays.items()]
    schema = pa.schema(fields, metadata={"group": group, "empty": "", "utf-8": "ä"})
    return pa.Table.from_arrays(list(arrays.values()), schema=schema)


def shapes(of):
    """The table whole, sliced in odd places, in several batches, without rows, with nulls only."""
    batch = of.combine_chunks().to_batches()[0]
    many = [batch, batch.slice(1, 2), batch.slice(3), batch.slice(0, 0), batch]
    return {
        "whole": of,
        "sliced": pa.Table.from_batches([batch.slice(1, 2)]),
        "tail": pa.Table.from_batches([batch.slice(3)]),
        "batches": pa.Table.from_batches(many),
        "no rows": of.slice(0, 0),
        "no batches": pa.Table.from_batches([], of.schema),
    }
