#!/usr/bin/env python3
"""A thousand swaps under the load of 16 connections, which ask as fast as they are answered, then loads of another model.

Half of the connections are of gRPC, where grpcio and tritonclient are installed, the others of HTTP, each in a process of
its own. Every reply must be exactly what the model of the version that it names answers. Resident memory after the last
swap is compared with that after the first tenth. Then a larger model is loaded and unloaded in every other second: the 99th
percentile of the seconds with loads is compared with that of the seconds without. Where other work shares the machine the
tail is theirs, and memory has not settled after a short run: both are judged with --strict.

usage: Tests/Acceptance/swaps.py [--swaps 1000] [--seconds 60] [--strict]    the defaults are for a short run
"""
import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import grpc
    from tritonclient.grpc import service_pb2, service_pb2_grpc
except ImportError:
    grpc = None
    print("SKIPPED gRPC: grpcio and tritonclient are not installed")

from harness import BINARY, FIXTURES, KINDS, UnixConnection, answers_of, golden, memory, wait_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--swaps", type=int, default=100)
parser.add_argument("--seconds", type=float, default=10, help="of the loads of another model")
parser.add_argument("--connections", type=int, default=16)
parser.add_argument("--other", help="the model that is loaded beside; a float32 one of the fixtures unless it is named")
parser.add_argument("--strict", action="store_true", help="judge memory and the tail as on a machine without other work")
options = parser.parse_args()
OTHER = options.other or os.path.join(os.path.dirname(FIXTURES), "digits_float", "model.tflite")
DRIFT_MAXIMUM, TAIL_MAXIMUM = (1.01, 1.3) if options.strict else (1.1, float("inf"))


class HTTPClient:
    def __init__(self, places):
        self.connection = UnixConnection(places["socket"])

    def infer(self, shape, values):
        body = {"inputs": [{"name": "image", "shape": shape, "datatype": "INT8", "data": values}]}
        status, reply = self.connection.ask("POST", "/v2/models/digits/infer", body)
        assert status == 200, f"{status}: {reply}"
        return int(reply["model_version"]), reply["outputs"][0]["data"]


class GRPCClient:
    def __init__(self, places):
        channel = grpc.insecure_channel("unix:" + places["grpc_socket"])
        self.stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)

    def infer(self, shape, values):
        request = service_pb2.ModelInferRequest(model_name="digits")
        tensor = request.inputs.add(name="image", datatype="INT8", shape=shape)
        tensor.contents.int_contents.extend(values)
        reply = self.stub.ModelInfer(request)
        return int(reply.model_version), list(reply.outputs[0].contents.int_contents)


def client(seed, places, inputs, expected, ended, results):
    """Asks until `ended`; gives failures, answers by version, and when each began and how long it took."""
    connection = (GRPCClient if grpc and seed % 2 else HTTPClient)(places)
    failures, seen, times, k = [], {}, [], seed
    while not ended.is_set():
        k = (k + 1) % len(inputs)
        begun = time.monotonic()
        try:
            version, answer = connection.infer(*inputs[k])
        except Exception as error:  # Any failure counts as a lost request.
            failures.append(repr(error))
            connection = (GRPCClient if grpc and seed % 2 else HTTPClient)(places)
            continue
        times.append((begun, time.monotonic() - begun))
        if answer != expected[version - 1][k]:
            failures.append(f"version {version} answered {answer}, not {expected[version - 1][k]}")
        seen[version] = seen.get(version, 0) + 1
    results.put((failures, seen, times))


def p99(values):
    return sorted(values)[int(0.99 * len(values))] if values else 0.0


class Runner:
    """What `answers_of` needs of a fleet."""

    def __init__(self, directory):
        self.directory = directory

    def run(self, *arguments):
        subprocess.run([BINARY, *arguments], check=True, capture_output=True, timeout=120)


def ready(places):
    try:
        return UnixConnection(places["socket"], 5).ask("GET", "/v2/health/ready")[0] == 200
    except OSError:
        return False


