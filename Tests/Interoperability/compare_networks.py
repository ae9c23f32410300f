#!/usr/bin/env python3
"""Compares small Keras networks, converted in every precision, with TensorFlow Lite's reference kernels.

Each network is converted to float32, float16 weights, dynamic range, int8 (per channel and per
tensor, with int8 and with uint8 inputs and outputs) and int16 activations, and run by the reference
kernels and by `edgeserve invoke`. Needs the PyPI packages `tensorflow` and `ai-edge-litert`;
without them the comparison is skipped.

Example: compare_networks.py .build/release/edgeserve --only mobile
"""

import argparse
import collections
import os
import pathlib
import sys
import tempfile

import compare_operators

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
try:
    import numpy as np
    import tensorflow as tf
except ImportError as error:
    print(f"SKIPPED: networks were not compared with the reference kernels: {error}")
    sys.exit(0)

K = tf.keras.layers


def mobile(x):
    for channels, stride in ((16, 2), (24, 1)):
        y = K.Conv2D(channels * 4, 1, use_bias=False)(x)
        y = K.BatchNormalization()(y)
        y = K.ReLU(6.0)(y)
        y = K.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(y)
        y = K.BatchNormalization()(y)
        y = K.Activation("hard_swish")(y)
        gate = K.GlobalAveragePooling2D(keepdims=True)(y)
        gate = K.Conv2D(8, 1, activation="relu")(gate)
        gate = K.Conv2D(channels * 4, 1, activation="hard_sigmoid")(gate)
        y = K.Multiply()([y, gate])
        y = K.Conv2D(channels, 1)(y)
        x = K.Add()([x, y]) if x.shape[-1] == channels and stride == 1 else y
    return K.Dense(10, activation="softmax")(K.GlobalAveragePooling2D()(x))


def residual(x):
    for channels in (16, 32):
        y = K.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(x)
        y = K.Conv2D(channels, 3, padding="same")(y)
        x = K.ReLU()(K.Add()([y, K.Conv2D(channels, 1, strides=2)(x)]))
    x = K.AveragePooling2D(2)(x)
    return K.Dense(7)(K.Flatten()(x))


def swish(x):
    x = K.Conv2D(24, 3, strides=2, padding="same", activation="swish")(x)
    y = K.SeparableConv2D(24, 5, padding="same", activation="swish")(x)
    gate = K.Dense(24, activation="sigmoid")(K.GlobalAveragePooling2D()(y))
    y = K.Multiply()([y, K.Reshape((1, 1, 24))(gate)])
    return K.Dense(5, activation="sigmoid")(K.GlobalMaxPooling2D()(K.Concatenate()([x, y])))


def groups(x):
    x = K.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = K.Conv2D(32, 3, groups=4, padding="same", activation="relu")(x)
    x = K.Conv2D(32, 3, groups=32, padding="valid", dilation_rate=2)(x)
    return K.Dense(4)(K.GlobalAveragePooling2D()(K.PReLU(shared_axes=[1, 2])(x)))


def decoder(x):
    a = K.Conv2D(16, 3, padding="same", activation="relu")(x)
    b = K.MaxPooling2D()(a)
    b = K.LeakyReLU(negative_slope=0.2)(K.Conv2D(24, 3, padding="same")(b))
    c = K.UpSampling2D(interpolation="bilinear")(b)
    d = K.Conv2DTranspose(16, 3, strides=2, padding="same")(b)
    x = K.Concatenate()([a, c, d])
    x = K.UpSampling2D(interpolation="nearest")(K.Conv2D(8, 3, activation="tanh")(x))
    return K.Conv2D(3, 1, activation="softmax")(K.ZeroPadding2D(1)(x))


def attention(x):
    x = K.Reshape((-1, 24))(K.Conv2D(24, 4, strides=4)(x))
    x = K.LayerNormalization()(x)
    x = x + K.MultiHeadAttention(2, 12)(x, x)
    y = K.Dense(48, activation="gelu")(K.LayerNormalization()(x))
    x = K.LayerNormalization()(x + K.Dense(24)(y))
    return K.Dense(6)(K.GlobalAveragePooling1D()(x))


