#!/usr/bin/env python3
"""Idle memory, start and installed size beside servers that a user would write or pick, one thread, the same model: FastAPI on
a Unix socket and MLServer on loopback, both with LiteRT behind them, and Triton's server without a model. By hand, for each needs a
virtual environment of its own: ai-edge-litert and numpy with fastapi and uvicorn or with mlserver, and nvidia-pytriton.

usage: EDGESERVE=.build/release/edgeserve Tests/Benchmarks/compare_footprint.py [--fastapi PYTHON] [--mlserver PYTHON]
       [--triton PYTHON] [--rounds N]
"""

import argparse
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("EDGESERVE", str(PROJECT / ".build/release/edgeserve"))
MODEL = str(PROJECT / "Tests/Fixtures/digits/v2/model.tflite")
MIB = 1 << 20
SERVER = '''
import numpy
from ai_edge_litert.interpreter import Interpreter
from fastapi import FastAPI
from pydantic import BaseModel
import threading

interpreter = Interpreter(model_path="MODEL", num_threads=1)
interpreter.allocate_tensors()
first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
lock, app = threading.Lock(), FastAPI()

class Body(BaseModel):
    data: list[int]

@app.post("/predict")
def predict(body: Body):
    with lock:
        interpreter.set_tensor(first["index"], numpy.array(body.data, first["dtype"]).reshape(first["shape"]))
        interpreter.invoke()
        return {"output": interpreter.get_tensor(last["index"]).ravel().tolist()}
'''

RUNTIME = '''
import numpy
from ai_edge_litert.interpreter import Interpreter
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

class Digits(MLModel):
    async def load(self):
        self.interpreter = Interpreter(model_path="MODEL", num_threads=1)
        self.interpreter.allocate_tensors()
        self.first = self.interpreter.get_input_details()[0]["index"]
        self.last = self.interpreter.get_output_details()[0]["index"]
        return True

    async def predict(self, payload):
        self.interpreter.set_tensor(self.first, NumpyCodec.decode_input(payload.inputs[0]).astype("int8"))
        self.interpreter.invoke()
        scores = NumpyCodec.encode_output("probabilities", self.interpreter.get_tensor(self.last))
        return InferenceResponse(model_name=self.name, outputs=[scores])
'''


class Connection(http.client.HTTPConnection):
    """To a Unix socket, named by its path, or to a port of this machine."""

    def __init__(self, place):
        super().__init__("localhost")
        self.place = place

    def connect(self):
        is_path = isinstance(self.place, str)
        self.sock = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET, socket.SOCK_STREAM)
        self.sock.connect(self.place if is_path else ("127.0.0.1", self.place))


def ask(place, target, body):
    connection = Connection(place)
    if body is None:
        connection.request("GET", target)
    else:
        connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
    return connection.getresponse().status == 200


def family(pid):
    """A process and all below it."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *[one for child in children for one in family(int(child))]]


def resident(pid):
    """Bytes of a process and all below it: resident, proportional, anonymous."""
    sums = [0, 0, 0]
    for one in family(pid):
        text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        for place, name in enumerate(("Rss", "Pss", "Anonymous")):
            sums[place] += int(fields[name].split()[0]) * 1024
    return sums


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def measure(command, place, target, body):
    """Seconds to the first answer, and bytes three seconds later: resident, proportional, anonymous."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, f"{command[0]} ended"
            try:
                if ask(place, target, body):
                    break
            except OSError:
                time.sleep(0.001)
        seconds = time.monotonic() - begun
        time.sleep(3)
        return [seconds, *resident(process.pid)]
    finally:
        process.terminate()
        process.wait()


def size_of(*paths):
    """Bytes on disk, each file once."""
    return int(subprocess.run(["du", "-sbc", *paths], capture_output=True, text=True, check=True).stdout.split()[-2])


