"""Pipelines through every protocol: images from files to labels, sounds to features, switches, and models swapped below them."""

import base64
import concurrent.futures
import json
import os
import shutil
import struct
import threading
import time
import unittest
import zipfile
import zlib

import grpc
import numpy
import tritonclient.grpc

import agent
import fixtures
import tensorflow_messages  # noqa: F401  Must come before the modules that refer to TensorFlow.
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_service_pb2_grpc

SHARED = os.environ.get("EDGESERVE_SHARED", os.path.join(os.path.dirname(fixtures.PACKAGE), "shared"))
MOBILENET = os.path.join(SHARED, "models", "coral", "mobilenet_v1_0.25_128_quant.tflite")
KEYWORDS = os.path.join(SHARED, "models", "mlperf_tiny", "kws_ref_model.tflite")
# Scale and zero point of the keyword network's input.
KEYWORD_CODES = (0.5847029089927673, 83)
SWAPS = 20
if not os.path.exists(MOBILENET):
    print("SKIPPED: pipelines of real networks; set EDGESERVE_SHARED to try them.")


def png(pixels):
    """A PNG file of uint8 pixels [height, width] or [height, width, 3]."""
    height, width = pixels.shape[:2]
    color = 0 if pixels.ndim == 2 else 2
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def digit(number):
    """Test picture `number` as a file; its codes are the classifier's int8 plus 128."""
    return png((numpy.array(fixtures.test_split()[0][number]) + 128).astype(numpy.uint8).reshape(8, 8))


def resized(pixels, height, width):
    """Bilinear, with half-pixel centres, as TensorFlow's tf.image.resize defines it; float64."""
    def axis(count, size):
        place = (numpy.arange(count) + 0.5) * size / count - 0.5
        low = numpy.floor(place).astype(int)
        return numpy.clip(low, 0, size - 1), numpy.clip(low + 1, 0, size - 1), place - low

    (top, bottom, down), (left, right, across) = axis(height, pixels.shape[0]), axis(width, pixels.shape[1])
    across, down = across[None, :, None], down[:, None, None]
    rows = pixels.astype(float)
    above = rows[top][:, left] * (1 - across) + rows[top][:, right] * across
    below = rows[bottom][:, left] * (1 - across) + rows[bottom][:, right] * across
    return above * (1 - down) + below * down


def mfcc(sound, rate=16000, length=480, step=320, bands=40, low=20, high=4000, count=10):
    """The features of tf.signal: frames, a periodic Hann window, magnitudes, mel bands, logarithm, cosines."""
    frames = numpy.stack([sound[k : k + length] for k in range(0, len(sound) - length + 1, step)])
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(length) / length)
    spectrum = numpy.abs(numpy.fft.rfft(frames * window, 512))

    def mel(hertz):
        return 1127 * numpy.log(1 + numpy.asarray(hertz) / 700)

    edges = numpy.linspace(mel(low), mel(high), bands + 2)
    bins = mel(numpy.linspace(0, rate / 2, 257)[1:])[:, None]
    up = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = numpy.vstack([numpy.zeros((1, bands)), numpy.maximum(0, numpy.minimum(up, down))])
    logarithms = numpy.log(spectrum @ weights + 1e-6)
    cosines = numpy.cos(numpy.pi / bands * (numpy.arange(bands)[:, None] + 0.5) * numpy.arange(count))
    return logarithms @ cosines * numpy.sqrt(2 / bands)


class PipelineTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        """Digits from pictures, ranked and in a cascade; where they are there, a network and keywords too."""
        picture = {"image": {"std": [255], "pixels_maximum": 4096}}
        moving = os.path.join(directory, "moving")
        os.makedirs(os.path.join(moving, "1"))
        shutil.copy(fixtures.model(1), os.path.join(moving, "1"))
        models = {"digits": agent.install_digits(directory), "weak": fixtures.model(1), "moving": moving}
        models |= {f"v{k}": os.path.join(fixtures.FIXTURES, "digits", f"v{k}", "model.tflite") for k in range(1, 6)}
        pipelines = {
            "photo": [picture, {"model": "digits"}],
            "moving_photo": [picture, {"model": "moving"}],
            "named": [picture, {"model": "digits"}, {"top": 3}],
            "pixels": [{"image": {"source": "pixels", "std": [255], "pixels_maximum": 4096}}, {"model": "digits"}],
            "cascade": [
                picture, {"model": "weak"}, {"top": {"k": 2, "output": "probabilities"}},
                {"switch": [{"label": "0"}, {"score_below": 0.9, "model": "digits"}]},
            ],
        }
        if os.path.exists(MOBILENET):
            models |= {"mobilenet": MOBILENET, "keywords": KEYWORDS}
            pipelines["objects"] = [
                {"image": {"mean": [127.5], "std": [127.5], "pixels_maximum": 65536}},
                {"model": "mobilenet"}, {"top": 5},
            ]
            pipelines["spoken"] = [
                {"audio": {
                    "features": "mfcc", "samples": 16000, "sample_rate": 16000, "frame_length": 480,
                    "frame_step": 320, "lowest_hz": 20, "highest_hz": 4000, "coefficients": 10}},
                {"model": "keywords"}, {"top": 12},
            ]
        path = os.path.join(directory, "edgeserve.json")
        with open(path, "w") as file:
            json.dump({"models": models, "pipelines": pipelines, "poll_milliseconds": 20}, file)
        return ["--config", path]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = grpc.insecure_channel("unix:" + cls.agent.grpc_socket)
        cls.tensorflow = prediction_service_pb2_grpc.PredictionServiceStub(cls.channel)
        cls.triton = tritonclient.grpc.InferenceServerClient("unix:" + cls.agent.grpc_socket)

    @classmethod
    def tearDownClass(cls):
        cls.triton.close()
        cls.channel.close()
        super().tearDownClass()

    def ask(self, method, path, body=None, headers=None, admin=False):
        connection = agent.UnixConnection(self.agent.admin_socket if admin else self.agent.socket)
        content = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, content, headers or {})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply, content

    def predict(self, pipeline, body, call="predict"):
        reply, content = self.ask("POST", f"/v1/models/{pipeline}:{call}", body)
        self.assertEqual(reply.status, 200, content)
        return json.loads(content), reply

    @staticmethod
    def b64(file):
        return {"b64": base64.b64encode(file).decode()}

    def scores(self, number, model="digits"):
        """What a model makes of a test picture itself: ten numbers from 0 to 1."""
        pixels = fixtures.picture(fixtures.test_split()[0][number])
        answer, _ = self.predict(model, {"instances": [pixels]})
        return [(code + 128) / 256 for code in answer["predictions"][0]]

    # The protocols.

    def test_tensorflow_rest(self):
        for body in (
            {"instances": [self.b64(digit(k)) for k in range(4)]},
            {"instances": [{"image": self.b64(digit(k))} for k in range(4)]},
            {"inputs": {"image": [self.b64(digit(k)) for k in range(4)]}},
        ):
            answer, reply = self.predict("photo", body)
            self.assertEqual(reply.headers["X-Pinned-Versions"], "digits@2")
            rows = answer.get("predictions") or answer["outputs"]
            for k, row in enumerate(rows):
                self.assertEqual([(code + 128) / 256 for code in row], self.scores(k))
        answer, _ = self.predict("named", {"instances": [self.b64(digit(0)), self.b64(digit(1))]})
        for k, row in enumerate(answer["predictions"]):
            expected = self.scores(k)
            order = sorted(range(10), key=lambda c: -expected[c])[:3]
            self.assertEqual(row["scores"], [expected[c] for c in order])
            self.assertEqual(row["classes"][0], str(order[0]))
        answer, _ = self.predict("named", {"examples": [{"image": self.b64(digit(0))}]}, "classify")
        (classes,) = answer["results"]
        self.assertEqual(len(classes), 3)
        self.assertEqual(classes[0], [str(fixtures.top(self.scores(0))), max(self.scores(0))])

    def test_tensorflow_metadata(self):
        _, content = self.ask("GET", "/v1/models/named/metadata")
        signature = json.loads(content)["metadata"]["signature_def"]["signature_def"]["serving_default"]
        self.assertEqual(signature["inputs"]["image"]["dtype"], "DT_STRING")
        self.assertEqual(signature["outputs"]["classes"]["dtype"], "DT_STRING")
        _, content = self.ask("GET", "/v1/models/named")
        self.assertEqual(json.loads(content)["model_version_status"][0]["state"], "AVAILABLE")

    def test_open_inference_rest(self):
        _, content = self.ask("GET", "/v2/models/named")
        described = json.loads(content)
        self.assertEqual(described["platform"], "edgeserve_pipeline")
        self.assertEqual(described["inputs"], [{"name": "image", "datatype": "BYTES", "shape": [-1]}])
        files = [digit(k) for k in range(2)]
        binary = b"".join(struct.pack("<I", len(file)) + file for file in files)
        head = json.dumps({"inputs": [{
            "name": "image", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(binary)}}]})
        reply, content = self.ask(
            "POST", "/v2/models/named/infer", head.encode() + binary,
            {"Inference-Header-Content-Length": str(len(head))})
        self.assertEqual(reply.status, 200, content)
        answer = json.loads(content)
        classes, scores = answer["outputs"]
        self.assertEqual((classes["datatype"], classes["shape"]), ("BYTES", [2, 3]))
        self.assertEqual((scores["datatype"], scores["shape"]), ("FP32", [2, 3]))
        self.assertEqual(answer["parameters"], {"pinned_versions": "digits@2"})
        self.assertEqual(classes["data"][0], str(fixtures.top(self.scores(0))))
        self.assertEqual(classes["data"][3], str(fixtures.top(self.scores(1))))
        # A file alone is the whole request, and the answer is binary.
        reply, content = self.ask(
            "POST", "/v2/models/named/infer", files[0], {"Inference-Header-Content-Length": "0"})
        self.assertEqual(reply.status, 200, content)
        length = int(reply.headers["Inference-Header-Content-Length"])
        self.assertIn(str(fixtures.top(self.scores(0))).encode(), content[length:])

    def test_open_inference_grpc(self):
        tensor = tritonclient.grpc.InferInput("image", [3], "BYTES")
        tensor.set_data_from_numpy(numpy.array([digit(k) for k in range(3)], object))
        answer = self.triton.infer("named", [tensor])
        classes, scores = answer.as_numpy("classes"), answer.as_numpy("scores")
        self.assertEqual((classes.shape, scores.shape), ((3, 3), (3, 3)))
        for k in range(3):
            self.assertEqual(classes[k][0].decode(), str(fixtures.top(self.scores(k))))
            self.assertAlmostEqual(float(scores[k][0]), max(self.scores(k)), places=6)
        pinned = answer.get_response().parameters["pinned_versions"].string_param
        self.assertEqual(pinned, "digits@2")
        output = tritonclient.grpc.InferRequestedOutput("probabilities", class_count=2)
        classified = self.triton.infer("photo", [tensor], outputs=[output]).as_numpy("probabilities")
        self.assertEqual(classified.shape, (3, 2))
        pixels = numpy.array(fixtures.test_split()[0][0]).astype(numpy.int16) + 128
        raw = tritonclient.grpc.InferInput("image", [1, 8, 8, 1], "UINT8")
        raw.set_data_from_numpy(pixels.astype(numpy.uint8).reshape(1, 8, 8, 1))
        codes = self.triton.infer("pixels", [raw]).as_numpy("probabilities")[0]
        self.assertEqual([(int(code) + 128) / 256 for code in codes], self.scores(0))

    def test_tensorflow_grpc(self):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "named"
        proto = tensor_pb2.TensorProto(dtype=tensor_pb2.DT_STRING, string_val=[digit(0), digit(1)])
        proto.tensor_shape.dim.add(size=2)
        request.inputs["image"].CopyFrom(proto)
        answer = self.tensorflow.Predict(request)
        self.assertEqual(answer.outputs["classes"].dtype, tensor_pb2.DT_STRING)
        self.assertEqual(len(answer.outputs["classes"].string_val), 6)
        self.assertEqual(
            answer.outputs["classes"].string_val[0].decode(), str(fixtures.top(self.scores(0))))
        classify = classification_pb2.ClassificationRequest()
        classify.model_spec.name = "named"
        example = classify.input.example_list.examples.add()
        example.features.feature["image"].bytes_list.value.append(digit(1))
        (found,) = self.tensorflow.Classify(classify).result.classifications
        self.assertEqual(found.classes[0].label, str(fixtures.top(self.scores(1))))
        self.assertAlmostEqual(found.classes[0].score, max(self.scores(1)), places=6)
        # One string that would stand for two is refused: it would take room that nobody sent.
        del request.inputs["image"].string_val[1]
        with self.assertRaises(grpc.RpcError) as caught:
            self.tensorflow.Predict(request)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    # What is refused.

    def test_refusals(self):
        good = digit(0)
        for file, words in (
            (b"no picture", "neither a JPEG nor a PNG"),
            (good[:-30], "PNG file cannot be decoded"),
            (png(numpy.zeros((65, 64), numpy.uint8)), "64 × 65 pixels; at most 4096 pixels"),
        ):
            reply, content = self.ask("POST", "/v1/models/named:predict", {"instances": [self.b64(good), self.b64(file)]})
            self.assertEqual(reply.status, 400)
            self.assertIn("element 1", json.loads(content)["error"])
            self.assertIn(words, json.loads(content)["error"])
        reply, _ = self.ask("POST", "/v1/models/named:predict", {"instances": [{"b64": "?"}]})
        self.assertEqual(reply.status, 400)
        reply, _ = self.ask("POST", "/v1/models/named/versions/2:predict", {"instances": [self.b64(good)]})
        self.assertEqual(reply.status, 404)

    def test_status_and_metrics(self):
        self.predict("named", {"instances": [self.b64(digit(0))]})
        _, content = self.ask("GET", "/status", admin=True)
        status = json.loads(content)
        self.assertEqual(status["health"], "ok", status["problems"])
        named = next(model for model in status["models"] if model["name"] == "named")
        self.assertEqual(named["pipeline"]["steps"], ["image", "model digits", "top 3"])
        (version,) = named["versions"]
        self.assertEqual(version["state"], "serving")
        self.assertGreater(version["requests"], 0)
        self.assertGreater(version["memory"]["arena_bytes"], 4096 * 9)
        _, content = self.ask("GET", "/metrics", admin=True)
        self.assertIn('edgeserve_requests_total{model="named",version="1",outcome="ok"}', content.decode())

    # What several models answer.

    def test_cascade(self):
        asked = 0
        for start in range(0, 60, 20):
            rows = range(start, start + 20)
            answer, reply = self.predict("cascade", {"instances": [self.b64(digit(k)) for k in rows]})
            for k, row in zip(rows, answer["predictions"], strict=True):
                weak = self.scores(k, "weak")
                goes = fixtures.top(weak) != 0 and max(weak) < 0.9
                asked += goes
                expected = self.scores(k) if goes else weak
                self.assertEqual(row["model"], "digits" if goes else "weak")
                self.assertEqual(row["scores"], sorted(expected, reverse=True)[:2])
        self.assertGreater(asked, 0)

    @unittest.skipIf(not os.path.exists(MOBILENET), "no shared models")
    def test_network(self):
        y, x = numpy.mgrid[0:150, 0:200]
        pixels = numpy.stack([x + 30, 220 - y, (x * y) % 251], -1).astype(numpy.uint8)
        answer, _ = self.predict("objects", {"instances": [self.b64(png(pixels))]})
        (row,) = answer["predictions"]
        real = (resized(pixels, 128, 128) - 127.5) / 127.5
        codes = numpy.clip(numpy.round(real / 0.0078125) + 128, 0, 255).astype(int)
        direct, _ = self.predict("mobilenet", {"instances": [codes.tolist()]})
        scores = numpy.array(direct["predictions"][0]).ravel() / 256
        with zipfile.ZipFile(MOBILENET) as archive:
            labels = archive.read("imagenet_labels.txt").decode().splitlines()
        self.assertEqual(row["classes"][0], labels[int(scores.argmax())])
        self.assertEqual(len(row["classes"]), 5)
        # A code on the edge between two may be the other.
        self.assertAlmostEqual(row["scores"][0], float(scores.max()), delta=3 / 256)

    @unittest.skipIf(not os.path.exists(KEYWORDS), "no shared models")
    def test_sound(self):
        random = numpy.random.default_rng(7)
        time_axis = numpy.arange(16000) / 16000
        sound = 0.4 * numpy.sin(2 * numpy.pi * (300 + 900 * time_axis) * time_axis) + 0.05 * random.standard_normal(16000)
        sound = sound.astype(numpy.float32)
        tensor = tritonclient.grpc.InferInput("audio", [1, 16000], "FP32")
        tensor.set_data_from_numpy(sound.reshape(1, -1))
        answer = self.triton.infer("spoken", [tensor])
        metadata = self.triton.get_model_metadata("keywords")
        features = mfcc(sound.astype(float))
        (given,) = metadata.inputs
        scale, zero = KEYWORD_CODES
        codes = numpy.clip(numpy.round(features / scale) + zero, -128, 127).astype(numpy.int8)
        direct = tritonclient.grpc.InferInput(given.name, [1, 49, 10, 1], "INT8")
        direct.set_data_from_numpy(codes.reshape(1, 49, 10, 1))
        (output,) = metadata.outputs
        expected = (self.triton.infer("keywords", [direct]).as_numpy(output.name)[0].astype(float) + 128) / 256
        order = [int(name) for name in answer.as_numpy("classes")[0]]
        self.assertEqual(sorted(order), list(range(12)))
        for place, name in enumerate(order):
            self.assertAlmostEqual(float(answer.as_numpy("scores")[0][place]), expected[name], delta=4 / 256)

    # Swaps below a pipeline.

    def test_swaps_under_load(self):
        """Every request is answered whole by the version that it says."""
        files = [digit(k) for k in range(6)]
        body = json.dumps({"instances": [self.b64(file) for file in files]})
        expected = {}
        for k in range(1, 6):
            answer, _ = self.predict(f"v{k}", {"instances": [
                fixtures.picture(fixtures.test_split()[0][n]) for n in range(6)]})
            expected[k] = answer["predictions"]
        done = threading.Event()

        def load():
            connection = agent.UnixConnection(self.agent.socket)
            counts = {"answered": 0, "failed": 0, "mixed": 0, "versions": set()}
            while not done.is_set():
                connection.request("POST", "/v1/models/moving_photo:predict", body)
                reply = connection.getresponse()
                content = reply.read()
                if reply.status != 200:
                    counts["failed"] += 1
                    continue
                version = int(reply.headers["X-Pinned-Versions"].removeprefix("moving@"))
                which = (version - 1) % 5 + 1
                counts["answered"] += 1
                counts["versions"].add(version)
                counts["mixed"] += json.loads(content)["predictions"] != expected[which]
            connection.close()
            return counts

        directory = os.path.join(self.agent.directory, "moving")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            loads = [pool.submit(load) for _ in range(4)]
            try:
                for version in range(2, 2 + SWAPS):
                    self.bring(directory, version)
            finally:
                done.set()
            results = [one.result() for one in loads]
        self.assertEqual(sum(r["failed"] for r in results), 0)
        self.assertEqual(sum(r["mixed"] for r in results), 0)
        self.assertGreater(len(set().union(*(r["versions"] for r in results))), SWAPS // 2)

    def bring(self, directory, version):
        """Puts a version in place by rename, and waits until a request is answered by it."""
        source = os.path.join(fixtures.FIXTURES, "digits", f"v{(version - 1) % 5 + 1}", "model.tflite")
        staged = os.path.join(self.agent.directory, f"staged-{version}")
        os.mkdir(staged)
        shutil.copy(source, staged)
        os.rename(staged, os.path.join(directory, str(version)))
        self.wait_for(f"moving@{version}")

    def wait_for(self, pinned, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _, reply = self.predict("moving_photo", {"instances": [self.b64(digit(0))]})
            if reply.headers["X-Pinned-Versions"] == pinned:
                return
        raise AssertionError(f"{pinned} did not come")