def sequence(x):
    x = K.Reshape((16, -1))(x)
    x = K.Conv1D(32, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    x = K.Conv1D(32, 3, strides=2, activation="elu")(x)
    x = K.Dense(64, activation="relu")(x)
    return K.Dense(3, activation="softmax")(K.Flatten()(K.MaxPooling1D(2)(x)))


def dense(x):
    x = K.Flatten()(x)
    for units in (64, 48):
        x = K.Dense(units, use_bias=False)(x)
        x = K.ReLU()(K.BatchNormalization()(x))
    return [K.Dense(10, activation="softmax")(x), K.Dense(1, activation="sigmoid")(x)]


NETWORKS = [mobile, residual, swish, groups, decoder, attention, sequence, dense]
PRECISIONS = ["float32", "float16", "dynamic", "int8", "int8tensor", "uint8", "floatio", "int16"]


def convert(model, precision, samples):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    operators = tf.lite.OpsSet
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision in ("int8", "int8tensor", "uint8", "floatio", "int16"):
        converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    if precision in ("int8", "int8tensor", "uint8"):
        converter.target_spec.supported_ops = [operators.TFLITE_BUILTINS_INT8]
        dtype = tf.uint8 if precision == "uint8" else tf.int8
        converter.inference_input_type = converter.inference_output_type = dtype
        converter._experimental_disable_per_channel = precision == "int8tensor"
    if precision == "int16":
        converter.target_spec.supported_ops = [
            operators.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    return converter.convert()


def build(network):
    tf.keras.utils.set_random_seed(len(network.__name__))
    entry = tf.keras.Input((16, 16, 3), batch_size=1)
    model = tf.keras.Model(entry, network(entry))
    rng = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, K.BatchNormalization):
            mean, variance = layer.get_weights()[2:]
            layer.set_weights(layer.get_weights()[:2] + [
                rng.normal(0, 0.3, mean.shape), rng.uniform(0.5, 1.5, variance.shape)])
    return model


def compare(name, content, samples, arguments, reference, directory):
    """The verdict on one network: as that of an operator."""
    path = pathlib.Path(arguments.keep or directory) / f"{name}.tflite"
    path.write_bytes(content)
    interpreter = tf.lite.Interpreter(model_content=content)
    detail = interpreter.get_input_details()[0]
    values = samples[-1][None]
    if detail["dtype"] != np.float32:
        scale, zero = detail["quantization"]
        info = np.iinfo(detail["dtype"])
        values = np.clip(np.round(values / scale + zero), info.min, info.max)
    feeds = [values.astype(detail["dtype"])]
    theirs = reference.run(content, feeds, 1)
    if isinstance(theirs, str):
        return "not in the reference", theirs
    ours = compare_operators.run_edgeserve(
        arguments.program, path, feeds, 1, len(interpreter.get_output_details()),
        ["--kernels", arguments.kernels] if arguments.kernels else [])
    if isinstance(ours, str):
        return "refused", ours
    differences = [compare_operators.difference(a, b) for a, b in zip(ours, theirs)]
    found = next((d for d in differences if d), None)
    return ("different", found) if found else ("same", None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the edgeserve to run")
    parser.add_argument("--only", default="", help="compare those whose name has this in it")
    parser.add_argument("--keep", help="a directory to leave the models in")
    parser.add_argument("--kernels", help="the kernel table to use")
    arguments = parser.parse_args()
    counts, reference = collections.Counter(), compare_operators.Reference()
    samples = np.random.default_rng(5).normal(0, 1, (24, 16, 16, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as directory:
        for network in NETWORKS:
            names = [f"{network.__name__}.{precision}" for precision in PRECISIONS]
            if not any(arguments.only in name for name in names):
                continue
            model = build(network)
            for name, precision in zip(names, PRECISIONS):
                if arguments.only not in name:
                    continue
                try:
                    content = convert(model, precision, samples)
                except Exception as error:  # Converters raise whatever the compiler below raises.
                    verdict, detail = "not converted", str(error).strip().splitlines()[-1]
                else:
                    verdict, detail = compare(
                        name, content, samples, arguments, reference, directory)
                counts[verdict] += 1
                if verdict != "same":
                    print(f"{verdict}: {name}: {detail}", flush=True)
    failed = counts["refused"] + counts["different"]
    skipped = counts["not in the reference"] + counts["not converted"]
    print(f"{counts['same']} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
