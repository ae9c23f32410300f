"""Recurrent operators: pairs of a name and a `Model`."""

import itertools

import numpy as np

from builder import Model

TANH = 4


def lstm(rng, kind, complement, peepholes, projection, normalized, time_major, clip, asymmetric):
    """A long short-term memory over three moments of two sequences; `kind` names the weights."""
    m, steps, batch, inputs, cells = Model(), 3, 2, 6, 8
    outputs = 5 if projection else cells
    shape = (steps, batch, inputs) if time_major else (batch, steps, inputs)

    def weights(rows, columns):
        values = rng.normal(0, 0.5, (rows, columns) if columns else (rows,)).astype(np.float32)
        if kind == "float32":
            return m.constant(values)
        scale = float(np.abs(values).max()) / 127
        return m.constant(np.round(values / scale).astype(np.int8), scale)

    def vector(length, spread=0.3):
        return m.constant(rng.normal(0, spread, length).astype(np.float32))

    operands = [m.input(rng.normal(0, 1, shape).astype(np.float32))]
    gates = range(1 if complement else 0, 4)
    operands += [weights(cells, inputs) if g in gates else -1 for g in range(4)]
    operands += [weights(cells, outputs) if g in gates else -1 for g in range(4)]
    operands += [weights(cells, None) if peepholes and g in gates else -1 for g in (0, 1, 3)]
    operands += [vector(cells) if g in gates else -1 for g in range(4)]
    operands += [weights(outputs, cells) if projection else -1, -1]
    operands += [m.tensor((batch, outputs), "float32", variable=True),
                 m.tensor((batch, cells), "float32", variable=True)]
    if normalized:
        operands += [vector(cells, 1.0) if g in gates else -1 for g in range(4)]
    y = m.output([*shape[:2], outputs], "float32")
    m.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, [y], "UnidirectionalSequenceLSTMOptions",
               fusedActivationFunction=TANH, timeMajor=time_major, cellClip=clip, projClip=clip,
               asymmetricQuantizeInputs=asymmetric)
    return m


def long_short_term_memories(rng):
    forms = [("plain", {}), ("complement", {"complement": True}), ("peepholes", {"peepholes": True}),
             ("projection", {"projection": True}), ("normalized", {"normalized": True}),
             ("timemajor", {"time_major": True}), ("clip", {"clip": 0.4, "projection": True}),
             ("all", {"peepholes": True, "projection": True, "normalized": True}),
             ("leastgates", {"complement": True, "peepholes": True, "projection": True})]
    base = {"complement": False, "peepholes": False, "projection": False, "normalized": False,
            "time_major": False, "clip": 0.0}
    for kind, (name, form) in itertools.product(("float32", "hybrid", "asymmetric"), forms):
        yield f"lstm.{kind}.{name}", lstm(
            rng, "float32" if kind == "float32" else "int8", **base | form,
            asymmetric=kind == "asymmetric")


def filters(rng):
    """SVDF: rank 1 and 2, in float32, with int8 weights, and in codes."""
    for kind, rank in itertools.product(("float32", "hybrid", "int8"), (1, 2)):
        m, batch, inputs, units, memory = Model(), 2, 7, 6, 5
        count = units * rank

        def weights(shape, spread, dtype="int8"):
            values = rng.normal(0, spread, shape).astype(np.float32)
            if kind == "float32":
                return m.constant(values)
            limit = 127 if dtype == "int8" else 32767
            scale = float(np.abs(values).max()) / limit
            return m.constant(np.round(values / scale).astype(dtype), scale)

        if kind == "int8":
            x = m.input(rng.integers(-128, 127, (batch, inputs)).astype(np.int8), 0.02, 3)
            features, time = weights((count, inputs), 0.4), weights((count, memory), 0.4, "int16")
            bias = m.constant(rng.integers(-500, 500, units).astype(np.int32), 0.0001)
            state = m.tensor((batch, count * memory), "int16", 0.0003, 0, variable=True)
            y = m.output([batch, units], "int8", 0.03, -2)
        else:
            x = m.input(rng.normal(0, 1, (batch, inputs)).astype(np.float32))
            features, time = weights((count, inputs), 0.4), weights((count, memory), 0.4)
            bias = m.constant(rng.normal(0, 0.3, units).astype(np.float32))
            state = m.tensor((batch, count * memory), "float32", variable=True)
            y = m.output([batch, units], "float32")
        m.operator("SVDF", [x, features, time, bias, state], [y], "SVDFOptions", rank=rank,
                   fusedActivationFunction=1 if rank == 1 and kind != "int8" else 0)
        yield f"svdf.{kind}.{rank}", m


