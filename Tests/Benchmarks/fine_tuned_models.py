#!/usr/bin/env python3
"""Trains a network on real pictures and fine-tunes it, and writes each state as TensorFlow Lite files.

Pictures: the 1797 handwritten digits of scikit-learn, enlarged to 16 by 16. Network: residual convolutions, 2.5 million
weights. States: `base`, trained on 700 pictures; from it, on 700 others, `head`, whose last layer alone is trained on;
`few`, 10 steps of Adam at a rate of 1e-5; `small`, 50 of them; `middle`, 200 steps at 1e-4; `sparse`, as middle, but of
each layer only the twentieth of the weights that changed most keep their change. Each as float32 and as int8 with a scale
for each channel, quantised anew on the same pictures, as a publisher would. Besides `large-1` and `large-2`, untrained
networks of 16 MiB of int8 weights, for what does not depend on training.

Needs tensorflow and scikit-learn; takes about five minutes on one core. Seeded.

usage: fine_tuned_models.py OUTPUT-DIRECTORY
"""

import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

SEED = 7
SIDE = 16


def pictures():
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., None]
    images = tf.image.resize(images, (SIDE, SIDE), method="bicubic").numpy().clip(0, 1)
    order = np.random.default_rng(SEED).permutation(len(images))
    return images[order], digits.target[order]


def network():
    layers = tf.keras.layers

    def convolution(x, channels, stride=1, activation="relu"):
        x = layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        return layers.Activation(activation)(x) if activation else x

    inputs = layers.Input((SIDE, SIDE, 1))
    x = convolution(inputs, 32)
    for channels in (64, 128, 256):
        x = convolution(x, channels, 2)
        y = convolution(x, channels)
        y = convolution(y, channels, activation=None)
        x = layers.Activation("relu")(layers.Add()([x, y]))
    x = convolution(x, 256)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def train(model, images, classes, steps, rate, seed):
    random = np.random.default_rng(seed)
    optimizer = tf.keras.optimizers.Adam(rate)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()
    variables = model.trainable_variables

    # A fine-tuning leaves the statistics of normalisation as they are.
    training = rate >= 1e-3

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=training))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    for _ in range(steps):
        chosen = random.choice(len(images), 64)
        loss = step(images[chosen], classes[chosen])
    return float(loss)


def accuracy(model, images, classes):
    return float((model.predict(images, verbose=0, batch_size=256).argmax(-1) == classes).mean())


def convert(model, images, quantised):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in images[:200])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def write(directory, name, model, images, classes, kinds=(("float", False), ("int8", True))):
    shown = accuracy(model, images[1400:], classes[1400:])
    for kind, quantised in kinds:
        data = convert(model, images, quantised)
        path = directory / f"{name}-{kind}"
        (path / "golden").mkdir(parents=True, exist_ok=True)
        (path / "model.tflite").write_bytes(data)
        interpreter = tf.lite.Interpreter(model_content=data)
        interpreter.allocate_tensors()
        (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
        for i in range(4):
            scale, zero = entry["quantization"]
            x = images[1700 + i][None]
            x = np.round(x / scale + zero).clip(-128, 127).astype(np.int8) if quantised else x
            interpreter.set_tensor(entry["index"], x)
            interpreter.invoke()
            np.save(path / "golden" / f"{i}_in_0.npy", x)
            np.save(path / "golden" / f"{i}_out_0.npy", interpreter.get_tensor(answer["index"]))
        print(f"{name}-{kind}: {len(data)} bytes, accuracy {shown:.3f}", flush=True)


def large():
    layers = tf.keras.layers
    inputs = layers.Input((SIDE, SIDE, 1))
    x = layers.Dense(2048, activation="relu")(layers.Flatten()(inputs))
    for _ in range(4):
        x = layers.Dense(1984, activation="relu")(x)
    return tf.keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def main():
    directory = pathlib.Path(sys.argv[1])
    tf.keras.utils.set_random_seed(SEED)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    images, classes = pictures()
    model = network()
    train(model, images[:700], classes[:700], 250, 1e-3, 1)
    base = model.get_weights()
    write(directory, "base", model, images, classes)

    further = images[700:1400], classes[700:1400]
    for layer in model.layers[:-1]:
        layer.trainable = False
    train(model, *further, 100, 3e-4, 2)
    write(directory, "head", model, images, classes)
    for layer in model.layers:
        layer.trainable = True

    model.set_weights(base)
    train(model, *further, 10, 1e-5, 3)
    write(directory, "few", model, images, classes)

    model.set_weights(base)
    train(model, *further, 50, 1e-5, 3)
    write(directory, "small", model, images, classes)

    model.set_weights(base)
    train(model, *further, 200, 1e-4, 4)
    write(directory, "middle", model, images, classes)

    sparse = []
    for before, after in zip(base, model.get_weights()):
        change = np.abs(after - before)
        bound = np.quantile(change, 0.95) if before.ndim > 1 else np.inf
        sparse.append(np.where(change > bound, after, before))
    model.set_weights(sparse)
    write(directory, "sparse", model, images, classes)

    for name in ("large-1", "large-2"):
        write(directory, name, large(), images, classes, (("int8", True),))


main()
