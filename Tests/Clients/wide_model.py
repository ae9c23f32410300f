"""A TensorFlow Lite model with a large input, written field by field: none of the fixtures has one."""

import struct

MEAN, REDUCER_OPTIONS = 40, 27
FLOAT32, INT32 = 0, 2


class Writer:
    """Lays tables, vectors and strings of a FlatBuffer out behind what points at them.

    A tuple is a table, whose fields are absent, numbers or content; a list holds numbers or tables.
    """

    def __init__(self, identifier, root):
        self.bytes = bytearray(4) + identifier
        self.point(0, self.table(root))

    def align(self, size):
        self.bytes += bytes(-len(self.bytes) % size)

    def point(self, place, target):
        struct.pack_into("<I", self.bytes, place, target - place)

    def table(self, fields):
        self.align(8)
        vtable = len(self.bytes)
        self.bytes += bytes(4 + 2 * len(fields))
        self.align(8)
        start = len(self.bytes)
        self.bytes += struct.pack("<i", start - vtable)
        pending = []
        for index, field in enumerate(fields):
            if field is None:
                continue
            struct.pack_into("<H", self.bytes, vtable + 4 + 2 * index, len(self.bytes) - start)
            if not isinstance(field, int):
                pending.append((len(self.bytes), field))
            # Small numbers of one byte read the same in four.
            self.bytes += struct.pack("<i", field if isinstance(field, int) else 0)
        struct.pack_into("<HH", self.bytes, vtable, 4 + 2 * len(fields), len(self.bytes) - start)
        for place, field in pending:
            self.point(place, self.content(field))
        return start

    def content(self, field):
        if isinstance(field, tuple):
            return self.table(field)
        self.align(4)
        start = len(self.bytes)
        self.bytes += struct.pack("<I", len(field))
        if isinstance(field, bytes):
            # A string ends with a zero, which does no harm behind other bytes.
            self.bytes += field + b"\0"
        elif all(isinstance(element, int) for element in field):
            self.bytes += struct.pack(f"<{len(field)}i", *field)
        else:
            self.bytes += bytes(4 * len(field))
            for index, element in enumerate(field):
                self.point(start + 4 + 4 * index, self.table(element))
        return start


def mean(count):
    """The file of a model that gives the mean `y` of `count` numbers `x`."""
    tensors = [
        ([1, count], FLOAT32, 0, b"x"),
        ([1], INT32, 1, b"axis"),
        ([1], FLOAT32, 0, b"y"),
    ]
    operator = (0, [0, 1], [2], REDUCER_OPTIONS, (0,))
    subgraph = (tensors, [0], [2], [operator], b"main")
    buffers = [(), (struct.pack("<i", 1),)]
    return bytes(Writer(b"TFL3", (3, [(MEAN, None, 1, MEAN)], [subgraph], b"mean", buffers)).bytes)
