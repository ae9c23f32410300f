"""Single operators in every element type that converters write: pairs of a name and a `Model`."""

import itertools

import numpy as np

from builder import Model

NONE, RELU, RELU_N1, RELU6 = 0, 1, 2, 3
SAME, VALID = 0, 1
QUANTIZED = {"int8": (0.05, 3), "uint8": (0.05, 117), "int16": (0.0004, 0)}


def codes(rng, shape, dtype):
    """Values over most of the range of an integer type, or normal ones."""
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    info = np.iinfo(dtype)
    low, high = max(info.min, -30000), min(info.max, 30000)
    return rng.integers(low, high, shape, endpoint=True).astype(dtype)


def scheme(dtype):
    return QUANTIZED.get(dtype, (None, 0))


def feed(model, rng, shape, dtype):
    return model.input(codes(rng, shape, dtype), *scheme(dtype))


def product_tensors(model, rng, kind, shape, weights, channel_axis, channels, with_bias, depth,
                    output):
    """Input, weights, bias and output of a convolution or matrix product of one kind."""
    types = {
        "float32": ("float32", "float32", "float32"), "float16": ("float32", "float16", "float32"),
        "int8": ("int8", "int8", "int32"), "int8tensor": ("int8", "int8", "int32"),
        "int8int4": ("int8", "int4", "int32"), "uint8": ("uint8", "uint8", "int32"),
        "int16": ("int16", "int8", "int64"), "int16b32": ("int16", "int8", "int32"),
        "hybrid": ("float32", "int8", "float32"), "hybridtensor": ("float32", "int8", "float32"),
        "hybrid4": ("float32", "int4", "float32"),
    }
    dtype, weight_type, bias_type = types[kind]
    x = feed(model, rng, shape, dtype)
    scale, zero = None, 0
    if weight_type == "float16":
        half = model.constant(rng.standard_normal(weights).astype(np.float16))
        w = model.tensor(weights, "float32")
        model.operator("DEQUANTIZE", [half], [w])
    elif weight_type == "float32":
        w = model.constant(rng.standard_normal(weights).astype(np.float32))
    elif kind == "uint8":
        scale, zero = np.array([0.013], np.float32), 131
        w = model.constant(codes(rng, weights, "uint8"), scale, zero)
    else:
        per_tensor = kind in ("int8tensor", "hybridtensor")
        scale = (rng.random(1 if per_tensor else channels) * 0.02 + 0.005).astype(np.float32)
        limit = 7 if weight_type == "int4" else 127
        values = rng.integers(-limit, limit, weights, endpoint=True).astype(np.int8)
        w = model.constant(values, scale, 0, channel_axis, weight_type)
    b = -1
    if with_bias:
        if bias_type == "float32":
            b = model.constant(rng.standard_normal(channels).astype(np.float32))
        else:
            values = rng.integers(-3000, 3000, channels).astype(bias_type)
            b = model.constant(values, scheme(dtype)[0] * scale, 0)
    if dtype == "float32":
        y = model.output(output, dtype)
    else:
        unit = scheme(dtype)[0] * float(np.mean(scale)) * np.sqrt(depth)
        wide = 4 if weight_type == "int4" else 74
        spread = {"int8": 74, "uint8": 74, "int16": 17000}[dtype]
        y = model.output(
            output, dtype, unit * wide * spread / (10000 if dtype == "int16" else 40),
            {"int8": -5, "uint8": 121, "int16": 0}[dtype])
    return x, w, b, y


PRODUCT_KINDS = ["float32", "float16", "int8", "int8tensor", "int8int4", "uint8", "int16",
                 "int16b32", "hybrid", "hybridtensor", "hybrid4"]


def extent(size, kernel, stride, dilation, padding):
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - reach) // stride + 1


