"""Writes small TensorFlow Lite models, one operator or a few, in any element type."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    "float32": np.float32, "float16": np.float16, "int8": np.int8, "uint8": np.uint8,
    "int16": np.int16, "int32": np.int32, "int64": np.int64, "bool": np.bool_,
    "uint16": np.uint16, "uint32": np.uint32,
}


class Model:
    """One subgraph; tensors are numbers, given by the functions that add them."""

    def __init__(self):
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.buffers, self.codes, self.feeds = [self._buffer(b"")], [], []

    @staticmethod
    def _buffer(data):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data, np.uint8) if data else None
        return buffer

    def tensor(self, shape, dtype, scale=None, zero=0, axis=0, data=None, variable=False,
               sparsity=None):
        """A tensor of any kind; `scale` may be one number or one for each index of `axis`."""
        tensor = schema.TensorT()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.name, tensor.isVariable = f"t{len(self.graph.tensors)}", variable
        tensor.sparsity = sparsity
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            scales = np.atleast_1d(np.array(scale, np.float32))
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = np.broadcast_to(
                np.array(zero, np.int64), scales.shape).copy()
            tensor.quantization.quantizedDimension = axis
        tensor.buffer = 0
        if data is not None:
            self.buffers.append(self._buffer(bytes(data)))
            tensor.buffer = len(self.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def input(self, values, scale=None, zero=0, dtype=None):
        """An input that the comparison feeds with `values`."""
        index = self.tensor(values.shape, dtype or values.dtype.name, scale, zero)
        self.graph.inputs.append(index)
        self.feeds.append(values)
        return index

    def constant(self, values, scale=None, zero=0, axis=0, dtype=None):
        dtype = dtype or np.asarray(values).dtype.name
        values = np.asarray(values)
        data = values.tobytes()
        if dtype == "int4":
            codes = values.astype(np.int8).reshape(-1)
            codes = np.append(codes, [0] * (len(codes) % 2)).astype(np.uint8) & 15
            data = (codes[0::2] | codes[1::2] << 4).astype(np.uint8).tobytes()
        if dtype == "int2":
            codes = values.astype(np.int8).reshape(-1)
            codes = np.append(codes, [0] * (-len(codes) % 4)).astype(np.uint8) & 3
            data = sum(codes[i::4] << 2 * i for i in range(4)).astype(np.uint8).tobytes()
        return self.tensor(values.shape, dtype, scale, zero, axis, data)

    def output(self, shape, dtype, scale=None, zero=0):
        index = self.tensor(shape, dtype, scale, zero)
        self.graph.outputs.append(index)
        return index

    def operator(self, name, inputs, outputs, options=None, version=1, intermediates=None, **fields):
        """Adds an operator; `fields` are set in its options, whose type has the name `options`."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array(outputs, np.int32)
        if intermediates is not None:
            operator.intermediates = np.array(intermediates, np.int32)
        if options:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        self.graph.operators.append(operator)

    def bytes(self):
        model = schema.ModelT()
        model.version, model.subgraphs = 3, [self.graph]
        model.operatorCodes, model.buffers = self.codes, self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return builder.Output()
