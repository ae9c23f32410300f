#!/usr/bin/env python3
"""Compares edgeserve with other runtimes on TensorFlow Lite models, side by side.

    python3 Tests/Benchmarks/compare_runtimes.py MODEL.tflite[,MODEL.onnx]... [--edgeserve .build/release/edgeserve]
        [--threads 1,4] [--runs 300] [--instructions avx2] [--busy N] [--environment DIRECTORY] [--output PREFIX]

ONNX Runtime takes part where the same network is given as ONNX too. With --instructions avx2 every runtime, ours too,
is held to AVX2 and FMA: the others are copied, and the copies' cpuid instructions answered by mask_processor.c (needs a
C compiler and objdump). With --busy N so many other processes keep the processors busy meanwhile.

The first run makes a virtual environment and installs the other runtimes from PyPI. Every runtime loads the
model in a process of its own; then they take turns of a few inferences in shuffled order, so that whatever else the
machine does hits all alike. One inference is: inputs copied in, run, outputs copied out.

Prints a table (min and median, and edgeserve's share of each peer's), and writes PREFIX.json and PREFIX.png.
A ratio below 1 means that edgeserve is faster.
"""

import argparse
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time

PACKAGES = ["numpy", "ai-edge-litert", "openvino", "onnxruntime", "matplotlib"]
LIBRARIES = ["ai_edge_litert", "openvino", "onnxruntime"]
PEERS = ["litert", "litert_builtin", "openvino", "onnxruntime"]
FIGURES = ["min_us", "p50_us", "p99_us"]
TURN_SECONDS = 0.1
TURN_RUNS_MAXIMUM = 25
SECONDS_PER_RUNTIME = 15