def packages_of(python):
    """Bytes of the packages of a virtual environment, without Python itself."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return size_of(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def fastapi(python, directory, picture):
    pathlib.Path(directory, "server.py").write_text(SERVER.replace("MODEL", MODEL))
    command = [python, "-m", "uvicorn", "--app-dir", directory, "--uds", f"{directory}/f.sock", "server:app"]
    return command, f"{directory}/f.sock", "/predict", {"data": picture}


def mlserver(python, directory, tensor):
    folder = pathlib.Path(directory, "mlserver")
    folder.mkdir()
    (folder / "digits.py").write_text(RUNTIME.replace("MODEL", MODEL))
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = {
        "host": "127.0.0.1", "http_port": http_port, "grpc_port": grpc_port, "metrics_port": metrics_port,
        "parallel_workers": 0,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "digits", "implementation": "digits.Digits"}
    (folder / "model-settings.json").write_text(json.dumps(model))
    program = "import sys; from mlserver.cli import main; sys.argv = ['mlserver', 'start', sys.argv[1]]; main()"
    return [python, "-c", program, str(folder)], http_port, "/v2/models/digits/infer", {"inputs": [tensor]}


def triton(python, directory):
    """Triton's server as the package pytriton brings it, without a model: its core has no backend for LiteRT."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    program = pathlib.Path(packages, "pytriton", "tritonserver", "bin", "tritonserver")
    pathlib.Path(directory, "models").mkdir()
    port = free_ports(1)[0]
    options = ["--http-address=127.0.0.1", f"--http-port={port}", "--allow-grpc=false", "--allow-metrics=false"]
    start = [str(program), f"--model-repository={directory}/models", "--model-control-mode=explicit", *options]
    return (start, port, "/v2/health/ready", None), size_of(str(program), f"{packages}/nvidia_pytriton.libs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fastapi", type=os.path.abspath)
    parser.add_argument("--mlserver", type=os.path.abspath)
    parser.add_argument("--triton", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    picture = [-128] * 64
    tensor = {"name": "image", "datatype": "INT8", "shape": [1, 8, 8, 1], "data": picture}
    with tempfile.TemporaryDirectory() as directory:
        stripped = f"{directory}/edgeserve"
        subprocess.run(["llvm-objcopy", "--strip-all", PROGRAM, stripped], check=True)
        servers = {
            "edgeserve": (
                [stripped, "run", "--model", f"digits={MODEL}", "--threads", "1", "--socket", f"{directory}/e.sock",
                 "--admin-socket", f"{directory}/a.sock", "--state-dir", f"{directory}/state"],
                f"{directory}/e.sock", "/v2/models/digits/infer", {"inputs": [tensor]}),
        }
        sizes = {"edgeserve": size_of(stripped)}
        if arguments.fastapi:
            servers["FastAPI and LiteRT"] = fastapi(arguments.fastapi, directory, picture)
            sizes["FastAPI and LiteRT"] = packages_of(arguments.fastapi)
        if arguments.mlserver:
            servers["MLServer and LiteRT"] = mlserver(arguments.mlserver, directory, tensor)
            sizes["MLServer and LiteRT"] = packages_of(arguments.mlserver)
        if arguments.triton:
            name = "Triton's server without a model"
            servers[name], sizes[name] = triton(arguments.triton, directory)
        results = {name: [] for name in servers}
        for _ in range(arguments.rounds):
            for name, server in servers.items():
                results[name].append(measure(*server))
        for name, rows in results.items():
            seconds, rss, pss, anonymous = (statistics.median(column) for column in zip(*rows))
            print(
                f"{name}: first answer {seconds * 1000:.0f} ms; resident {rss / MIB:.1f} MiB, proportional "
                f"{pss / MIB:.1f}, anonymous {anonymous / MIB:.1f}; {sizes[name] / MIB:.1f} MiB on disk"
                + ("" if name == "edgeserve" else " of packages, without Python itself"))


main()