def convolutions(rng):
    forms = [  # batch, height, width, inputs, outputs, kernel, stride, dilation, padding, groups
        (1, 7, 9, 5, 11, (3, 3), (1, 1), (1, 1), SAME, 1),
        (2, 8, 7, 3, 16, (3, 3), (2, 2), (1, 1), SAME, 1),
        (1, 9, 9, 4, 6, (5, 3), (2, 1), (1, 1), VALID, 1),
        (3, 6, 6, 17, 19, (1, 1), (1, 1), (1, 1), SAME, 1),
        (1, 6, 6, 8, 8, (1, 1), (2, 2), (1, 1), VALID, 1),
        (1, 12, 11, 6, 5, (3, 3), (1, 1), (2, 3), SAME, 1),
        (1, 12, 12, 2, 33, (3, 2), (1, 1), (2, 2), VALID, 1),
        (1, 8, 8, 8, 12, (3, 3), (1, 1), (1, 1), SAME, 4),
        (2, 7, 7, 6, 6, (3, 3), (2, 2), (1, 1), SAME, 3),
        (1, 5, 40, 4, 8, (1, 5), (1, 1), (1, 1), SAME, 2),
    ]
    for kind, (number, form) in itertools.product(PRODUCT_KINDS, enumerate(forms)):
        n, h, w, ci, co, k, s, d, padding, groups = form
        m = Model()
        out = [n, extent(h, k[0], s[0], d[0], padding), extent(w, k[1], s[1], d[1], padding), co]
        x, f, b, y = product_tensors(
            m, rng, kind, (n, h, w, ci), (co, *k, ci // groups), 0, co, True,
            k[0] * k[1] * ci // groups, out)
        m.operator("CONV_2D", [x, f, b], [y], "Conv2DOptions",
                   quantizedBiasType=2 if kind == "int16b32" else 0, padding=padding, strideH=s[0], strideW=s[1], dilationHFactor=d[0],
                   dilationWFactor=d[1], fusedActivationFunction=[NONE, RELU6, RELU][number % 3])
        yield f"conv.{kind}.{number}", m


def depthwise_convolutions(rng):
    forms = [  # batch, height, width, channels, multiplier, kernel, stride, dilation, padding
        (1, 7, 9, 5, 1, (3, 3), (1, 1), (1, 1), SAME),
        (2, 9, 8, 16, 1, (3, 3), (2, 2), (1, 1), SAME),
        (1, 9, 9, 3, 4, (3, 3), (1, 1), (1, 1), VALID),
        (1, 10, 10, 1, 8, (5, 5), (2, 2), (1, 1), SAME),
        (1, 12, 11, 20, 1, (3, 3), (1, 1), (2, 2), SAME),
        (2, 1, 30, 6, 2, (1, 9), (1, 1), (1, 1), SAME),
        (1, 9, 9, 33, 1, (7, 5), (1, 1), (1, 1), VALID),
    ]
    for kind, (number, form) in itertools.product(PRODUCT_KINDS, enumerate(forms)):
        n, h, w, c, multiplier, k, s, d, padding = form
        m, co = Model(), c * multiplier
        out = [n, extent(h, k[0], s[0], d[0], padding), extent(w, k[1], s[1], d[1], padding), co]
        x, f, b, y = product_tensors(
            m, rng, kind, (n, h, w, c), (1, *k, co), 3, co, number % 3 != 1, k[0] * k[1], out)
        m.operator("DEPTHWISE_CONV_2D", [x, f, b][:3 if b >= 0 else 2], [y],
                   "DepthwiseConv2DOptions", padding=padding, strideH=s[0], strideW=s[1],
                   dilationHFactor=d[0], dilationWFactor=d[1], depthMultiplier=multiplier,
                   fusedActivationFunction=[NONE, RELU6, RELU][number % 3])
        yield f"depthwise.{kind}.{number}", m


def matrix_products(rng):
    forms = [((1, 40), 12, False), ((3, 17), 1, False), ((2, 5, 24), 18, True),
             ((2, 3, 4, 8), 10, False), ((4, 130), 33, False)]
    kinds = PRODUCT_KINDS + ["hybridasymmetric", "hybridtensorasymmetric"]
    for kind, (number, (shape, units, keeps)) in itertools.product(kinds, enumerate(forms)):
        m, depth = Model(), shape[-1]
        asymmetric = kind.endswith("asymmetric")
        out = [*shape[:-1], units] if keeps else [int(np.prod(shape)) // depth, units]
        x, w, b, y = product_tensors(
            m, rng, kind.removesuffix("asymmetric"), shape, (units, depth), 0, units,
            number % 3 != 1, depth, out)
        m.operator("FULLY_CONNECTED", [x, w, b], [y], "FullyConnectedOptions", keepNumDims=keeps,
                   quantizedBiasType=2 if kind == "int16b32" else 0, asymmetricQuantizeInputs=asymmetric,
                   fusedActivationFunction=[NONE, RELU, RELU6][number % 3])
        yield f"dense.{kind}.{number}", m


def computed_weights(rng):
    """Weights that are inputs, or that an operator makes."""
    for dtype in ("float32", "int8", "uint8"):
        for name, shape, weights, out in (
                ("FULLY_CONNECTED", (3, 20), (7, 20), [3, 7]),
                ("CONV_2D", (1, 6, 6, 4), (5, 3, 3, 4), [1, 6, 6, 5]),
                ("DEPTHWISE_CONV_2D", (1, 6, 6, 4), (1, 3, 3, 4), [1, 6, 6, 4])):
            m = Model()
            x = feed(m, rng, shape, dtype)
            zero = {"int8": 0, "uint8": 121}.get(dtype, 0)
            w = m.input(codes(rng, weights, dtype), None if dtype == "float32" else 0.02, zero)
            channels = out[-1]
            b = m.constant(rng.standard_normal(channels).astype("f") if dtype == "float32" else
                           rng.integers(-900, 900, channels).astype(np.int32),
                           None if dtype == "float32" else 0.001)
            y = m.output(out, dtype, None if dtype == "float32" else 0.9, scheme(dtype)[1])
            if name == "FULLY_CONNECTED":
                m.operator(name, [x, w, b], [y], "FullyConnectedOptions")
            elif name == "CONV_2D":
                m.operator(name, [x, w, b], [y], "Conv2DOptions", padding=SAME, strideH=1,
                           strideW=1, dilationHFactor=1, dilationWFactor=1)
            else:
                m.operator(name, [x, w, b], [y], "DepthwiseConv2DOptions", padding=SAME, strideH=1,
                           strideW=1, dilationHFactor=1, dilationWFactor=1, depthMultiplier=1)
            yield f"computed.{name.lower()}.{dtype}", m
    for name in ("FULLY_CONNECTED", "CONV_2D"):
        m = Model()
        x = feed(m, rng, (1, 4, 4, 8), "float32")
        w = m.constant(rng.standard_normal((6, 8) if name == "FULLY_CONNECTED" else (6, 1, 1, 8))
                       .astype("f"))
        b = m.input(rng.standard_normal(6).astype("f"))
        y = m.output([16, 6] if name == "FULLY_CONNECTED" else [1, 4, 4, 6], "float32")
        if name == "FULLY_CONNECTED":
            m.operator(name, [x, w, b], [y], "FullyConnectedOptions")
        else:
            m.operator(name, [x, w, b], [y], "Conv2DOptions", padding=SAME, strideH=1, strideW=1,
                       dilationHFactor=1, dilationWFactor=1)
        yield f"computed.bias.{name.lower()}", m


def batched_products(rng):
    forms = [((2, 5, 7), (2, 7, 6), 0, 0), ((1, 3, 4, 8), (1, 3, 6, 8), 0, 1),
             ((2, 8, 5), (2, 8, 9), 1, 0), ((2, 6, 5), (3, 6), 1, 1), ((2, 1, 4, 6), (3, 6, 5), 0, 0),
             ((4, 16), (16, 20), 0, 0)]
    for dtype, (number, (left, right, adj_x, adj_y)) in itertools.product(
            ("float32", "int8", "int16", "hybrid", "hybridasymmetric"), enumerate(forms)):
        if number == 3:
            right = (3, 6)
        m, kind = Model(), "float32" if dtype.startswith("hybrid") else dtype
        a = feed(m, rng, left, kind)
        if dtype.startswith("hybrid"):
            b = m.constant(codes(rng, right, "int8"), 0.013)
        else:
            b = feed(m, rng, right, kind)
        rows = left[-1] if adj_x else left[-2]
        columns = right[-2] if adj_y else right[-1]
        batch = np.broadcast_shapes(left[:-2], right[:-2])
        y = m.output([*batch, rows, columns], kind, {"int8": 0.9, "int16": 0.004}.get(dtype),
                     {"int8": -7}.get(dtype, 0))
        m.operator("BATCH_MATMUL", [a, b], [y], "BatchMatMulOptions", adjX=bool(adj_x),
                   adjY=bool(adj_y), asymmetricQuantizeInputs=dtype.endswith("asymmetric"))
        yield f"batchmatmul.{dtype}.{number}", m


def binaries(rng):
    shapes = [((2, 3, 4, 5), (2, 3, 4, 5)), ((1, 7, 5, 9), (9,)), ((2, 1, 4, 1), (1, 3, 1, 5)),
              ((3, 1), (2, 1, 5)), ((6,), ()), ((2, 2, 1, 3, 4), (2, 1, 3, 1, 4)),
              ((2, 1, 2, 1, 3, 4), (1, 2, 1, 2, 3, 1))]
    options = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}
    names = ["ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW",
             "FLOOR_DIV", "FLOOR_MOD", "PRELU", "EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL",
             "GREATER", "GREATER_EQUAL"]
    for name, dtype, (number, (a, b)) in itertools.product(
            names, ("float32", "int8", "uint8", "int16", "int32", "int64"), enumerate(shapes)):
        if name == "PRELU" and number not in (1, 0):
            continue
        if name.startswith("FLOOR_") and dtype in ("int8", "int16"):
            continue  # The reference divides the codes, whatever they stand for.
        m = Model()
        left, right = codes(rng, a, dtype), codes(rng, b, dtype)
        if name in ("DIV", "FLOOR_DIV", "FLOOR_MOD"):
            right = np.where(right == scheme(dtype)[1], right + 9, right).astype(dtype)
        if name == "POW":
            left, right = abs(left) % 5, abs(right) % 4
            left, right = left.astype(dtype), right.astype(dtype)
        if name in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL"):
            right = np.where(rng.random(b) < 0.5, np.broadcast_to(left.flat[0], b), right)
            right = right.astype(dtype)
        scale, zero = scheme(dtype)
        other = (scale * 0.7, {"int8": -9, "uint8": 140}.get(dtype, 0)) if scale else (None, 0)
        predicate = name in names[11:]
        if name in ("MAXIMUM", "MINIMUM") or predicate and (number % 2 == 0 or dtype == "int16"):
            other = (scale, zero)
        x, z = m.input(left, scale, zero), m.input(right, *other)
        spread = {"MUL": 2.2, "SQUARED_DIFFERENCE": 20, "DIV": 1.5}.get(name, 1.3)
        if dtype == "int16":
            spread *= 1.5
        target = (scale * spread, {"int8": 5, "uint8": 121}.get(dtype, 0)) if scale else (None, 0)
        if name in ("MAXIMUM", "MINIMUM"):
            target = (scale, zero)
        y = m.output(np.broadcast_shapes(a, b), "bool" if predicate else dtype,
                     *((None, 0) if predicate else target))
        fields = {}
        if name in options and dtype not in ("int64",):
            fields["fusedActivationFunction"] = [NONE, RELU, RELU6][number % 3]
        m.operator(name, [x, z], [y], options.get(name), **fields)
        yield f"binary.{name.lower()}.{dtype}.{number}", m


def unaries(rng):
    names = {"RELU": {}, "RELU6": {}, "RELU_N1_TO_1": {}, "RELU_0_TO_1": {}, "LOGISTIC": {},
             "TANH": {}, "HARD_SWISH": {}, "LEAKY_RELU": {"alpha": 0.3}, "ELU": {}, "GELU": {},
             "ABS": {}, "NEG": {}, "SQRT": {}, "RSQRT": {}, "EXP": {}, "LOG": {}, "SIN": {},
             "COS": {}, "FLOOR": {}, "CEIL": {}, "ROUND": {}, "SQUARE": {}, "SIGN": {}}
    for name, dtype in itertools.product(names, ("float32", "int8", "uint8", "int16", "int32")):
        m = Model()
        values = codes(rng, (2, 5, 7, 19), dtype)
        scale, zero = scheme(dtype)
        if name in ("SQRT", "RSQRT", "LOG"):
            zero = {"int8": -128, "uint8": 0}.get(dtype, 0)
            values = (np.abs(values.astype(np.int64)) + 1 if dtype == "int16" else
                      np.abs(values) + np.float32(0.1) if dtype == "float32" else
                      np.maximum(values, (zero or 0) + 1)).astype(dtype)
        x = m.input(values, scale, zero)
        target = {
            "LOGISTIC": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (2**-15, 0)},
            "TANH": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (2**-15, 0)},
            "RELU6": {"int8": (6 / 255, -128), "uint8": (6 / 255, 0), "int16": (6 / 32767, 0)},
        }.get(name, {}).get(dtype, (scale * 0.8 if scale else None, scheme(dtype)[1]))
        if name in ("ABS", "NEG", "RSQRT"):
            target = (scale, zero)
        y = m.output(values.shape, dtype, *target)
        option = {"LEAKY_RELU": "LeakyReluOptions", "GELU": "GeluOptions"}.get(name)
        m.operator(name, [x], [y], option, **names[name])
        yield f"unary.{name.lower()}.{dtype}", m