def environment_python(directory):
    """The interpreter of a virtual environment that has the peers, made when it is not there."""
    python = os.path.join(directory, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    probe = "import numpy, ai_edge_litert, openvino, onnxruntime, matplotlib"
    if subprocess.run([python, "-c", probe], capture_output=True).returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


# Peers that see a lesser processor.


def without_cpuid(library):
    """Makes every cpuid instruction of a shared library an undefined one; returns how many there were."""
    sections = []
    listing = subprocess.run(["readelf", "-SW", library], capture_output=True, text=True).stdout
    for line in listing.splitlines():
        found = re.match(r"\s*\[\s*\d+\]\s+\S+\s+\S+\s+([0-9a-f]{16})\s+([0-9a-f]+)\s+([0-9a-f]+)", line)
        if found:
            sections.append([int(word, 16) for word in found.groups()])
    with open(library, "rb") as file:
        code = bytearray(file.read())
    count = 0
    disassembly = subprocess.Popen(
        ["objdump", "-d", "--no-show-raw-insn", library], stdout=subprocess.PIPE, text=True
    )
    for line in disassembly.stdout:
        found = re.match(r"\s*([0-9a-f]+):\s+cpuid", line)
        if not found:
            continue
        address = int(found[1], 16)
        start, offset = next(
            (start, offset) for start, offset, size in sections if start and start <= address < start + size
        )
        place = address - start + offset
        if code[place : place + 2] != b"\x0f\xa2":
            raise RuntimeError(f"{library}: no cpuid at {address:#x}")
        code[place : place + 2] = b"\x0f\x0b"
        count += 1
    if count:
        with open(library, "wb") as file:
            file.write(code)
    return count


def masked_environment(directory, python):
    """What a peer's process is started with so that it finds AVX2 and nothing newer; made when it is not there."""
    packages = os.path.join(directory, "avx2")
    mask = os.path.join(packages, "mask_processor.so")
    if not os.path.exists(mask):
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for name in LIBRARIES:
            copy = os.path.join(packages, name)
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(os.path.join(site, name), copy)
            libraries = [
                os.path.join(folder, file) for folder, _, files in os.walk(copy) for file in files if ".so" in file
            ]
            if sum(map(without_cpuid, libraries)) == 0:
                raise RuntimeError(f"{name} asks for no processor's features that could be masked")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mask_processor.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", mask, source], check=True)
    return {"PYTHONPATH": packages, "LD_PRELOAD": os.path.abspath(mask)}


# The side of a peer: a process that loads one model and answers "run N" with N latencies in nanoseconds.


def noise(shape, dtype):
    import numpy as np

    generator = np.random.default_rng(7)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return generator.uniform(-1, 1, shape).astype(kind)
    if kind.kind == "b":
        return np.ones(shape, kind)
    # Wide integers are indices or counts more often than values.
    low, high = (0, 9) if kind.itemsize > 2 else (np.iinfo(kind).min, np.iinfo(kind).max)
    return generator.integers(low, high, shape, dtype=kind, endpoint=True)


def litert_inference(path, threads, uses_delegate):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.AUTO if uses_delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=path, num_threads=threads, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    inputs = [
        (one["index"], noise(one["shape"], one["dtype"])) for one in interpreter.get_input_details()
    ]
    outputs = [one["index"] for one in interpreter.get_output_details()]

    def inference():
        for index, value in inputs:
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        for index in outputs:
            interpreter.get_tensor(index)

    return inference


def openvino_inference(path, threads):
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    if model.is_dynamic():
        model.reshape(
            {
                one: [size.get_length() if size.is_static else 1 for size in one.partial_shape]
                for one in model.inputs
            }
        )
    # Left to itself it multiplies floats in bfloat16 where the processor can.
    options = {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = core.compile_model(model, "CPU", options)
    request = compiled.create_infer_request()
    inputs = [noise(list(one.shape), one.element_type.to_dtype()) for one in compiled.inputs]

    def inference():
        for value in request.infer(inputs, share_inputs=False).values():
            value.copy()

    return inference


def onnx_inference(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8", "tensor(int32)": "int32"}
    inputs = {
        one.name: noise([size if isinstance(size, int) else 1 for size in one.shape], types[one.type])
        for one in session.get_inputs()
    }

    def inference():
        session.run(None, inputs)

    return inference


def serve_peer(name, path, threads):
    # Runtimes may write to standard output, which carries the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if name == "openvino":
        inference = openvino_inference(path, threads)
    elif name == "onnxruntime":
        inference = onnx_inference(path, threads)
    else:
        inference = litert_inference(path, threads, uses_delegate=name == "litert")
    for _ in range(5):
        inference()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        latencies = []
        for _ in range(int(line.split()[1])):
            start = time.perf_counter_ns()
            inference()
            latencies.append(time.perf_counter_ns() - start)
        print(*latencies, file=answers, flush=True)


# The side that compares.


class Runtime:
    """A process that was started for one runtime, model and thread count."""

    def __init__(self, name, command, environment):
        self.name = name
        self.latencies = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | environment,
        )
        if not self.process.stdout.readline().startswith("ready"):
            self.close()
            raise RuntimeError(f"{name} does not run this model")
        probe = statistics.median(self.ask(3))
        self.turn = max(1, min(TURN_RUNS_MAXIMUM, int(TURN_SECONDS * 1e9 / max(probe, 1))))

    def ask(self, runs):
        self.process.stdin.write(f"run {runs}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise RuntimeError(f"{self.name} stopped")
        return [int(word) for word in answer]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(model, threads, options, python, environment):
    path, _, onnx = model.partition(",")
    ours = [options.edgeserve, "bench", "--worker", path, str(threads)]
    runtimes = []
    for name in ["edgeserve"] + PEERS:
        file = onnx if name == "onnxruntime" else path
        if not file:
            continue
        peer = [python, os.path.abspath(__file__), "--serve", name, file, str(threads)]
        held = ["--kernels", options.instructions] if options.instructions else []
        try:
            if name == "edgeserve":
                runtimes.append(Runtime(name, ours + held, {}))
            else:
                runtimes.append(Runtime(name, peer, environment))
        except (RuntimeError, OSError) as error:
            print(f"{os.path.basename(path)}: {error}", file=sys.stderr)
    order = random.Random(1)
    deadline = time.monotonic() + SECONDS_PER_RUNTIME * len(runtimes)
    while time.monotonic() < deadline:
        waiting = [one for one in runtimes if len(one.latencies) < options.runs]
        if not waiting:
            break
        order.shuffle(waiting)
        for one in waiting:
            one.latencies += one.ask(min(one.turn, options.runs - len(one.latencies)))
    result = {}
    for one in runtimes:
        one.close()
        if one.latencies:
            quantiles = sorted(one.latencies)
            result[one.name] = {
                "min_us": quantiles[0] / 1e3,
                "p50_us": statistics.median(quantiles) / 1e3,
                "p99_us": quantiles[int(0.99 * (len(quantiles) - 1))] / 1e3,
                "runs": len(quantiles),
            }
    return {
        "model": os.path.basename(path).removesuffix(".tflite"),
        "threads": threads,
        "load_average": os.getloadavg()[0],
        "runtimes": result,
    }


def ratio(row, peer, figure):
    runtimes = row["runtimes"]
    if "edgeserve" not in runtimes or peer not in runtimes:
        return None
    return runtimes["edgeserve"][figure] / runtimes[peer][figure]


def print_table(rows):
    columns = ["edgeserve"] + PEERS
    print("min / p50 / p99 in µs; ratios are edgeserve over the peer, of the same three")
    header = ["model", "threads"] + columns + [f"ratio {peer}" for peer in PEERS]
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        cells = [row["model"], str(row["threads"])]
        for name in columns:
            one = row["runtimes"].get(name)
            cells.append(" / ".join(f"{one[figure]:.0f}" for figure in FIGURES) if one else "")
        for peer in PEERS:
            ratios = [ratio(row, peer, figure) for figure in FIGURES]
            cells.append(" / ".join(f"{value:.2f}" for value in ratios) if all(ratios) else "")
        print("| " + " | ".join(cells) + " |")
    for peer in PEERS:
        least = [value for row in rows if (value := ratio(row, peer, "min_us"))]
        if least:
            mean = math.exp(sum(map(math.log, least)) / len(least))
            print(f"geometric mean of min over {peer}: {mean:.2f} ({len(least)} measurements)")


def draw(prefix, python):
    """Draws PREFIX.png from PREFIX.json, with the environment's matplotlib."""
    subprocess.run([python, os.path.abspath(__file__), "--draw", prefix], check=True)


def draw_here(prefix):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(prefix + ".json") as file:
        rows = json.load(file)
    names = [f"{row['model']} ({row['threads']})" for row in rows]
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.5 * len(rows)))
    height = 0.8 / len(PEERS)
    for position, peer in enumerate(PEERS):
        values = [ratio(row, peer, "min_us") or 0 for row in rows]
        axes.barh([i + position * height for i in range(len(rows))], values, height, label=peer)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(rows))], names)
    axes.invert_yaxis()
    axes.set_xlabel("least latency, edgeserve over the peer (below 1: edgeserve is faster)")
    axes.legend()
    figure.tight_layout()
    figure.savefig(prefix + ".png", dpi=150)


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve_peer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    if sys.argv[1:2] == ["--draw"]:
        return draw_here(sys.argv[2])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+")
    parser.add_argument("--edgeserve", default=".build/release/edgeserve")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--instructions", choices=["avx2"])
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--environment", default=".build/peers")
    parser.add_argument("--output", default=".build/comparison")
    options = parser.parse_args()
    python = environment_python(options.environment)
    environment = {}
    if options.instructions:
        environment = masked_environment(os.path.abspath(options.environment), python)
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.busy)]
    try:
        rows = compare(options, python, environment)
    finally:
        for one in others:
            one.kill()
    print_table(rows)
    draw(options.output, python)


def compare(options, python, environment):
    rows = []
    for threads in dict.fromkeys(int(word) for word in options.threads.split(",")):
        for model in options.models:
            rows.append(measure(model, threads, options, python, environment))
            with open(options.output + ".json", "w") as file:
                json.dump(rows, file, indent=1)
    return rows


if __name__ == "__main__":
    main()
