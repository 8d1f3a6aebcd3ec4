"""Fixtures: nodes of Sheaf for a test or a file of tests, data, and logs of what failed."""

import pathlib
import subprocess

import pytest

from node import ROOT, Node
from slow import Slow


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for node in Node.live[-3:]:
            report.sections.append((f"log of {node.directory.name}", node.log_tail()))
    return report


@pytest.fixture(scope="session")
def tpch():
    """The directory of the TPC-H tables at scale 0.1, made on the first call of all."""
    made = subprocess.run([ROOT / "tools/sample_data"], check=True, text=True,
                          stdout=subprocess.PIPE)
    return pathlib.Path(made.stdout.strip())


@pytest.fixture
def data(tmp_path):
    """A directory that the node of this test may read."""
    directory = tmp_path / "data"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture
def start(tmp_path, data):
    """Starts nodes of this test's own: start("name", setting=value); all must end well."""
    nodes = []

    def begin(name="node", roots=None, settings=None, **options):
        node = Node(tmp_path / name, roots=roots or [data], settings=settings, **options)
        nodes.append(node)
        return node.start()

    yield begin
    codes = {node.directory.name: node.close() for node in nodes}
    assert all(code == 0 for code in codes.values()), f"a node ended badly: {codes}"


@pytest.fixture
def node(start):
    """A node for one test."""
    return start()


@pytest.fixture
def client(node):
    with node.client() as client:
        yield client


@pytest.fixture(scope="module")
def shared_data(tmp_path_factory):
    """A directory that the node of this file may read, beside the TPC-H tables."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def shared(tmp_path_factory, shared_data, tpch):
    """One node for a whole file of tests, which must leave it well."""
    node = Node(tmp_path_factory.mktemp("shared"), roots=[tpch, shared_data]).start()
    yield node
    code = node.close()
    assert code == 0, f"the node of this file ended badly: {code}\n{node.log_tail()}"


@pytest.fixture
def ask(shared):
    """A client of the file's node; the node must outlive the test."""
    if not shared.running():
        shared.start()  # A test before this one failed by its death.
    with shared.client() as client:
        yield client
    assert shared.running(), "the node died"


@pytest.fixture(scope="module")
def slow(shared):
    """SQL for the file's node that takes as long as is asked for."""
    with shared.client() as client:
        yield Slow(client)
