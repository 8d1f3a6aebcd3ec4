"""A Cassandra of one node on loopback, from the jars that tools/test_heavy fetched."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

JARS = pathlib.Path(os.environ["SHEAF_CASSANDRA_JARS"])
# What Cassandra reaches into and Java 17 has closed.
OPENED = [f"java.base/{name}" for name in (
    "java.io", "java.lang", "java.lang.module", "java.lang.reflect", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.loader",
    "jdk.internal.math", "jdk.internal.module", "jdk.internal.ref", "jdk.internal.reflect",
    "jdk.internal.util.jar", "sun.nio.ch")] + ["jdk.management/com.sun.management.internal"]
EXPORTED = [
    "java.base/java.lang.ref", "java.base/jdk.internal.misc", "java.base/jdk.internal.ref",
    "java.base/jdk.internal.util.jar", "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server", "java.rmi/sun.rmi.transport.tcp", "java.sql/java.sql"]
CONFIGURATION = """\
cluster_name: sheaf
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
commitlog_sync: periodic
commitlog_sync_period: 10000ms
data_file_directories: [{place}/data]
commitlog_directory: {place}/commitlog
hints_directory: {place}/hints
saved_caches_directory: {place}/caches
cdc_raw_directory: {place}/cdc
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {inner}
native_transport_port: {port}
start_native_transport: true
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:{inner}"
"""


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class CassandraServer:
    """Started at once; `close` ends it and removes its files."""

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-cassandra-"))
        self.port, inner = free_ports(2)
        (self.place / "cassandra.yaml").write_text(
            CONFIGURATION.format(place=self.place, port=self.port, inner=inner))
        words = ["java", "-Xmx1g"]
        words += [word for name in OPENED for word in ("--add-opens", f"{name}=ALL-UNNAMED")]
        words += [word for name in EXPORTED for word in ("--add-exports", f"{name}=ALL-UNNAMED")]
        words += [f"-Dcassandra.config=file://{self.place}/cassandra.yaml",
                  f"-Dcassandra.storagedir={self.place}", "-Dcassandra-foreground=yes",
                  "-Djdk.attach.allowAttachSelf=true", "-Dcassandra.ring_delay_ms=0",
                  "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-cp", f"{JARS}/*",
                  "org.apache.cassandra.service.CassandraDaemon"]
        with (self.place / "log").open("wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.place, start_new_session=True)
        try:
            self.wait()
        except BaseException:
            self.close()
            raise

    def wait(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)  # Polling with a deadline.
        log = (self.place / "log").read_text(errors="replace")
        raise AssertionError("Cassandra does not start:\n" + log[-4000:])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)