def pools(rng):
    forms = [((1, 8, 9, 5), (2, 2), (2, 2), VALID), ((2, 7, 7, 16), (3, 3), (2, 2), SAME),
             ((1, 6, 6, 33), (6, 6), (1, 1), VALID), ((1, 11, 5, 4), (3, 2), (1, 1), SAME)]
    for name, dtype, (number, (shape, k, s, padding)) in itertools.product(
            ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"),
            ("float32", "int8", "uint8", "int16"), enumerate(forms)):
        m = Model()
        x = feed(m, rng, shape, dtype)
        n, h, w, c = shape
        out = [n, extent(h, k[0], s[0], 1, padding), extent(w, k[1], s[1], 1, padding), c]
        y = m.output(out, dtype, *scheme(dtype))
        m.operator(name, [x], [y], "Pool2DOptions", padding=padding, strideH=s[0], strideW=s[1],
                   filterHeight=k[0], filterWidth=k[1],
                   fusedActivationFunction=[NONE, RELU6, RELU, NONE][number])
        yield f"pool.{name.lower()}.{dtype}.{number}", m


def reductions(rng):
    forms = [((2, 5, 6, 7), (1, 2), True), ((2, 5, 6, 7), (3,), False), ((3, 4, 5), (0, 2), False),
             ((2, 9), (-1,), True), ((2, 3, 4, 5), (0, 1, 2, 3), False)]
    names = ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL")
    types = ("float32", "int8", "uint8", "int16", "int32", "int64", "bool")
    for name, dtype, (number, (shape, axes, keeps)) in itertools.product(
            names, types, enumerate(forms)):
        if (dtype == "bool") != (name in names[5:]):
            continue
        m = Model()
        scale, zero = scheme(dtype)
        values = codes(rng, shape, dtype)
        if name == "REDUCE_PROD":
            values = (values % 5).astype(dtype)
            scale, zero = (0.4, 0) if scale else (scale, zero)
        x = m.input(values, scale, zero)
        axis = m.constant(np.array(axes, np.int32))
        kept = {a % len(shape) for a in axes}
        out = [1 if i in kept else e for i, e in enumerate(shape)] if keeps else [
            e for i, e in enumerate(shape) if i not in kept]
        factor = {"SUM": 6, "MEAN": 0.6}.get(name, 1)
        target = (scale * factor, zero + (0 if dtype == "int16" else 2)) if scale else (None, 0)
        if name in ("REDUCE_MAX", "REDUCE_MIN"):
            target = (scale, zero)
        y = m.output(out, dtype, *target)
        m.operator(name, [x, axis], [y], "ReducerOptions", keepDims=keeps)
        yield f"reduce.{name.lower()}.{dtype}.{number}", m
    for name, dtype, axis in itertools.product(
            ("ARG_MAX", "ARG_MIN"), ("float32", "int8", "uint8", "int32"), (-1, 1)):
        m = Model()
        x = feed(m, rng, (2, 6, 5), dtype)
        out = [2, 6] if axis == -1 else [2, 5]
        y = m.output(out, "int64" if axis == 1 else "int32")
        m.operator(name, [x, m.constant(np.array(axis, np.int32))], [y],
                   "ArgMaxOptions" if name == "ARG_MAX" else "ArgMinOptions",
                   outputType=4 if axis == 1 else 2)
        yield f"argument.{name.lower()}.{dtype}.{axis}", m


