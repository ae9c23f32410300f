"""The committed models, golden vectors and pictures, as Python lists."""

import array
import ast
import os

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(PACKAGE, "Tests", "Fixtures")
# How many of the test pictures TensorFlow Lite's reference kernels get right; see Tests/Fixtures/README.md.
REFERENCE_RIGHT = {1: 411, 2: 490}


def model(version):
    return os.path.join(FIXTURES, "digits", f"v{version}", "model.tflite")


def read_npy(path):
    """Shape and flat elements of a little-endian, C-ordered `.npy` file of format 1."""
    with open(path, "rb") as file:
        content = file.read()
    start = 10 + int.from_bytes(content[8:10], "little")
    header = ast.literal_eval(content[10:start].decode())
    code = {"|i1": "b", "|u1": "B", "<f4": "f"}[header["descr"]]
    return list(header["shape"]), array.array(code, content[start:]).tolist()


def golden(version):
    """The golden vectors of a version: pairs of 64 inputs and 10 outputs, int8."""
    directory = os.path.join(os.path.dirname(model(version)), "golden")
    count = len(os.listdir(directory)) // 2
    return [
        tuple(read_npy(os.path.join(directory, f"{k}_{way}_0.npy"))[1] for way in ("in", "out"))
        for k in range(count)
    ]


def test_split():
    """The test pictures, 64 int8 each, and the digits they show."""
    _, pixels = read_npy(os.path.join(FIXTURES, "digits", "test_images.npy"))
    _, labels = read_npy(os.path.join(FIXTURES, "digits", "test_labels.npy"))
    return [pixels[k : k + 64] for k in range(0, len(pixels), 64)], labels


def picture(pixels):
    """64 values as the nested [8, 8, 1] of the row and column forms."""
    return [[[pixels[8 * y + x]] for x in range(8)] for y in range(8)]


def top(scores):
    return max(range(len(scores)), key=scores.__getitem__)
