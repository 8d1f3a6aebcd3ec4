"""PLAN  the 22 queries of TPC-H at scale 0.1, as commands over Parquet files and over uploaded
flights,
answer what an independent engine answers on the same files.
"""

import datetime
import decimal
import math
import re

import datafusion
import pyarrow.parquet as pq
import pytest

import calls
from calls import files, one, run, sql
from node import ROOT

QUERIES = ROOT / "sheaf/services/sql/tpch"
NUMBERS = range(1, 23)
TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
REAL = (float, decimal.Decimal)


def text_of(number):
    return (QUERIES / f"q{number:02}.sql").read_text()


def tables_of(text):
    return [table for table in TABLES if re.search(rf"\b{table}\b", text)]


def ordered_fully(text):
    """Whether the query says an order at its end; ties are settled by the comparison."""
    return "order by" in text.rsplit(")", 1)[-1].lower()


# --- comparing ----------------------------------------------------------------------------------

def same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, REAL) or isinstance(b, REAL):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=0.01 * (abs(float(b)) < 1e4) * 1e-4)
    if isinstance(a, datetime.datetime):
        a = a.date()
    if isinstance(b, datetime.datetime):
        b = b.date()
    return str(a).rstrip() == str(b).rstrip()


def rounded(row):
    """A key that puts equal rows of two engines next to each other."""
    return [f"{float(value):.4g}" if isinstance(value, (int, *REAL)) else str(value)
            for value in row]


def values(table):
    return [tuple(row) for row in zip(*(column.to_pylist() for column in table.columns))]


def assert_equal(got, wanted, text):
    mine, theirs = values(got), values(wanted)
    assert len(mine) == len(theirs) and got.num_columns == wanted.num_columns
    if not ordered_fully(text):
        mine, theirs = sorted(mine, key=rounded), sorted(theirs, key=rounded)
    wrong = [(a, b) for a, b in zip(mine, theirs) if not all(map(same, a, b))]
    assert not wrong, f"{len(wrong)} of {len(mine)} rows differ, the first: {wrong[0]}"


# --- the two engines ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def oracle(tpch):
    context = datafusion.SessionContext()
    for table in TABLES:
        context.register_parquet(table, str(tpch / f"{table}.parquet"))
    return {number: context.sql(text_of(number)).to_arrow_table() for number in NUMBERS}


@pytest.fixture(scope="module")
def uploaded(shared, tpch):
    with shared.client() as client:
        for table in TABLES:
            calls.put(client, ["tpch", table], pq.read_table(tpch / f"{table}.parquet"))


@pytest.mark.parametrize("number", NUMBERS)
def test_query_over_parquet_files_equals_the_oracle(ask, oracle, number):
    text = text_of(number)
    inputs = {table: files(f"{table}.parquet") for table in tables_of(text)}
    answer, got = run(ask, sql(text, inputs))
    assert answer["hit"] is False
    assert_equal(got, oracle[number], text)


@pytest.mark.parametrize("number", NUMBERS)
def test_query_over_flights_equals_the_oracle(ask, oracle, uploaded, number):
    text = text_of(number)
    inputs = {table: {"path": ["tpch", table]} for table in tables_of(text)}
    assert_equal(run(ask, sql(text, inputs))[1], oracle[number], text)


def test_files_with_pushed_down_columns_and_filters_equal_the_oracle(ask, tpch):
    context = datafusion.SessionContext()
    context.register_parquet("lineitem", str(tpch / "lineitem.parquet"))
    wanted = context.sql("select count(*) as n, sum(l_extendedprice) as s from lineitem where "
                         "l_quantity < 24 and l_shipmode in ('AIR', 'RAIL')").to_pylist()[0]
    pushed = files("lineitem.parquet", columns=["l_extendedprice"],
                   filter=[["l_quantity", "<", 24], ["l_shipmode", "in", ["AIR", "RAIL"]]])
    table = run(ask, pushed)[1]
    assert table.column_names == ["l_extendedprice"] and table.num_rows == wanted["n"]
    asked = sql("select sum(l_extendedprice) as s from t", {"t": pushed})
    assert one(ask, asked) == wanted["s"]