def angles_and_bits(rng):
    """ATAN2, BITWISE_XOR and RIGHT_SHIFT, whose operands have one shape."""
    m = Model()
    x, z = (m.input(rng.standard_normal((3, 40)).astype("f")) for _ in range(2))
    m.operator("ATAN2", [x, z], [m.output([3, 40], "float32")])
    yield "atan2", m
    for name, low, high in (("BITWISE_XOR", -9999, 9999), ("RIGHT_SHIFT", -3, 40)):
        m = Model()
        x = m.input(rng.integers(-9999, 9999, (3, 40)).astype("int32"))
        z = m.input(rng.integers(low, high, (3, 40)).astype("int32"))
        m.operator(name, [x, z], [m.output([3, 40], "int32")])
        yield name.lower(), m


def conversions(rng):
    """QUANTIZE, DEQUANTIZE and CAST between all pairs."""
    schemes = {"float32": (None, 0), "int8": (0.03, -11), "uint8": (0.031, 119),
               "int16": (0.0007, 0), "int32": (0.0002, 0)}
    for a, b in itertools.product(schemes, schemes):
        for same in (False, True):
            if b == "float32" or (a == "float32" and same):
                continue
            m = Model()
            values = codes(rng, (3, 4, 50), a) * (1 if a != "float32" else np.float32(3))
            s = schemes[a]
            t = (s[0], schemes[b][1]) if same else schemes[b]
            x = m.input(values.astype(a), *s)
            m.operator("QUANTIZE", [x], [m.output(values.shape, b, *t)])
            yield f"quantize.{a}.{b}" + (".same" if same else ""), m
    for a in ("int8", "uint8", "int16", "int32", "float16"):
        m = Model()
        x = m.input(codes(rng, (3, 50), a), *schemes.get(a, (None, 0)))
        m.operator("DEQUANTIZE", [x], [m.output([3, 50], "float32")])
        yield f"dequantize.{a}", m
    for weights in ("int8", "int4"):
        m = Model()
        values = rng.integers(-7, 7, (4, 6, 5)).astype(np.int8)
        w = m.constant(values, rng.random(4).astype("f") + 0.1, 0, 0, weights)
        d = m.tensor(values.shape, "float32")
        m.operator("DEQUANTIZE", [w], [d])
        x = m.input(rng.standard_normal((4, 6, 5)).astype("f"))
        m.operator("ADD", [x, d], [m.output([4, 6, 5], "float32")], "AddOptions")
        yield f"dequantize.constant.{weights}", m
    types = ["float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool", "uint32",
             "uint16"]
    for a, b in itertools.product(types, types):
        m = Model()
        values = codes(rng, (3, 40), a)
        if a.startswith("float"):
            values = (values * 20).astype(a)
        if (a.startswith("float") and b.startswith("uint")):
            values = np.abs(values)
        m.operator("CAST", [m.input(values)], [m.output([3, 40], b)], "CastOptions")
        yield f"cast.{a}.{b}", m