def start(directory):
    models = {name: os.path.join(directory, name) for name in ("digits", "other")}
    for number, kind in enumerate(KINDS, 1):
        os.makedirs(os.path.join(models["digits"], str(number)))
        target = os.path.join(models["digits"], str(number))
        shutil.copy(os.path.join(FIXTURES, kind, "model.tflite"), target)
    os.makedirs(os.path.join(models["other"], "1"))
    shutil.copy(OTHER, os.path.join(models["other"], "1", "model.tflite"))
    names = ("socket", "grpc_socket", "admin_socket")
    places = {name: os.path.join(directory, name + ".sock") for name in names}
    config = os.path.join(directory, "edgeserve.json")
    with open(config, "w") as file:
        settings = {"state_dir": os.path.join(directory, "state"), "memory_budget": "256MiB", "queue_depth": 1024}
        json.dump({**places, **settings, "models": models}, file)
    log = open(os.path.join(directory, "log"), "w")
    agent = subprocess.Popen([BINARY, "run", "--config", config], stdout=log, stderr=log)
    wait_for("the models serve", lambda: ready(places), 30)
    return agent, places


def main(directory):
    inputs = [(shape, values) for shape, values, _ in golden("v1")]
    expected = [answers_of(Runner(directory), kind, inputs) for kind in KINDS]
    agent, places = start(directory)
    context = multiprocessing.get_context("spawn")
    ended, results = context.Event(), context.Queue()
    arguments = (places, inputs, expected, ended, results)
    clients = [context.Process(target=client, args=(seed, *arguments)) for seed in range(options.connections)]
    try:
        for process in clients:
            process.start()
        time.sleep(2)
        admin = UnixConnection(places["admin_socket"], 60)

        def ask(action, body=None):
            status, reply = admin.ask("POST", f"/models/{action}", body or {})
            assert status == 200, f"{action}: {status} {reply}"

        rss, begun = [], time.monotonic()
        for swap in range(options.swaps):
            ask("digits/pin", {"version": swap % len(KINDS) + 1})
            if (swap + 1) % max(1, options.swaps // 10) == 0:
                rss.append(memory(agent.pid)[0])
        seconds = time.monotonic() - begun
        slices = loads(ask)
    finally:
        ended.set()
        gathered = [results.get(timeout=60) for process in clients if process.pid]
        for process in clients:
            process.join()
        agent.terminate()
        agent.wait(15)
    return judge(rss, seconds, slices, gathered)


def loads(ask):
    """Loads another model again and again in every other second; when each second was, and how many loads it had."""
    slices, end = [], time.monotonic() + options.seconds
    while time.monotonic() < end:
        for is_loading in (False, True):
            begun, count = time.monotonic(), 0
            while time.monotonic() - begun < 1:
                if is_loading:
                    ask("other/unload")
                    ask("other/load")
                    count += 1
                else:
                    time.sleep(0.05)
            slices.append((begun, time.monotonic(), count))
    return slices


def judge(rss, seconds, slices, gathered):
    failures = [failure for part in gathered for failure in part[0]]
    versions = sorted({version for part in gathered for version in part[1]})
    times = sorted(entry for part in gathered for entry in part[2])
    tails = []
    for is_loading in (False, True):
        chosen = [span for span in slices if (span[2] > 0) == is_loading]
        tails.append(p99([took for begun, took in times if any(a <= begun < b for a, b, _ in chosen)]))
    drift, tail = rss[-1] / rss[0], tails[1] / max(tails[0], 1e-9)
    print(
        f"{options.swaps} swaps in {seconds:.1f} s beside {len(times)} requests of {options.connections} connections, "
        f"{len(failures)} failed or mixed, answers of versions {versions}; RSS {rss[0] / 2**20:.2f} to "
        f"{rss[-1] / 2**20:.2f} MiB ({(drift - 1) * 100:+.2f} %); p99 {tails[0] * 1e3:.2f} ms, during "
        f"{sum(span[2] for span in slices)} loads of another model {tails[1] * 1e3:.2f} ms ({tail:.2f} times)"
    )
    for failure in failures[:5]:
        print("  " + failure)
    checks = {
        "no request failed or was mixed": not failures and len(times) > options.swaps,
        "every version answered": versions == list(range(1, len(KINDS) + 1)),
        "memory does not drift": drift <= DRIFT_MAXIMUM,
        "loads leave the tail": tail <= TAIL_MAXIMUM,
    }
    for name, holds in checks.items():
        if not holds:
            print(f"NOT SO: {name}")
    return all(checks.values())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="edgeserve-swaps-") as scratch:
        passed = main(scratch)
    sys.exit(0 if passed else 1)
