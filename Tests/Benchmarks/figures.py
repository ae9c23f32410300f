#!/usr/bin/env python3
"""Size, memory, start and request overhead of the release binary, in one run on this machine.

    EDGESERVE=.build/release/edgeserve python3 Tests/Benchmarks/figures.py
"""
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Acceptance"))
from harness import BINARY, FIXTURES, UnixConnection, memory, wait_for  # noqa: E402

HALF_PLUS_TWO = os.path.join(os.path.dirname(FIXTURES), "half_plus_two", "model.tflite")
DIGITS = os.path.join(FIXTURES, "v2", "model.tflite")


def mib(bytes):
    return f"{bytes / 2**20:.2f} MiB"


class Agent:
    def __init__(self, directory, *models):
        self.socket = os.path.join(directory, "data.sock")
        self.grpc_socket = os.path.join(directory, "grpc.sock")
        arguments = [argument for model in models for argument in ("--model", model)]
        self.process = subprocess.Popen(
            [BINARY, "run", *arguments, "--socket", self.socket, "--threads", "1",
             "--grpc-socket", self.grpc_socket,
             "--admin-socket", os.path.join(directory, "admin.sock"),
             "--state-dir", os.path.join(directory, "state")],
            stderr=subprocess.DEVNULL,
        )

    def ready(self, every=0.0005):
        def answers():
            try:
                return UnixConnection(self.socket, 5).ask("GET", "/v2/health/ready")[0] == 200
            except OSError:
                return False

        wait_for("the agent is ready", answers, 20, every)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def sizes(directory):
    stripped = os.path.join(directory, "stripped")
    subprocess.run(["strip", "-o", stripped, BINARY], check=True)
    print(f"binary {mib(os.path.getsize(BINARY))}, stripped {mib(os.path.getsize(stripped))}")


def resident(directory):
    for what, models in (("no model", ()), ("digits", (f"digits={DIGITS}",))):
        agent = Agent(directory, *models)
        agent.ready()
        time.sleep(3)
        total, anonymous, file = memory(agent.process.pid)
        print(f"RSS with {what}: {mib(total)}, anonymous {mib(anonymous)}, file {mib(file)}")
        agent.stop()


def start(directory, runs=20):
    shape = [1, 8, 8, 1]
    milliseconds = []
    for _ in range(runs):
        begun = time.monotonic()
        agent = Agent(directory, f"digits={DIGITS}")
        agent.ready()
        connection = UnixConnection(agent.socket)
        name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
        body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": [0] * 64}]}
        assert connection.ask("POST", "/v2/models/digits/infer", body)[0] == 200
        milliseconds.append((time.monotonic() - begun) * 1000)
        agent.stop()
    print(f"start to first answer: median {statistics.median(milliseconds):.1f} ms, "
          f"least {min(milliseconds):.1f}, most {max(milliseconds):.1f}, {runs} starts")


def delimited(field, payload):
    """A field of Protocol Buffers with a short payload."""
    assert len(payload) < 128
    return bytes([field << 3 | 2, len(payload)]) + payload


def overhead(directory):
    tool = os.path.join(directory, "socket_overhead")
    subprocess.run(["cc", "-O2", "-o", tool, os.path.join(HERE, "socket_overhead.c")], check=True)
    agent = Agent(directory, f"half={HALF_PLUS_TWO}")
    agent.ready()
    connection = UnixConnection(agent.socket)
    interface = connection.ask("GET", "/v2/models/half")[1]["inputs"][0]
    shape = [max(1, extent) for extent in interface["shape"]]
    bodies = {
        "OIP V2 JSON": ("/v2/models/half/infer", {"inputs": [
            {"name": interface["name"], "shape": shape, "datatype": "FP32", "data": [1.0]}]}),
        "TF Serving JSON": ("/v1/models/half:predict", {"instances": [[1.0]] if len(shape) > 1 else [1.0]}),
        "TF Serving JSON, 64 rows": ("/v1/models/half:predict",
            {"instances": [[0.5 + k / 64] if len(shape) > 1 else 0.5 + k / 64 for k in range(64)]}),
    }
    bodies = {what: (agent.socket, path, json.dumps(body).encode()) for what, (path, body) in bodies.items()}
    one = struct.pack("<f", 1.0)
    description = json.dumps({
        "inputs": [{"name": interface["name"], "shape": shape, "datatype": "FP32",
                    "parameters": {"binary_data_size": len(one)}}],
        "parameters": {"binary_data_output": True}}).encode()
    headers = {"OIP V2 binary": f"Inference-Header-Content-Length: {len(description)}"}
    bodies["OIP V2 binary"] = (agent.socket, "/v2/models/half/infer", description + one)
    extents = [1] * len(shape)
    bodies["OIP V2 gRPC"] = (
        agent.grpc_socket, "/inference.GRPCInferenceService/ModelInfer",
        delimited(1, b"half") + delimited(5, delimited(1, interface["name"].encode()) + delimited(2, b"FP32")
                                          + delimited(3, bytes(extents))) + delimited(7, one))
    dimensions = b"".join(delimited(2, b"\x08\x01") for _ in extents)
    tensor = b"\x08\x01" + delimited(2, dimensions) + delimited(4, one)
    bodies["TF Serving gRPC"] = (
        agent.grpc_socket, "/tensorflow.serving.PredictionService/Predict",
        delimited(1, delimited(1, b"half"))
        + delimited(2, delimited(1, interface["name"].encode()) + delimited(2, tensor)))
    for what, (socket, path, body) in bodies.items():
        file = os.path.join(directory, "body")
        with open(file, "wb") as f:
            f.write(body)
        for pinned in (False, True):
            arguments = [tool, socket, path, file, "25"] + (["--pin", "0"] if pinned else [])
            arguments += ["--header", headers[what]] if what in headers else []
            if pinned:
                subprocess.run(["taskset", "-apc", "0", str(agent.process.pid)], check=True, capture_output=True)
            else:
                everything = f"0-{os.cpu_count() - 1}"
                subprocess.run(["taskset", "-apc", everything, str(agent.process.pid)], check=True,
                               capture_output=True)
            figures = json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
            print(f"{what}{', one processor' if pinned else ''}: p50 {figures['agent_us']['p50']} us "
                  f"(p99 {figures['agent_us']['p99']}), bare echo {figures['echo_us']['p50']} us, "
                  f"over the echo {figures['overhead_us']} us")
    agent.stop()


print("load average " + " ".join(f"{x:.1f}" for x in os.getloadavg()))
with tempfile.TemporaryDirectory(prefix="edgeserve-figures-") as directory:
    sizes(directory)
    resident(directory)
    start(directory)
    overhead(directory)