def layouts(rng):
    """Operators that move elements, in every type."""
    for dtype in ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool"):
        s = scheme(dtype)
        m = Model()
        x, z = feed(m, rng, (2, 3, 4), dtype), feed(m, rng, (2, 5, 4), dtype)
        m.operator("CONCATENATION", [x, z], [m.output([2, 8, 4], dtype, *s)],
                   "ConcatenationOptions", axis=1)
        yield f"concatenation.{dtype}", m
        if s[0]:
            m = Model()
            x = m.input(codes(rng, (2, 3, 4), dtype), s[0] * 0.9, s[1])
            z = m.input(codes(rng, (2, 5, 4), dtype), *s)
            m.operator("CONCATENATION", [x, z], [m.output([2, 8, 4], dtype, s[0] * 1.3, s[1])],
                       "ConcatenationOptions", axis=1)
            yield f"concatenation.scales.{dtype}", m
        m = Model()
        x = feed(m, rng, (2, 6, 4), dtype)
        parts = [m.output([2, 2, 4], dtype, *s) for _ in range(3)]
        m.operator("SPLIT", [m.constant(np.array(1, np.int32)), x], parts, "SplitOptions",
                   numSplits=3)
        yield f"split.{dtype}", m
        m = Model()
        x = feed(m, rng, (1, 4, 5, 3), dtype)
        amounts = m.constant(np.array([[0, 0], [1, 2], [2, 0], [0, 1]], np.int32))
        m.operator("PAD", [x, amounts], [m.output([1, 7, 7, 4], dtype, *s)], "PadOptions")
        yield f"pad.{dtype}", m
        m = Model()
        x = feed(m, rng, (1, 4, 5, 3), dtype)
        amounts = m.constant(np.array([[0, 0], [1, 2], [2, 0], [0, 1]], np.int32))
        fill = m.constant(codes(rng, (1,), dtype), *s)
        m.operator("PADV2", [x, amounts, fill], [m.output([1, 7, 7, 4], dtype, *s)],
                   "PadV2Options")
        yield f"padv2.{dtype}", m
        m = Model()
        x = feed(m, rng, (4, 5), dtype)
        amounts = m.constant(np.array([[1, 2], [3, 3]], np.int32))
        m.operator("MIRROR_PAD", [x, amounts], [m.output([7, 11], dtype, *s)], "MirrorPadOptions",
                   mode=0)
        yield f"mirrorpad.{dtype}", m
        m = Model()
        x = feed(m, rng, (2, 3, 4, 5), dtype)
        m.operator("TRANSPOSE", [x, m.constant(np.array([0, 3, 1, 2], np.int32))],
                   [m.output([2, 5, 3, 4], dtype, *s)], "TransposeOptions")
        yield f"transpose.{dtype}", m
        m = Model()
        x = feed(m, rng, (5, 6, 7), dtype)
        strided = [m.constant(np.array(v, np.int32)) for v in ([1, 5, 0], [5, 0, 7], [2, -2, 3])]
        m.operator("STRIDED_SLICE", [x, *strided], [m.output([2, 3, 3], dtype, *s)],
                   "StridedSliceOptions")
        yield f"stridedslice.{dtype}", m
        m = Model()
        x = feed(m, rng, (6, 5), dtype)
        indices = m.constant(np.array([4, 0, 5], np.int32))
        m.operator("GATHER", [x, indices], [m.output([3, 5], dtype, *s)], "GatherOptions", axis=0)
        yield f"gather.{dtype}", m
        m = Model()
        condition = feed(m, rng, (2, 1, 5), "bool")
        x, z = feed(m, rng, (2, 3, 5), dtype), feed(m, rng, (3, 1), dtype)
        m.operator("SELECT_V2", [condition, x, z], [m.output([2, 3, 5], dtype, *s)],
                   "SelectV2Options")
        yield f"select.{dtype}", m
        m = Model()
        x, z = feed(m, rng, (2, 3), dtype), feed(m, rng, (2, 3), dtype)
        m.operator("PACK", [x, z], [m.output([2, 2, 3], dtype, *s)], "PackOptions", axis=1,
                   valuesCount=2)
        yield f"pack.{dtype}", m
        m = Model()
        x = feed(m, rng, (2, 3), dtype)
        m.operator("TILE", [x, m.constant(np.array([2, 3], np.int32))],
                   [m.output([4, 9], dtype, *s)], "TileOptions")
        yield f"tile.{dtype}", m
        m = Model()
        x = feed(m, rng, (1, 2, 3, 8), dtype)
        m.operator("DEPTH_TO_SPACE", [x], [m.output([1, 4, 6, 2], dtype, *s)],
                   "DepthToSpaceOptions", blockSize=2)
        yield f"depthtospace.{dtype}", m
        m = Model()
        x = feed(m, rng, (1, 4, 6, 2), dtype)
        m.operator("SPACE_TO_DEPTH", [x], [m.output([1, 2, 3, 8], dtype, *s)],
                   "SpaceToDepthOptions", blockSize=2)
        yield f"spacetodepth.{dtype}", m
        m = Model()
        x = feed(m, rng, (2, 5), dtype)
        m.operator("SPLIT_V", [x, m.constant(np.array([2, 3], np.int32)),
                               m.constant(np.array(1, np.int32))],
                   [m.output([2, 2], dtype, *s), m.output([2, 3], dtype, *s)], "SplitVOptions",
                   numSplits=2)
        yield f"splitv.{dtype}", m
    for weights in ("int8", "int4", "uint8"):
        m = Model()
        values = rng.integers(-7, 7, (9, 6)).astype(np.int8)
        if weights == "uint8":
            values = (values + 100).astype(np.uint8)
        table = m.constant(values, 0.07, 0 if weights != "uint8" else 100, 0, weights)
        ids = m.input(np.array([3, 8, 0, 1], np.int32))
        m.operator("EMBEDDING_LOOKUP", [ids, table], [m.output([4, 6], "float32")])
        yield f"embedding.hybrid.{weights}", m
    m = Model()
    table = m.constant(rng.integers(-7, 7, (9, 6)).astype(np.int8), 0.07, 0, 0, "int4")
    ids = m.input(np.array([3, 8, 0, 1], np.int32))
    m.operator("GATHER", [table, ids], [m.output([4, 6], "int8", 0.07)], "GatherOptions")
    yield "gather.int4", m


