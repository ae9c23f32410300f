#!/usr/bin/env python3
"""Compares a model's operators, one at a time, with TensorFlow Lite's reference kernels.

Each operator is cut out with its own constants, given what the reference computed before it, and
run by `edgeserve invoke`; so a difference is that operator's own. Inputs are seeded noise, or the
.npy files given. Needs the PyPI package `ai-edge-litert`; without it the comparison is skipped.

Example: compare_model.py .build/release/edgeserve model.tflite --input image.npy
"""

import argparse
import copy
import pathlib
import sys
import tempfile

import compare_operators
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}


def noise(detail, rng):
    shape = [max(int(extent), 1) for extent in detail["shape"]]
    dtype = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    info = np.iinfo(dtype) if dtype.kind != "b" else None
    if info is None:
        return np.ones(shape, bool)
    low, high = (0, 50) if info.bits > 16 else (info.min, info.max)
    return rng.integers(low, high, shape, endpoint=True).astype(dtype)


def cut(model, operator, values):
    """A model of one operator, and what it is fed; None for operators on subgraphs or nothing."""
    graph = model.subgraphs[0]
    one = schema.ModelT()
    one.version, one.buffers = 3, [schema.BufferT()]
    code = copy.copy(model.operatorCodes[operator.opcodeIndex])
    one.operatorCodes = [code]
    part = schema.SubGraphT()
    part.tensors, part.inputs, part.outputs, places = [], [], [], {}
    lists = [list(operator.inputs), list(operator.outputs),
             list(operator.intermediates) if operator.intermediates is not None else []]
    feeds = []
    for role, list_ in enumerate(lists):
        for index in list_:
            if index < 0 or index in places:
                continue
            tensor = copy.copy(graph.tensors[index])
            data = model.buffers[tensor.buffer].data
            tensor.buffer, tensor.shapeSignature = 0, None
            if data is not None and len(data):
                one.buffers.append(schema.BufferT())
                one.buffers[-1].data, tensor.buffer = data, len(one.buffers) - 1
            elif not tensor.isVariable and role < 2:
                if values.get(index) is None:
                    return None
                tensor.shape = np.array(values[index].shape, np.int32)
                (part.inputs if role == 0 else part.outputs).append(len(part.tensors))
                if role == 0:
                    feeds.append(values[index])
            places[index] = len(part.tensors)
            part.tensors.append(tensor)
    single = copy.copy(operator)
    single.opcodeIndex = 0
    single.inputs = np.array([places.get(i, -1) for i in lists[0]], np.int32)
    single.outputs = np.array([places[i] for i in lists[1]], np.int32)
    single.intermediates = np.array([places[i] for i in lists[2]], np.int32)
    part.operators, one.subgraphs = [single], [part]
    builder = flatbuffers.Builder(1024)
    builder.Finish(one.Pack(builder), b"TFL3")
    return bytes(builder.Output()), feeds, len(part.outputs)


def reference_values(content, inputs):
    """Every tensor of the main subgraph that the reference kernels leave behind."""
    interpreter = compare_operators.Reference.interpreter(
        content, experimental_preserve_all_tensors=True)
    rng = np.random.default_rng(1)
    details = interpreter.get_input_details()
    for number, detail in enumerate(details):
        given = np.load(inputs[number]) if number < len(inputs) else noise(detail, rng)
        interpreter.set_tensor(detail["index"], given)
    interpreter.invoke()
    values = {}
    for detail in interpreter.get_tensor_details():
        try:
            values[detail["index"]] = interpreter.get_tensor(detail["index"])
        except ValueError:
            values[detail["index"]] = None
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the edgeserve to run")
    parser.add_argument("model")
    parser.add_argument("--input", action="append", default=[], help="an .npy file for each input")
    parser.add_argument("--kernels", help="the kernel table to use")
    arguments = parser.parse_args()
    content = pathlib.Path(arguments.model).read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    values = reference_values(content, arguments.input)
    extra = ["--kernels", arguments.kernels] if arguments.kernels else []
    reference, same, failed, skipped = compare_operators.Reference(), 0, 0, 0
    for number, operator in enumerate(model.subgraphs[0].operators):
        code = model.operatorCodes[operator.opcodeIndex]
        name = NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        single = cut(model, operator, values)
        theirs = reference.run(single[0], single[1], 1) if single and single[1] else "not cut"
        if isinstance(theirs, str):
            skipped += 1
            continue
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "operator.tflite"
            path.write_bytes(single[0])
            ours = compare_operators.run_edgeserve(
                arguments.program, path, single[1], 1, single[2], extra)
        if isinstance(ours, str):
            found = ours
        else:
            differences = [compare_operators.difference(a, b) for a, b in zip(ours, theirs)]
            found = next((d for d in differences if d), None)
        if found:
            failed += 1
            output = model.subgraphs[0].tensors[operator.outputs[0]].name.decode()
            print(f"{number} {name} {output[-60:]}: {found}", flush=True)
        else:
            same += 1
    print(f"{same} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
