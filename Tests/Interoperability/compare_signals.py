#!/usr/bin/env python3
"""Compares the steps of audio front ends with TensorFlow Lite for Microcontrollers, to the bit.

Each operator is written as a model of its own, and all of them as one front end from samples to
features; both run several times in a row, for one keeps a state. Inputs are seeded noise of several
levels, the extremes among them. Needs the PyPI package `tflite-micro`.

Example: compare_signals.py .build/release/edgeserve
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from flatbuffers import Builder, flexbuffers
from tflite_micro.python.tflite_micro import runtime

schema = runtime.schema_fb
CODES = {
    np.dtype(np.int16): schema.TensorType.INT16, np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.uint32): schema.TensorType.UINT32, np.dtype(np.uint64): schema.TensorType.UINT64,
    np.dtype(np.float32): schema.TensorType.FLOAT32, np.dtype(np.bool_): schema.TensorType.BOOL,
    np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.uint8): schema.TensorType.UINT8,
}
SAMPLES, LENGTH, CHANNELS, STEPS = 480, 512, 40, 3


class Model:
    """A model under construction."""

    def __init__(self):
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model = schema.ModelT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []

    def tensor(self, shape, dtype, constant=None):
        tensor = schema.TensorT()
        tensor.shape, tensor.type = list(shape), CODES[np.dtype(dtype)]
        tensor.name = f"t{len(self.graph.tensors)}"
        if constant is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(constant.astype(dtype).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        else:
            tensor.buffer = 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def input(self, shape, dtype):
        self.graph.inputs.append(self.tensor(shape, dtype))
        return self.graph.inputs[-1]

    def add(self, name, options, inputs, outputs):
        code = schema.OperatorCodeT()
        code.builtinCode = schema.BuiltinOperator.CUSTOM
        code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = name, 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, outputs
        operator.customOptions = np.frombuffer(bytes(flexbuffers.Dumps(options)), np.uint8)
        self.graph.operators.append(operator)

    def content(self, outputs):
        self.graph.outputs = outputs
        builder = Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def triangles(rng, bins):
    """Tables of a bank of triangles that meet, wider from one to the next."""
    edges = np.unique(np.geomspace(4, bins - 1, CHANNELS + 2).astype(int))
    while len(edges) < CHANNELS + 2:
        edges = np.unique(np.append(edges, rng.integers(1, bins)))
    starts, widths = edges[:-1], np.diff(edges)
    first = np.concatenate([[0], np.cumsum(widths)[:-1]])
    rising = np.concatenate([np.linspace(0, 4095, width) for width in widths])
    return rising, 4096 - rising, starts, first, widths


def gains():
    """Three numbers of a parabola for each power of two."""
    table = np.zeros(125)
    table[:3] = 32767, 30000, 28000
    for bits in range(2, 33):
        place = 4 * bits - 6
        table[place:place + 3] = 28000 - 800 * bits, -300, 12
    return table


NOISE = {
    "alternate_one_minus_smoothing": 15729, "alternate_smoothing": 655, "clamping": 0,
    "min_signal_remaining": 819, "num_channels": CHANNELS, "one_minus_smoothing": 15974,
    "smoothing": 410, "smoothing_bits": 10, "spectral_subtraction_bits": 14,
}
KINDS = {
    "int16": (np.int16, schema.TensorType.INT16), "int32": (np.int32, schema.TensorType.INT32),
    "float32": (np.float32, schema.TensorType.FLOAT32)}


def cases():
    """Each case: its name, its model, the outputs, and what its input may be at most."""
    rng = np.random.default_rng(3)
    for shift in (0, 12, 15):
        m = Model()
        x, out = m.input([2, SAMPLES], np.int16), m.tensor([2, SAMPLES], np.int16)
        weights = m.tensor([SAMPLES], np.int16, rng.integers(0, 4096, SAMPLES))
        m.add("SignalWindow", {"shift": shift}, [x, weights], [out])
        yield f"window {shift}", m, [out]
    m = Model()
    x, out = m.input([SAMPLES], np.int16), m.tensor([SAMPLES], np.int16)
    bits = m.tensor([], np.int32)
    m.add("SignalFftAutoScale", {}, [x], [out, bits])
    yield "auto scale", m, [out, bits]
    for kind, (dtype, code) in KINDS.items():
        for length in (16, 32, 256, LENGTH):
            m = Model()
            x = m.input([length - 4 if length > 16 else length], dtype)
            out = m.tensor([length + 2], dtype)
            m.add("SignalRfft", {"T": code, "fft_length": length}, [x], [out])
            yield f"spectrum {kind} {length}", m, [out]
            m = Model()
            x, out = m.input([length + 2], dtype), m.tensor([length], dtype)
            m.add("SignalIrfft", {"T": code, "fft_length": length}, [x], [out])
            yield f"inverse spectrum {kind} {length}", m, [out]
    m = Model()
    x, out = m.input([LENGTH + 2], np.int16), m.tensor([LENGTH // 2 + 1], np.uint32)
    m.add("SignalEnergy", {"end_index": LENGTH // 2 + 1, "start_index": 0}, [x], [out])
    yield "energy", m, [out]
    m = Model()
    bins = LENGTH // 2 + 1
    x, out = m.input([bins], np.uint32), m.tensor([CHANNELS], np.uint64)
    tables = [m.tensor([len(t)], np.int16, t) for t in triangles(rng, bins)]
    m.add("SignalFilterBank", {"num_channels": CHANNELS}, [x] + tables, [out])
    yield "filter bank", m, [out]
    for clamping in (0, 1):
        m = Model()
        x = m.input([CHANNELS], np.uint32)
        out, noise = m.tensor([CHANNELS], np.uint32), m.tensor([CHANNELS], np.uint32)
        m.add("SignalFilterBankSpectralSubtraction", NOISE | {"clamping": clamping}, [x],
              [out, noise])
        yield f"noise {clamping}", m, [out, noise]
    for shift in (0, 6, 13):
        m = Model()
        x, noise = m.input([CHANNELS], np.uint32), m.input([CHANNELS], np.uint32)
        table, out = m.tensor([125], np.int16, gains()), m.tensor([CHANNELS], np.uint32)
        m.add("SignalPCAN", {"snr_shift": shift}, [x, noise, table], [out])
        yield f"gain control {shift}", m, [out]
    for bits in (0, 3):
        m = Model()
        x, out = m.input([CHANNELS], np.uint32), m.tensor([CHANNELS], np.int16)
        m.add("SignalFilterBankLog", {"input_correction_bits": bits, "output_scale": 1600}, [x],
              [out])
        yield f"logarithm {bits}", m, [out]
    yield front_end(rng)
    yield from streams()


def streams():
    """Operators that keep samples; a result that is not valid yet is not compared."""
    for length in (0, 3, 40, 100):
        m = Model()
        x, out = m.input([2, 40], np.int16), m.tensor([2, 40], np.int16)
        m.add("SignalDelay", {"delay_length": length}, [x], [out])
        yield f"delay {length}", m, [out]
    for size, step, prefill in ((25, 10, 1), (25, 10, 0), (40, 40, 0), (50, 20, 1), (50, 20, 0)):
        m = Model()
        x, out = m.input([2, 40], np.int16), m.tensor([2, 40 // step, size], np.int16)
        valid = m.tensor([], np.bool_)
        m.add("SignalFramer", {"frame_size": size, "frame_step": step, "prefill": prefill}, [x],
              [out, valid])
        yield f"frames {size} {step} {prefill}", m, [out, valid]
    for before, after, step in ((0, 0, 1), (2, 1, 1), (1, 2, 3), (3, 0, 2), (0, 1, 2)):
        m = Model()
        frames = before + 1 + after
        x, out = m.input([10], np.int16), m.tensor([10 * frames], np.int16)
        valid = m.tensor([], np.bool_)
        m.add("SignalStacker", {"num_channels": 10, "stacker_left_context": before,
                                "stacker_right_context": after, "stacker_step": step}, [x],
              [out, valid])
        yield f"stack {before} {after} {step}", m, [out, valid]
    for kind in ("int16", "float32"):
        dtype, code = KINDS[kind]
        for size, step in ((20, 8), (16, 16), (9, 1)):
            m = Model()
            x, out = m.input([2, 3, size], dtype), m.tensor([2, 3 * step], dtype)
            m.add("SignalOverlapAdd", {"T": code, "frame_step": step}, [x], [out])
            yield f"overlap add {kind} {size} {step}", m, [out]


def front_end(rng):
    """From samples to logarithms."""
    m = Model()
    samples = m.input([SAMPLES], np.int16)
    window = m.tensor([SAMPLES], np.int16, np.hanning(SAMPLES) * 4095)
    windowed, scaled = m.tensor([SAMPLES], np.int16), m.tensor([SAMPLES], np.int16)
    m.add("SignalWindow", {"shift": 12}, [samples, window], [windowed])
    bits = m.tensor([], np.int32)
    m.add("SignalFftAutoScale", {}, [windowed], [scaled, bits])
    spectrum = m.tensor([LENGTH + 2], np.int16)
    m.add("SignalRfft", {"T": schema.TensorType.INT16, "fft_length": LENGTH}, [scaled], [spectrum])
    bins = LENGTH // 2 + 1
    energy = m.tensor([bins], np.uint32)
    m.add("SignalEnergy", {"end_index": bins, "start_index": 0}, [spectrum], [energy])
    sums = m.tensor([CHANNELS], np.uint64)
    tables = [m.tensor([len(t)], np.int16, t) for t in triangles(rng, bins)]
    m.add("SignalFilterBank", {"num_channels": CHANNELS}, [energy] + tables, [sums])
    roots, clean, noise, controlled = (m.tensor([CHANNELS], np.uint32) for _ in range(4))
    m.add("SignalFilterBankSquareRoot", {}, [sums, bits], [roots])
    m.add("SignalFilterBankSpectralSubtraction", NOISE, [roots], [clean, noise])
    table = m.tensor([125], np.int16, gains())
    m.add("SignalPCAN", {"snr_shift": 6}, [clean, noise, table], [controlled])
    features = m.tensor([CHANNELS], np.int16)
    m.add("SignalFilterBankLog", {"input_correction_bits": 3, "output_scale": 1600}, [controlled],
          [features])
    return "front end", m, [roots, noise, features]


def feeds(model, rng):
    """Inputs of several levels, zeros and the extremes."""
    tensors = [model.graph.tensors[i] for i in model.graph.inputs]
    dtypes = {code: dtype for dtype, code in CODES.items()}
    for level in (None, 0, 3, 7, 11, 15, 20, 26, 31, 32):
        inputs = []
        for tensor in tensors:
            if dtypes[tensor.type] == np.float32:
                values = rng.normal(0, 2.0 ** (level or 0), tensor.shape)
                inputs.append(values.astype(np.float32))
                continue
            info = np.iinfo(dtypes[tensor.type])
            low, high = int(info.min), int(info.max)
            if level is not None:
                low, high = max(low, -(1 << level)), min(high, (1 << level) - 1)
                values = rng.integers(low, high, tensor.shape, endpoint=True)
            else:
                values = rng.choice([low, high], tensor.shape)
            inputs.append(values.astype(info.dtype))
        yield level, inputs


def expected(content, inputs, count):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    steps = []
    for _ in range(STEPS):
        for index, values in enumerate(inputs):
            interpreter.set_input(values, index)
        interpreter.invoke()
        steps.append([interpreter.get_output(index) for index in range(count)])
    return steps


def actual(program, folder, content, inputs, count):
    (folder / "model.tflite").write_bytes(content)
    command = [program, "invoke", folder / "model.tflite", "--steps", str(STEPS), "--output-dir",
               folder]
    for index, values in enumerate(inputs):
        np.save(folder / f"in{index}.npy", values)
        command += ["--input", folder / f"in{index}.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    prefixes = [""] + [f"step{step}_" for step in range(2, STEPS + 1)]
    return [[np.load(folder / f"{prefix}{index}.npy") for index in range(count)]
            for prefix in prefixes]


def same(right, ours):
    """Integers are equal, and numbers to a few parts in a million of the greatest."""
    if right[-1].dtype == np.bool_ and not right[-1].ravel()[0]:
        return not ours[-1].ravel()[0]
    for a, b in zip(right, ours):
        if a.dtype != np.float32:
            if not np.array_equal(a.ravel(), b.ravel()):
                return False
        elif np.abs(a.ravel() - b.ravel()).max() > 1e-5 * max(np.abs(a).max(), 1e-30):
            return False
    return True


def main():
    program, rng = sys.argv[1], np.random.default_rng(11)
    compared = wrong = 0
    with tempfile.TemporaryDirectory() as name:
        for case, model, outputs in cases():
            content = model.content(outputs)
            for level, inputs in feeds(model, rng):
                compared += 1
                right = expected(content, inputs, len(outputs))
                ours = actual(program, pathlib.Path(name), content, inputs, len(outputs))
                if not all(same(x, y) for x, y in zip(right, ours)):
                    wrong += 1
                    print(f"DIFFERS {case}, level {level}")
                    for x, y in zip(right[0], ours[0]):
                        print("  expected", x.ravel()[:8], "actual", y.ravel()[:8])
    print(f"{compared - wrong} of {compared} runs of {STEPS} steps are equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