def rows(rng):
    """Softmax and its like, and resampling."""
    for dtype, beta, shape in itertools.product(
            ("float32", "int8", "uint8", "int16"), (1.0, 0.4), ((3, 17), (1, 2, 3, 10))):
        m = Model()
        target = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (2**-15, 0)}
        x = feed(m, rng, shape, dtype)
        y = m.output(shape, dtype, *target.get(dtype, (None, 0)))
        m.operator("SOFTMAX", [x], [y], "SoftmaxOptions", beta=beta)
        yield f"softmax.{dtype}.{beta}.{len(shape)}", m
    m = Model()
    x = feed(m, rng, (3, 17), "int8")
    m.operator("SOFTMAX", [x], [m.output([3, 17], "int16", 1 / 65536, -32768)], "SoftmaxOptions",
               beta=1.0)
    yield "softmax.int8.int16", m
    for dtype in ("float32", "int8", "uint8", "int16"):
        m = Model()
        x = feed(m, rng, (3, 17), dtype)
        target = {"int8": (16 / 256, 127), "uint8": (16 / 256, 255)}.get(dtype, scheme(dtype))
        m.operator("LOG_SOFTMAX", [x], [m.output([3, 17], dtype, *target)], "LogSoftmaxOptions")
        yield f"logsoftmax.{dtype}", m
        m = Model()
        x = feed(m, rng, (2, 3, 11), dtype)
        target = {"int8": (1 / 128, 0), "uint8": (1 / 128, 128)}.get(dtype, scheme(dtype))
        m.operator("L2_NORMALIZATION", [x], [m.output([2, 3, 11], dtype, *target)],
                   "L2NormOptions")
        yield f"l2normalization.{dtype}", m
        m = Model()
        x = feed(m, rng, (1, 4, 5, 8), dtype)
        m.operator("LOCAL_RESPONSE_NORMALIZATION", [x],
                   [m.output([1, 4, 5, 8], dtype, *scheme(dtype))],
                   "LocalResponseNormalizationOptions", radius=2, bias=1.0, alpha=0.1, beta=0.5)
        yield f"localresponse.{dtype}", m
    for name, dtype, (number, (align, half)), size in itertools.product(
            ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), ("float32", "int8", "uint8", "int16"),
            enumerate(((False, False), (True, False), (False, True))), ((9, 4), (3, 12))):
        m = Model()
        x = feed(m, rng, (2, 5, 6, 3), dtype)
        y = m.output([2, *size, 3], dtype, *scheme(dtype))
        option = "ResizeBilinearOptions" if "BI" in name else "ResizeNearestNeighborOptions"
        m.operator(name, [x, m.constant(np.array(size, np.int32))], [y], option,
                   alignCorners=align, halfPixelCenters=half)
        yield f"{name.lower()}.{dtype}.{number}.{size[0]}", m


