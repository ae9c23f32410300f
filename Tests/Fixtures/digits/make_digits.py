"""Trains the digits classifiers of the tests and writes them as TensorFlow Lite files.

    python make_digits.py OUTPUT_DIRECTORY

Everything is seeded and runs on one thread, so that the same package versions on the same kind of
processor give the same bytes. See README.md beside this file.
"""

import hashlib
import os
import pathlib
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SEED = 20240611
TEST_COUNT = 500
GOLDEN_COUNTS = {1: 16, 2: 16, 3: 4, 4: 4, 5: 4}
CLASSES = 10
# version: (training images, epochs, learning rate, continues from)
VERSIONS = {
    1: (400, 26, 4e-3, None),
    2: (1297, 60, 4e-3, None),
    3: (1297, 2, 5e-4, 2),
    4: (1297, 2, 5e-4, 3),
    5: (1297, 2, 5e-4, 4),
}


def split():
    """Training and test images as float32 [n, 8, 8, 1] in 0...1, and their classes."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., None]
    return train_test_split(
        images, digits.target, test_size=TEST_COUNT, random_state=SEED, stratify=digits.target
    )


def network():
    """Convolution, depthwise and pointwise convolution, mean over the picture, fully connected."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 1, activation="relu"),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.Conv2D(32, 2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def train(model, images, classes, epochs, rate, seed):
    """Minimises the cross entropy over shuffled batches, every second one moved by up to one pixel."""
    random = np.random.default_rng(seed)
    rates = tf.keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(images) // 32))
    optimizer = tf.keras.optimizers.Adam(rates)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function(reduce_retracing=True)
    def step(pictures, targets):
        with tf.GradientTape() as tape:
            loss = loss_of(targets, model(pictures, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        )

    for _ in range(epochs):
        order = random.permutation(len(images))
        for start in range(0, len(order), 32):
            batch = order[start : start + 32]
            shift = random.integers(-1, 2, 2) * (start // 32 % 2)
            moved = np.zeros_like(images[batch])
            source = [slice(max(0, -s), 8 - max(0, s)) for s in shift]
            target = [slice(max(0, s), 8 - max(0, -s)) for s in shift]
            moved[:, target[0], target[1]] = images[batch][:, source[0], source[1]]
            step(tf.constant(moved), tf.constant(classes[batch]))


def saved(function, name, shape, output, directory):
    """A SavedModel with one signature, so that the tensors keep their names."""
    specification = tf.TensorSpec(shape, tf.float32, name=name)
    live = tf.function(function, input_signature=[specification]).get_concrete_function()
    frozen = convert_variables_to_constants_v2(live)
    module = tf.Module()
    module.serve = tf.function(
        lambda value: {output: frozen(value)[0]}, input_signature=[specification]
    )
    tf.saved_model.save(module, directory, signatures={"serving_default": module.serve})
    return tf.lite.TFLiteConverter.from_saved_model(directory)


def float_file(function, name, shape, output):
    with tempfile.TemporaryDirectory() as directory:
        return saved(function, name, shape, output, directory).convert()


def int8_file(model, samples):
    """Full-integer: int8 input and output, weights per channel, calibrated on `samples`."""
    with tempfile.TemporaryDirectory() as directory:
        converter = saved(model, "image", [None, 8, 8, 1], "probabilities", directory)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        return converter.convert()


REFERENCE = tf.lite.experimental.OpResolverType.BUILTIN_REF
OPTIMISED = tf.lite.experimental.OpResolverType.BUILTIN


def interpreter(content, resolver=REFERENCE):
    """TensorFlow Lite on a model file."""
    reference = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    reference.allocate_tensors()
    return reference


def quantized(content, images):
    """The images as the model's int8 input takes them."""
    scale, zero_point = interpreter(content).get_input_details()[0]["quantization"]
    return np.clip(np.rint(images / scale) + zero_point, -128, 127).astype(np.int8)


def outputs(content, inputs, resolver=REFERENCE):
    """What the kernels answer, one input of batch 1 at a time."""
    reference = interpreter(content, resolver)
    source = reference.get_input_details()[0]["index"]
    target = reference.get_output_details()[0]["index"]
    answers = []
    for value in inputs:
        reference.set_tensor(source, value[None])
        reference.invoke()
        answers.append(reference.get_tensor(target).copy())
    return np.concatenate(answers)


def write_version(directory, content, inputs):
    """A model file and its golden vectors."""
    (directory / "golden").mkdir(parents=True, exist_ok=True)
    (directory / "model.tflite").write_bytes(content)
    for index, (value, answer) in enumerate(zip(inputs, outputs(content, inputs))):
        np.save(directory / "golden" / f"{index}_in_0.npy", value[None])
        np.save(directory / "golden" / f"{index}_out_0.npy", answer[None])


def golden_picks(content, inputs, version):
    """Random pictures on which the reference and the optimised kernels give the same bytes.

    The two round differently; where a picture is at a tie, a difference of one step in the middle can
    grow on its way through the network, and would tell nothing about the model.
    """
    agree = (outputs(content, inputs) == outputs(content, inputs, OPTIMISED)).all(1)
    order = np.random.default_rng(SEED + version).permutation(TEST_COUNT)
    return order[agree[order]][: GOLDEN_COUNTS[version]]


def main():
    root = pathlib.Path(sys.argv[1])
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)

    train_images, test_images, train_classes, test_classes = split()
    models, files = {}, {}
    for version, (count, epochs, rate, base) in VERSIONS.items():
        model = network()
        if base:
            model.set_weights(models[base].get_weights())
        train(model, train_images[:count], train_classes[:count], epochs, rate, SEED + version)
        models[version] = model
        files[version] = int8_file(model, train_images[:256])

    # One quantisation of the pictures serves all versions: the calibration pictures are the same.
    test_inputs = quantized(files[1], test_images)
    for version, content in files.items():
        assert np.array_equal(test_inputs, quantized(content, test_images))
        picks = golden_picks(content, test_inputs, version)
        write_version(root / "digits" / f"v{version}", content, test_inputs[picks])
        right = outputs(content, test_inputs).argmax(1) == test_classes
        print(f"digits v{version}: {right.mean():.3f} of {TEST_COUNT}, {len(content)} bytes")
    np.save(root / "digits" / "test_images.npy", test_inputs)
    np.save(root / "digits" / "test_labels.npy", test_classes.astype(np.uint8))
    (root / "digits" / "labels.txt").write_text("".join(f"{k}\n" for k in range(CLASSES)))

    content = float_file(models[2], "image", [None, 8, 8, 1], "probabilities")
    write_version(root / "digits_float", content, test_images[:4])
    right = outputs(content, test_images).argmax(1) == test_classes
    print(f"digits_float: {right.mean():.3f} of {TEST_COUNT}, {len(content)} bytes")

    content = float_file(lambda x: x * 0.5 + 2.0, "x", [None], "y")
    write_version(root / "half_plus_two", content, np.array([0, 1, 2, 5], np.float32))
    print(f"half_plus_two: {len(content)} bytes")

    written = sorted(path for path in root.rglob("*") if path.suffix in (".tflite", ".npy"))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n"
        for path in written
        if path.parent.name != "golden"
    ]
    (root / "SHA256SUMS").write_text("".join(sums))
    print(f"total: {sum(path.stat().st_size for path in written)} bytes")


main()
