#!/usr/bin/env python3
"""Idle memory, start and installed size beside a server that a user would write: FastAPI on a Unix socket with LiteRT behind
it, one thread, the same model. By hand, for it needs a virtual environment with fastapi, uvicorn, ai-edge-litert and numpy.

usage: EDGESERVE=.build/release/edgeserve Tests/Benchmarks/compare_footprint.py PYTHON [ROUNDS]
"""

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


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def ask(path, target, body):
    connection = Connection(path)
    connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
    return connection.getresponse().status == 200


def resident(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return [int(fields[name].split()[0]) * 1024 for name in ("Rss", "Pss", "Anonymous")]


def measure(command, path, target, body):
    """Seconds to the first answer, and bytes three seconds later: resident, proportional, anonymous."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, f"{command[0]} ended"
            try:
                if ask(path, target, body):
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


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    python, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 7
    picture = [-128] * 64
    with tempfile.TemporaryDirectory() as directory:
        pathlib.Path(directory, "server.py").write_text(SERVER.replace("MODEL", MODEL))
        stripped = f"{directory}/edgeserve"
        subprocess.run(["llvm-objcopy", "--strip-all", PROGRAM, stripped], check=True)
        tensor = {"name": "image", "datatype": "INT8", "shape": [1, 8, 8, 1], "data": picture}
        servers = {
            "edgeserve": (
                [stripped, "run", "--model", f"digits={MODEL}", "--threads", "1", "--socket", f"{directory}/e.sock",
                 "--admin-socket", f"{directory}/a.sock", "--state-dir", f"{directory}/state"],
                f"{directory}/e.sock", "/v2/models/digits/infer", {"inputs": [tensor]}),
            "FastAPI and LiteRT": (
                [python, "-m", "uvicorn", "--app-dir", directory, "--uds", f"{directory}/f.sock", "server:app"],
                f"{directory}/f.sock", "/predict", {"data": picture}),
        }
        packages = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True).stdout.strip()
        sizes = {"edgeserve": size_of(stripped), "FastAPI and LiteRT": size_of(packages)}
        results = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                results[name].append(measure(*server))
        for name, rows in results.items():
            seconds, rss, pss, anonymous = (statistics.median(column) for column in zip(*rows))
            print(
                f"{name}: first answer {seconds * 1000:.0f} ms; resident {rss / MIB:.1f} MiB, proportional "
                f"{pss / MIB:.1f}, anonymous {anonymous / MIB:.1f}; {sizes[name] / MIB:.1f} MiB on disk"
                + ("" if name == "edgeserve" else " of packages, without Python itself"))


main()