def plain_layers(rng):
    """UNIDIRECTIONAL_SEQUENCE_RNN and RNN, whose states are kept."""
    for kind, sequence, (activation, name) in itertools.product(
            ("float32", "hybrid", "asymmetric"), (True, False),
            ((TANH, "tanh"), (1, "relu"), (0, "none"))):
        m, steps, batch, inputs, units = Model(), 4, 2, 6, 7
        time_major, asymmetric = activation == TANH, kind == "asymmetric"

        def constant(*shape):
            return weights_of(m, rng, shape, kind if len(shape) > 1 else "float32")

        shape = (steps, batch, inputs) if time_major else (batch, steps, inputs)
        x = m.input(rng.normal(0, 1, shape if sequence else (batch, inputs)).astype(np.float32))
        operands = [x, constant(units, inputs), constant(units, units), constant(units),
                    m.tensor((batch, units), "float32", variable=True)]
        y = m.output([*shape[:2], units] if sequence else [batch, units], "float32")
        if sequence:
            m.operator("UNIDIRECTIONAL_SEQUENCE_RNN", operands, [y], "SequenceRNNOptions",
                       fusedActivationFunction=activation, timeMajor=time_major,
                       asymmetricQuantizeInputs=asymmetric)
        else:
            m.operator("RNN", operands, [y], "RNNOptions", fusedActivationFunction=activation,
                       asymmetricQuantizeInputs=asymmetric)
        yield f"rnn.{kind}.{'sequence' if sequence else 'step'}.{name}", m


def weights_of(model, rng, shape, kind):
    """Constant numbers, or codes where `kind` is not float32."""
    values = rng.normal(0, 0.3, shape).astype(np.float32)
    if kind == "float32":
        return model.constant(values)
    scale = float(np.abs(values).max()) / 127
    return model.constant(np.round(values / scale).astype(np.int8), scale)


def both_ways(rng):
    """BIDIRECTIONAL_SEQUENCE_LSTM and _RNN: merged or not, and what a second input is for."""
    for long, kind, second, merges, time_major in itertools.product(
            (True, False), ("float32", "hybrid", "asymmetric"), ("none", "backward", "weights"),
            (False, True), (False, True)):
        # Where the reference does not agree with itself in the other layout, or reads what it never wrote.
        is_contradicted = (
            merges and not time_major if long
            else second == "backward" and not time_major or kind != "float32" and time_major)
        # Two matrices of codes, of one scale each, are not joined.
        if is_contradicted or second == "weights" and kind != "float32":
            continue
        m, steps, batch, inputs, units = Model(), 3, 2, 6, 5
        gates = 4 if long else 1
        shape = (steps, batch, inputs) if time_major else (batch, steps, inputs)

        def feed():
            return m.input(rng.normal(0, 1, shape).astype(np.float32))

        x, states, operands = feed(), [], []
        for _ in range(2):
            own = [weights_of(m, rng, (units, inputs), kind) for _ in range(gates)]
            own += [weights_of(m, rng, (units, units), kind) for _ in range(gates)]
            own += [-1] * (3 if long else 0)
            own += [weights_of(m, rng, (units,), "float32") for _ in range(gates)]
            own += [-1] * (2 if long else 0)
            kept = [m.tensor((batch, units), "float32", variable=True)
                    for _ in range(2 if long else 1)]
            operands += own if long else own + kept
            states += kept
        operands = [x, *operands, *(states if long else [])]
        operands.append(feed() if second != "none" else -1)
        operands += [weights_of(m, rng, (units, inputs), kind) if second == "weights" else -1
                     for _ in range(2 * gates)]
        outputs = [m.output([*shape[:2], size], "float32")
                   for size in ([2 * units] if merges else [units, units])]
        name = "BIDIRECTIONAL_SEQUENCE_" + ("LSTM" if long else "RNN")
        options = "BidirectionalSequence" + ("LSTMOptions" if long else "RNNOptions")
        m.operator(name, operands, outputs, options, fusedActivationFunction=TANH,
                   mergeOutputs=merges, timeMajor=time_major,
                   asymmetricQuantizeInputs=kind == "asymmetric")
        yield (f"bothways.{'lstm' if long else 'rnn'}.{kind}.{second}."
               f"{'merged' if merges else 'apart'}.{'time' if time_major else 'batch'}"), m


ALL = [long_short_term_memories, filters, plain_layers, both_ways]
