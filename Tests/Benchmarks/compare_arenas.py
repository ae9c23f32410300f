#!/usr/bin/env python3
"""Compares the memory that models plan for activations with the least that LiteRT can do with.

LiteRT gives every computed tensor a place of its own in one arena while it is alive, so its arena is
never smaller than the tensors that are alive together, from the operator that makes each of them to
the last that reads it; what its kernels take beside that is left out, and so is what its delegates
take. That bound is compared with the arena and scratch that `edgeserve inspect` states. Models with
shapes known only at run time, or several subgraphs, are left out. Needs the PyPI package
`ai-edge-litert` for the format.

Example: compare_arenas.py .build/release/edgeserve model.tflite …
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema

BYTES = {
    schema.TensorType.FLOAT32: 4, schema.TensorType.INT32: 4, schema.TensorType.UINT32: 4,
    schema.TensorType.INT64: 8, schema.TensorType.FLOAT16: 2, schema.TensorType.INT16: 2,
    schema.TensorType.INT8: 1, schema.TensorType.UINT8: 1, schema.TensorType.BOOL: 1,
    schema.TensorType.COMPLEX64: 8,
}


def bound(path):
    """Bytes that are alive together at the worst operator; None where that cannot be told."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    if len(model.subgraphs) != 1:
        return None
    graph = model.subgraphs[0]
    if graph.operators is None or graph.tensors is None:
        return None
    born, dies = {}, {}
    for index in graph.inputs:
        born[index] = 0
    for place, operator in enumerate(graph.operators):
        for index in operator.inputs:
            if index in born:
                dies[index] = place
        for index in operator.outputs:
            born.setdefault(index, place)
            dies.setdefault(index, place)
    for index in graph.outputs:
        dies[index] = len(graph.operators) - 1
    alive = np.zeros(max(len(graph.operators), 1), np.int64)
    for index, first in born.items():
        tensor = graph.tensors[index]
        shape = [] if tensor.shape is None else tensor.shape
        if tensor.type not in BYTES or any(extent < 0 for extent in shape):
            return None
        alive[first:dies.get(index, first) + 1] += int(np.prod(shape)) * BYTES[tensor.type]
    return int(alive.max())


def main():
    program, above, compared = sys.argv[1], 0, 0
    print(f"{'model':42} {'LiteRT at least':>16} {'arena':>10} {'scratch':>9} {'ratio':>6}")
    for name in sys.argv[2:]:
        least = bound(pathlib.Path(name))
        ran = subprocess.run(
            [program, "inspect", name, "--json"], capture_output=True, text=True, check=False)
        if least is None or least == 0 or ran.returncode:
            print(f"{pathlib.Path(name).name:42} left out")
            continue
        memory = json.loads(ran.stdout).get("memory")
        if memory is None:
            print(f"{pathlib.Path(name).name:42} left out")
            continue
        arena, scratch = memory["arena_bytes"], memory["scratch_bytes"]
        compared += 1
        above += arena > least
        print(f"{pathlib.Path(name).name:42} {least:16} {arena:10} {scratch:9} "
              f"{(arena + scratch) / least:6.2f}")
    print(f"{compared - above} of {compared} arenas are no larger than the bound")


if __name__ == "__main__":
    main()
