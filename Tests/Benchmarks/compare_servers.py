#!/usr/bin/env python3
"""Answers a second at 1, 8 and 64 connections, of a trivial model and of a larger one, beside servers that a user would write:
FastAPI with LiteRT, LitServe and MLServer, with one worker and one thread each, in the same run and turn by turn. Every
server answers the same numbers as JSON; this one in the forms of both protocols. By hand, for it needs a virtual
environment with fastapi, uvicorn, httptools, uvloop, litserve, mlserver, ai-edge-litert and numpy; one that cannot start is
left out, and said to be. With --io-threads and --instances this one is set up so, beside itself with one of each.

usage: EDGESERVE=.build/release/edgeserve Tests/Benchmarks/compare_servers.py PYTHON [--model FILE] [--rounds N] [--seconds S]
           [--io-threads N] [--instances N]
"""

import argparse
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("EDGESERVE", str(PROJECT / ".build/release/edgeserve"))
TRIVIAL = str(PROJECT / "Tests/Fixtures/half_plus_two/model.tflite")
CONNECTIONS = (1, 8, 64)
START_SECONDS = 90

INTERPRETER = '''
import numpy
from ai_edge_litert.interpreter import Interpreter

class Model:
    def __init__(self, path):
        self.interpreter = Interpreter(model_path=path, num_threads=1)
        self.interpreter.allocate_tensors()
        self.first, self.last = self.interpreter.get_input_details()[0], self.interpreter.get_output_details()[0]

    def __call__(self, numbers):
        array = numpy.array(numbers, self.first["dtype"]).reshape(self.first["shape"])
        self.interpreter.set_tensor(self.first["index"], array)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.last["index"]).ravel().tolist()
'''
FASTAPI = '''
import sys, threading
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from common import Model

model, lock, app = Model(sys.argv[1]), threading.Lock(), FastAPI()

class Body(BaseModel):
    data: list[float]

@app.post("/predict")
def predict(body: Body):
    with lock:
        return {"output": model(body.data)}

uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
'''
LITSERVE = '''
import sys
import litserve
from common import Model

class API(litserve.LitAPI):
    def setup(self, device): self.model = Model(sys.argv[1])
    def decode_request(self, request): return request["data"]
    def predict(self, numbers): return self.model(numbers)
    def encode_response(self, output): return {"output": output}

if __name__ == "__main__":
    server = litserve.LitServer(API(), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), log_level="error", generate_client_file=False)
'''
MLSERVER = '''
import asyncio, sys
import mlserver
from mlserver.codecs import NumpyCodec
from common import Model

class Runtime(mlserver.MLModel):
    async def load(self):
        self.model = Model(self.settings.parameters.uri)
        return True

    async def predict(self, payload):
        output = self.model(payload.inputs[0].data.root)
        tensor = mlserver.types.ResponseOutput(name="output", shape=[1, len(output)], datatype="FP32", data=output)
        return mlserver.types.InferenceResponse(model_name=self.name, outputs=[tensor])

async def main():
    settings = mlserver.Settings(
        http_port=int(sys.argv[2]), grpc_port=int(sys.argv[2]) + 1, metrics_endpoint=None, parallel_workers=0, host="127.0.0.1",
        debug=False)
    server = mlserver.MLServer(settings)
    parameters = mlserver.settings.ModelParameters(uri=sys.argv[1])
    await server.start([mlserver.ModelSettings(name="m", implementation=Runtime, parameters=parameters)])

asyncio.run(main())
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def connected(place):
    """To a Unix socket by its path, or to a port."""
    if place.startswith("/"):
        return UnixConnection(place)
    return http.client.HTTPConnection("127.0.0.1", int(place), timeout=10)


def request(path, body):
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Server:
    """One that runs: where it listens, and the requests that it is asked."""

    def __init__(self, name, command, place, requests, directory):
        self.name, self.place, self.requests = name, place, requests
        self.log = open(os.path.join(directory, name + ".log"), "w")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, cwd=directory, start_new_session=True)

    def answers(self):
        """Waits for the first answer; false when there is none."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                head, body = self.requests[0][1].split(b"\r\n\r\n", 1)
                path = head.split()[1].decode()
                connection = connected(self.place)
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                if reply.status == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.2)
        return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        try:
            # Some leave their workers behind.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def interface(model):
    """Name, type and shape of the model's first input."""
    text = subprocess.run([PROGRAM, "inspect", model, "--json"], check=True, capture_output=True, text=True).stdout
    tensor = json.loads(text)["inputs"][0]
    return tensor["name"], {"int8": "INT8", "float32": "FP32", "uint8": "UINT8"}[tensor["type"]], tensor["shape"]


def nested(numbers, shape):
    if len(shape) <= 1:
        return numbers
    size = len(numbers) // shape[0]
    return [nested(numbers[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]


def served_name(command, place):
    """The name of the first input, which a signature may change."""
    agent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            time.sleep(0.05)
            try:
                connection = UnixConnection(place)
                connection.request("GET", "/v2/models/m")
                reply = connection.getresponse()
                text = reply.read()
            except OSError:
                continue
            if reply.status == 200:
                return json.loads(text)["inputs"][0]["name"]
        raise AssertionError("the agent does not answer")
    finally:
        agent.terminate()
        agent.wait(15)


def edgeserve(name, requests, directory, sock, config):
    return Server(name, [PROGRAM, "run", "--config", config], sock, requests, directory)


def configured(model, directory, io_threads, instances):
    """The socket and the configuration file of an agent that is set up so."""
    place = os.path.join(directory, f"{io_threads}-{instances}")
    os.mkdir(place)
    sock, config = os.path.join(place, "data.sock"), os.path.join(place, "edgeserve.json")
    pathlib.Path(config).write_text(json.dumps({
        "socket": sock, "admin_socket": os.path.join(place, "admin.sock"), "threads": 1, "memory_budget": "64MiB",
        "state_dir": os.path.join(place, "state"), "io_threads": io_threads,
        "models": {"m": {"path": model, "instances": instances}}}))
    return sock, config


def servers(options, model, directory):
    signature, datatype, shape = interface(model)
    count = 1
    for extent in shape:
        count *= extent
    numbers = [k % 7 for k in range(count)]
    sock, config = configured(model, directory, 1, 1)
    tensor = {"name": signature, "datatype": datatype, "shape": shape, "data": numbers}
    tensor["name"] = served_name([PROGRAM, "run", "--config", config], sock)
    requests = [
        ("v1", request("/v1/models/m:predict", {"inputs": nested(numbers, shape)})),
        ("v2", request("/v2/models/m/infer", {"inputs": [tensor]})),
    ]
    yield edgeserve("edgeserve", requests, directory, sock, config)
    if (options.io_threads, options.instances) != (1, 1):
        sock, config = configured(model, directory, options.io_threads, options.instances)
        yield edgeserve(f"{options.io_threads}x{options.instances}", requests, directory, sock, config)
    pathlib.Path(directory, "common.py").write_text(INTERPRETER)
    for name, text in [("FastAPI", FASTAPI), ("LitServe", LITSERVE), ("MLServer", MLSERVER)]:
        script, port = os.path.join(directory, name + ".py"), free_port()
        pathlib.Path(script).write_text(text)
        asked = request("/predict", {"data": numbers})
        if name == "MLServer":
            asked = request("/v2/models/m/infer", {"inputs": [{**tensor, "name": "x"}]})
        yield Server(name, [options.python, script, model, str(port)], str(port), [("", asked)], directory)


def load(tool, server, asked, connections, seconds, directory):
    file = os.path.join(directory, "request")
    pathlib.Path(file).write_bytes(asked)
    command = [tool, server.place, str(connections), str(seconds), file]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout)
    assert figures["refused"] == 0, f"{server.name}: {figures}"
    return figures["per_second"]


def compare(options, tool, model, directory):
    running = []
    try:
        for server in servers(options, model, directory):
            if server.answers():
                running.append(server)
            else:
                print(f"SKIPPED {server.name}: it does not answer; see its log:")
                print(pathlib.Path(server.log.name).read_text()[-500:])
                server.stop()
        rates = {}
        for _ in range(options.rounds):
            for connections in CONNECTIONS:
                for server in running:
                    for form, asked in server.requests:
                        key = (f"{server.name} {form}".strip(), connections)
                        rate = load(tool, server, asked, connections, options.seconds, directory)
                        rates.setdefault(key, []).append(rate)
    finally:
        for server in running:
            server.stop()
    return {key: statistics.median(values) for key, values in rates.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="of the virtual environment")
    parser.add_argument("--model", help="the larger model, such as one that knows keywords")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--io-threads", type=int, default=1)
    parser.add_argument("--instances", type=int, default=1)
    options = parser.parse_args()
    met = True
    with tempfile.TemporaryDirectory(prefix="edgeserve-servers-") as scratch:
        tool = os.path.join(scratch, "http_load")
        subprocess.run(["cc", "-O2", "-o", tool, str(PROJECT / "Tests/Benchmarks/http_load.c")], check=True)
        for model in [TRIVIAL] + ([options.model] if options.model else []):
            directory = tempfile.mkdtemp(dir=scratch)
            rates = compare(options, tool, os.path.abspath(model), directory)
            names = list(dict.fromkeys(name for name, _ in rates))
            print(f"{os.path.basename(os.path.dirname(model))}/{os.path.basename(model)}, answers a second")
            print("  " + "".join(text.rjust(16) for text in ["connections", *names]))
            for connections in CONNECTIONS:
                row = [rates[name, connections] for name in names]
                cells = [str(connections), *(f"{rate:.0f}" for rate in row)]
                print("  " + "".join(text.rjust(16) for text in cells))
            if "FastAPI" in names:
                for name in names:
                    if name.endswith(" v1"):
                        ratios = [rates[name, count] / rates["FastAPI", count] for count in CONNECTIONS]
                        print(f"  {name} over FastAPI: " + ", ".join(f"{ratio:.1f}" for ratio in ratios))
                # The last is the one that was asked about.
                met = met and min(ratios) >= 10
    return met


sys.exit(0 if main() else 1)
