#!/usr/bin/env python3
"""10,000 requests from 8 connections while five versions arrive over MQTT and are swapped in.

Half of the connections are of gRPC, where grpcio and tritonclient are installed, the others of HTTP. Every reply must
be exactly what the model of the version that it names answers.
RSS after the last swap is compared with RSS after the first.
"""
import argparse
import itertools
import os
import sys
import threading
import time

try:
    import grpc
    from tritonclient.grpc import service_pb2, service_pb2_grpc
except ImportError:
    grpc = None
    print("SKIPPED gRPC: grpcio and tritonclient are not installed")

from harness import KINDS, Fleet, UnixConnection, answers_of, golden, kind_of, memory

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--requests", type=int, default=10_000)
parser.add_argument("--connections", type=int, default=8)
parser.add_argument("--versions", type=int, default=5)
options = parser.parse_args()

# Every model answers the same inputs.
inputs = [(shape, values) for shape, values, _ in golden("v1")]


class HTTPClient:
    """Asks over HTTP; every failure is an exception."""

    def __init__(self, fleet, name):
        self.connection, self.name = UnixConnection(fleet.socket), name

    def infer(self, shape, values):
        """The version that answered, and its answer."""
        body = {"inputs": [{"name": self.name, "shape": shape, "datatype": "INT8", "data": values}]}
        status, reply = self.connection.ask("POST", "/v2/models/digits/infer", body)
        assert status == 200, f"{status}: {reply}"
        return int(reply["model_version"]), reply["outputs"][0]["data"]


class GRPCClient:
    """The same over gRPC."""

    def __init__(self, fleet, name):
        # A channel of its own, not one that grpcio shares between those of one address.
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel("unix:" + fleet.grpc_socket, options=options)
        self.stub, self.name = service_pb2_grpc.GRPCInferenceServiceStub(channel), name

    def infer(self, shape, values):
        request = service_pb2.ModelInferRequest(model_name="digits")
        tensor = request.inputs.add(name=self.name, datatype="INT8", shape=shape)
        tensor.contents.int_contents.extend(values)
        reply = self.stub.ModelInfer(request)
        return int(reply.model_version), list(reply.outputs[0].contents.int_contents)


def main(fleet):
    bundles = {kind: fleet.pack(kind) for kind in KINDS}
    expected = {kind: answers_of(fleet, kind, inputs) for kind in KINDS}
    pairs = list(itertools.combinations(KINDS, 2))
    telling = [k for k in range(len(inputs)) if any(expected[a][k] != expected[b][k] for a, b in pairs)]
    for a, b in pairs:
        assert any(expected[a][k] != expected[b][k] for k in telling), f"{a} and {b} answer alike"

    fleet.publish(bundles["v1"], 1)
    agent = fleet.start_agent()
    fleet.wait_serving(1)
    lock = threading.Lock()
    remaining, failures, seen = [options.requests], [], {}
    swapping = threading.Event()

    def client(seed):
        kind_of_client = GRPCClient if grpc and seed % 2 else HTTPClient
        connection = kind_of_client(fleet, name)
        k = seed
        while True:
            with lock:
                # Requests go on while versions are still being swapped in.
                if remaining[0] <= 0 and not swapping.is_set():
                    return
                remaining[0] -= 1
            k = (k + 1) % len(telling)
            index = telling[k]
            shape, values = inputs[index]
            try:
                version, answer = connection.infer(shape, values)
            except Exception as error:  # Any failure counts as a lost request.
                with lock:
                    failures.append(repr(error))
                connection = kind_of_client(fleet, name)
                continue
            with lock:
                kind = kind_of(version)
                if answer != expected[kind][index]:
                    failures.append(f"version {version} answered {answer}, not {expected[kind][index]}")
                seen[version] = seen.get(version, 0) + 1

    connection = UnixConnection(fleet.socket)
    name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
    swapping.set()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(options.connections)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    rss = []
    for version in range(2, options.versions + 2):
        time.sleep(0.3)
        fleet.publish(bundles[kind_of(version)], version)
        fleet.wait_serving(version)
        rss.append(memory(agent.pid))
    swapping.clear()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    time.sleep(1)
    rss.append(memory(agent.pid))
    total = sum(seen.values()) + len(failures)
    print(
        f"{total} requests in {seconds:.1f} s, {len(failures)} failed; by version "
        f"{dict(sorted(seen.items()))}; RSS MiB after each swap "
        + " ".join(f"{r[0] / 2**20:.2f} (anon {r[1] / 2**20:.2f})" for r in rss)
    )
    for failure in failures[:5]:
        print("  " + failure)
    growth = rss[-1][0] / rss[0][0]
    return not failures and total >= options.requests and growth < 1.1 and len(seen) == options.versions + 1


with Fleet() as fleet:
    passed = main(fleet)
sys.exit(0 if passed else 1)