def transposed_convolutions(rng):
    forms = [((1, 5, 6, 4), 7, (3, 3), (2, 2), SAME), ((2, 4, 4, 8), 5, (2, 2), (2, 2), VALID),
             ((1, 3, 7, 3), 4, (4, 4), (2, 2), SAME), ((1, 4, 4, 3), 2, (3, 3), (1, 1), VALID),
             ((1, 1, 9, 6), 3, (1, 5), (1, 3), SAME)]
    kinds = ["float32", "float16", "int8", "int8tensor", "uint8", "int16", "hybrid"]
    for kind, (number, (shape, co, k, s, padding)) in itertools.product(kinds, enumerate(forms)):
        m = Model()
        n, h, w, ci = shape
        if padding == SAME:
            out = [n, h * s[0], w * s[1], co]
        else:
            out = [n, (h - 1) * s[0] + k[0], (w - 1) * s[1] + k[1], co]
        x, f, b, y = product_tensors(
            m, rng, kind, shape, (co, *k, ci), 0, co, number % 2 == 0, k[0] * k[1] * ci // 4, out)
        size = m.constant(np.array(out, np.int32))
        m.operator("TRANSPOSE_CONV", [size, f, x, b][:4 if b >= 0 else 3], [y],
                   "TransposeConvOptions", padding=padding, strideH=s[0], strideW=s[1],
                   fusedActivationFunction=[NONE, NONE, RELU][number % 3])
        yield f"transposeconv.{kind}.{number}", m


def transposed_volumes(rng):
    """CONV_3D_TRANSPOSE, whose operands are the shape, weights [d, h, w, o, c] and the data."""
    forms = [((1, 3, 4, 5, 3), 4, (2, 3, 2), (2, 1, 2), SAME), ((2, 2, 3, 3, 2), 17, (2, 2, 3),
             (1, 2, 1), VALID), ((1, 4, 2, 3, 5), 3, (3, 1, 2), (3, 2, 2), SAME)]
    for number, (shape, co, k, s, padding) in enumerate(forms):
        m = Model()
        spatial = [n * s[i] if padding == SAME else (n - 1) * s[i] + k[i]
                   for i, n in enumerate(shape[1:4])]
        out = [shape[0], *spatial, co]
        size = m.constant(np.array(out, np.int32))
        w = m.constant(rng.normal(0, 0.5, (*k, co, shape[4])).astype(np.float32))
        operands = [size, w, feed(m, rng, shape, "float32")]
        if number % 2 == 0:
            operands.append(m.constant(rng.normal(0, 0.5, co).astype(np.float32)))
        y = m.output(out, "float32")
        m.operator("CONV_3D_TRANSPOSE", operands, [y], "Conv3DOptions", padding=padding,
                   strideD=s[0], strideH=s[1], strideW=s[2], dilationDFactor=1,
                   dilationHFactor=1, dilationWFactor=1)
        yield f"conv3dtranspose.{number}", m


def fake_quantizations(rng):
    forms = [(-1, 1, 8, False), (-6, 6, 8, True), (0.5, 6, 4, False), (-3, -0.25, 16, False),
             (-0.3, 2.9, 2, False), (-7.3, 0.01, 8, False)]
    for number, (low, high, bits, narrow) in enumerate(forms):
        m = Model()
        x, y = feed(m, rng, (3, 200), "float32"), m.output([3, 200], "float32")
        m.operator("FAKE_QUANT", [x], [y], "FakeQuantOptions", min=low, max=high, numBits=bits,
                   narrowRange=narrow)
        yield f"fakequant.{number}", m


def sparse_places(rng):
    """SPARSE_TO_DENSE with places of every rank, and with one number or several."""
    places = [np.array(2, np.int32), np.array([0, 3, 5], np.int32),
              np.array([[0, 1], [1, 0], [3, 2]], np.int64)]
    for dtype, (rank, place), scalar in itertools.product(
            ("float32", "int32", "int64", "int8", "uint8"), enumerate(places), (True, False)):
        m, count = Model(), 3 if rank else 1
        out = [4, 3] if rank == 2 else [6]
        values = rng.integers(1, 9, [] if scalar else [count]).astype(dtype)
        y_shape = m.constant(np.array(out, place.dtype))
        operands = [m.constant(place), y_shape, m.input(values), m.constant(np.array(7, dtype))]
        y = m.output(out, dtype)
        m.operator("SPARSE_TO_DENSE", operands, [y], "SparseToDenseOptions", version=3)
        yield f"sparsetodense.{dtype}.{rank}.{'one' if scalar else 'many'}", m


def short_weights(rng):
    """Weights of fewer bits than a byte, for activations of every kind, and pads of bools."""
    for bits, kind in itertools.product((2, 4), ("float32", "int8", "int16")):
        m, depth, units = Model(), 24, 6
        high = 1 << bits - 1
        w = m.constant(rng.integers(-high, high, (units, depth)).astype(np.int8), 0.05,
                       dtype=f"int{bits}")
        scales = {"float32": (None, None), "int8": (0.5, 0.9), "int16": (0.0005, 0.0009)}[kind]
        x = (feed(m, rng, (2, depth), kind) if kind == "float32"
             else m.input(codes(rng, (2, depth), kind), scales[0]))
        y = m.output([2, units], kind, scales[1])
        m.operator("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions",
                   version={2: 14, 4: 13}[bits])
        yield f"dense.int{bits}.{kind}", m
    m = Model()
    x = m.input(rng.integers(0, 2, (2, 3)).astype(np.bool_))
    y = m.output([3, 6], "bool")
    m.operator("PAD", [x, m.constant(np.array([[1, 0], [1, 2]], np.int32))], [y], "PadOptions",
               version=5)
    yield "pad.bool", m


ALL = [convolutions, depthwise_convolutions, matrix_products, computed_weights, batched_products,
       binaries, unaries, pools, reductions, conversions,
       angles_and_bits, layouts, rows, transposed_convolutions, transposed_volumes,
       fake_quantizations, sparse_places, short_weights]
