#!/usr/bin/env python3
"""Compares single operators in every element type with TensorFlow Lite's reference kernels.

Each operator is written as a model of its own, run by the reference kernels of LiteRT and by
`edgeserve invoke`, and compared: float results within 1e-5 of the largest value, integers to the
code. What the reference refuses is left out; what edgeserve refuses or computes otherwise is
listed. Needs the PyPI package `ai-edge-litert`; without it the comparison is skipped.

Example: compare_operators.py .build/release/edgeserve --only conv.int8
"""

import argparse
import collections
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as error:
    print(f"SKIPPED: operators were not compared with the reference kernels: {error}")
    sys.exit(0)

sys.path.insert(0, str(pathlib.Path(__file__).parent / "operators"))
import cases
import recurrent_cases

FLOAT_TOLERANCE = 1e-5
HALF_TOLERANCE = 1e-3
STEPS = 2


class Reference:
    """The reference kernels, in a process of their own, for they may end it."""

    def __init__(self):
        self.process = None

    def run(self, content, feeds, steps):
        """The outputs of all steps, or why there are none."""
        if self.process is None:
            self.connection, other = multiprocessing.Pipe()
            self.process = multiprocessing.Process(
                target=Reference.serve, args=(other,), daemon=True)
            self.process.start()
            other.close()
        try:
            self.connection.send((content, feeds, steps))
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            self.process = None
            return "the reference ended its process"

    @staticmethod
    def serve(connection):
        while True:
            content, feeds, steps = connection.recv()
            try:
                connection.send(Reference.interpret(content, feeds, steps))
            except (RuntimeError, ValueError) as error:
                connection.send(str(error).strip().splitlines()[-1])

    @staticmethod
    def interpreter(content, **options):
        """An interpreter with reference kernels, or, where one of them is missing, the others."""
        for resolver in (
                OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
            try:
                interpreter = Interpreter(
                    model_content=content, experimental_op_resolver_type=resolver, **options)
                interpreter.allocate_tensors()
                return interpreter
            except (RuntimeError, ValueError) as error:
                refusal = error
                if "Registration failed" not in str(error):
                    break
        raise refusal

    @staticmethod
    def interpret(content, feeds, steps):
        interpreter, results = Reference.interpreter(content), []
        for _ in range(steps):
            for detail, values in zip(interpreter.get_input_details(), feeds):
                interpreter.set_tensor(detail["index"], values)
            interpreter.invoke()
            details = interpreter.get_output_details()
            results += [interpreter.get_tensor(detail["index"]) for detail in details]
        return results


def run_edgeserve(program, path, feeds, steps, outputs, extra):
    """The outputs of all steps, or the message that they were refused with."""
    directory = path.parent
    command = [program, "invoke", str(path), "--output-dir", str(directory / "out"), *extra]
    for index, values in enumerate(feeds):
        np.save(directory / f"in{index}.npy", values)
        command += ["--input", str(directory / f"in{index}.npy")]
    if steps > 1:
        command += ["--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    names = [f"{i}.npy" for i in range(outputs)]
    for step in range(2, steps + 1):
        names += [f"step{step}_{i}.npy" for i in range(outputs)]
    return [np.load(directory / "out" / name) for name in names]


def difference(ours, theirs):
    """How one output differs; None where it does not."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.dtype}{ours.shape} instead of {theirs.dtype}{theirs.shape}"
    if theirs.size == 0:
        return None
    if theirs.dtype.kind != "f":
        distance = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        count = np.count_nonzero(distance)
        return f"{distance.max():g} off, {100 * count / distance.size:.1f} %" if count else None
    is_half = theirs.dtype == np.float16
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    finite = np.isfinite(theirs)
    if (np.isfinite(ours) != finite).any() or not np.array_equal(
            ours[~finite], theirs[~finite], equal_nan=True):
        return "other values are not finite"
    if not finite.any():
        return None
    distance = np.abs(ours - theirs)[finite].max() / max(np.abs(theirs[finite]).max(), 1e-30)
    limit = HALF_TOLERANCE if is_half else FLOAT_TOLERANCE
    return f"{distance:.1e} of the largest value" if distance > limit else None


def compare(name, model, reference, arguments, directory):
    """The verdict on one case: same, unknown to the reference, or what is wrong."""
    content = bytes(model.bytes())
    path = pathlib.Path(arguments.keep or directory) / f"{name}.tflite"
    path.write_bytes(content)
    theirs = reference.run(content, model.feeds, STEPS)
    if isinstance(theirs, str):
        return "not in the reference", theirs
    work = pathlib.Path(directory) / f"{name}.tflite"
    work.write_bytes(content)
    ours = run_edgeserve(
        arguments.program, work, model.feeds, STEPS, len(model.graph.outputs),
        ["--kernels", arguments.kernels] if arguments.kernels else [])
    if isinstance(ours, str):
        return "refused", ours
    for mine, other in zip(ours, theirs):
        found = difference(mine, other)
        if found:
            return "different", found
    return "same", None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the edgeserve to run")
    parser.add_argument("--only", default="", help="compare the cases whose name has this in it")
    parser.add_argument("--keep", help="a directory to leave the models in")
    parser.add_argument("--kernels", help="the kernel table to use")
    parser.add_argument("-v", action="store_true", help="list what the reference refuses too")
    arguments = parser.parse_args()
    counts, reference = collections.Counter(), Reference()
    with tempfile.TemporaryDirectory() as directory:
        for make in cases.ALL + recurrent_cases.ALL:
            rng = np.random.default_rng(zlib.crc32(make.__name__.encode()))
            for name, model in make(rng):
                if arguments.only not in name:
                    continue
                verdict, detail = compare(name, model, reference, arguments, directory)
                counts[verdict] += 1
                if verdict in ("refused", "different") or arguments.v and verdict != "same":
                    print(f"{verdict}: {name}: {detail}", flush=True)
    failed = counts["refused"] + counts["different"]
    print(f"{counts['same']} passed, {failed} failed, {counts['not in the reference']} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
