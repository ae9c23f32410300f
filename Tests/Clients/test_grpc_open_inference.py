"""Open Inference Protocol V2 and health checks with Triton's client and grpcio over the Unix socket."""

import concurrent.futures
import json
import os
import unittest

import grpc
import numpy
import tritonclient.grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import agent
import fixtures
import wide_model


class OpenInferenceTest(agent.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = tritonclient.grpc.InferenceServerClient("unix:" + cls.agent.grpc_socket)
        cls.channel = grpc.insecure_channel("unix:" + cls.agent.grpc_socket)
        cls.stub = service_pb2_grpc.GRPCInferenceServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.channel.close()
        super().tearDownClass()

    def infer(self, pixels, model="digits", **more):
        tensor = tritonclient.grpc.InferInput("image", [len(pixels) // 64, 8, 8, 1], "INT8")
        tensor.set_data_from_numpy(numpy.array(pixels, numpy.int8).reshape(-1, 8, 8, 1))
        return self.client.infer(model, [tensor], **more)

    def assert_refused(self, code, call):
        with self.assertRaises((grpc.RpcError, InferenceServerException)) as caught:
            call()
        error = caught.exception
        actual = error.code() if isinstance(error, grpc.RpcError) else error.status()
        self.assertIn(code, str(actual))
        return error

    def test_health(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("digits"))
        self.assertTrue(self.client.is_model_ready("digits", "2"))
        self.assertFalse(self.client.is_model_ready("nope"))

    def test_metadata(self):
        self.assertEqual(self.client.get_server_metadata().name, "edgeserve")
        metadata = self.client.get_model_metadata("digits")
        self.assertIn("2", metadata.versions)
        (image,) = metadata.inputs
        self.assertEqual((image.name, image.datatype, list(image.shape)), ("image", "INT8", [-1, 8, 8, 1]))
        (output,) = self.client.get_model_config("digits").config.output
        self.assertEqual((output.name, list(output.dims)), ("probabilities", [-1, 10]))
        configuration = self.client.get_model_config("digits", as_json=True)["config"]
        self.assertEqual(configuration["output"][0]["data_type"], "TYPE_INT8")

    def test_golden_vectors(self):
        replies = [self.infer(pixels, request_id=str(k)) for k, (pixels, _) in enumerate(fixtures.golden(2))]
        self.assertEqual([reply.get_response().id for reply in replies], [str(k) for k in range(len(replies))])
        self.assertEqual({reply.get_response().model_version for reply in replies}, {"2"})
        self.assert_golden(2, [reply.as_numpy("probabilities")[0].tolist() for reply in replies])
        batch = self.infer([pixel for pixels, _ in fixtures.golden(2) for pixel in pixels])
        self.assert_golden(2, batch.as_numpy("probabilities").tolist())

    def test_accuracy(self):
        pictures, _ = fixtures.test_split()
        for version, model in ((1, "digits_v1"), (2, "digits")):
            answers = [self.infer(p, model).as_numpy("probabilities")[0].tolist() for p in pictures]
            self.assert_accuracy(version, answers)

    def test_typed_contents(self):
        pixels, _ = fixtures.golden(2)[0]
        tensor = service_pb2.ModelInferRequest.InferInputTensor(
            name="image", datatype="INT8", shape=[1, 8, 8, 1],
            contents=service_pb2.InferTensorContents(int_contents=pixels))
        reply = self.stub.ModelInfer(service_pb2.ModelInferRequest(model_name="digits", inputs=[tensor]))
        self.assertEqual(len(reply.raw_output_contents), 0)
        expected = self.infer(pixels).as_numpy("probabilities")[0].tolist()
        self.assertEqual(list(reply.outputs[0].contents.int_contents), expected)

    def test_classification(self):
        pixels, expected = fixtures.golden(2)[0]
        wanted = [tritonclient.grpc.InferRequestedOutput("probabilities", class_count=1)]
        (best,) = self.infer(pixels, outputs=wanted).as_numpy("probabilities")[0]
        self.assertEqual(int(best.decode().split(":")[1]), fixtures.top(expected))

    def test_large_tensor(self):
        rows = numpy.arange(250, dtype=numpy.float32)
        tensor = tritonclient.grpc.InferInput("x", [250], "FP32")
        tensor.set_data_from_numpy(rows)
        reply = self.client.infer("half_plus_two", [tensor])
        numpy.testing.assert_array_equal(reply.as_numpy("y"), rows / 2 + 2)
        # 60 KB on the wire, refused for what the model takes and not for its size.
        tensor = tritonclient.grpc.InferInput("x", [15_000], "FP32")
        tensor.set_data_from_numpy(numpy.zeros(15_000, numpy.float32))
        refused = self.assert_refused("INVALID_ARGUMENT", lambda: self.client.infer("half_plus_two", [tensor]))
        self.assertIn("unexpected shape", refused.message())

    def test_message_above_the_limit(self):
        request = service_pb2.ModelInferRequest(model_name="digits", raw_input_contents=[bytes(20 << 20)])
        refused = self.assert_refused("RESOURCE_EXHAUSTED", lambda: self.stub.ModelInfer(request))
        self.assertIn("larger than the maximum", refused.details())
        self.assertTrue(self.client.is_server_live())

    def test_errors(self):
        pixels, _ = fixtures.golden(2)[0]
        self.assert_refused("NOT_FOUND", lambda: self.infer(pixels, "nope"))
        self.assert_refused("NOT_FOUND", lambda: self.infer(pixels, model_version="9"))
        self.assert_refused("INVALID_ARGUMENT", lambda: self.infer(pixels, model_version="x"))
        self.assert_refused("INVALID_ARGUMENT", lambda: self.client.infer("digits", []))
        self.assert_refused("NOT_FOUND", lambda: self.client.get_inference_statistics("nope"))

    def test_compressed_requests(self):
        pixels, _ = fixtures.golden(2)[0]
        plain, compressed = self.infer(pixels), self.infer(pixels, compression_algorithm="gzip")
        self.assertEqual(plain.as_numpy("probabilities").tolist(), compressed.as_numpy("probabilities").tolist())
        refused = self.assert_refused(
            "UNIMPLEMENTED", lambda: self.infer(pixels, compression_algorithm="deflate"))
        self.assertIn("deflate", refused.message())

    def test_deadline(self):
        pixels, _ = fixtures.golden(2)[0]
        self.assertEqual(self.infer(pixels, client_timeout=10).get_response().model_version, "2")

    def test_statistics(self):
        def count():
            (stats,) = self.client.get_inference_statistics("digits", "2").model_stats
            return stats.inference_count

        before = count()
        self.infer(fixtures.golden(2)[0][0])
        self.assertEqual(count(), before + 1)

    def test_repository(self):
        index = {entry.name: entry.state for entry in self.client.get_model_repository_index().models}
        self.assertEqual(index["digits"], "READY")
        # The tests run as the user of the agent, who may administer it.
        self.client.unload_model("digits_v1")
        self.assertFalse(self.client.is_model_ready("digits_v1"))
        self.client.load_model("digits_v1")
        self.assertTrue(self.client.is_model_ready("digits_v1"))
        self.assert_refused("NOT_FOUND", lambda: self.client.load_model("nope"))

    def test_many_calls_at_once(self):
        vectors = fixtures.golden(2)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda k: self.infer(vectors[k % len(vectors)][0]), range(200)))
        alone = [self.infer(pixels).as_numpy("probabilities").tolist() for pixels, _ in vectors]
        for k, answer in enumerate(answers):
            self.assertEqual(answer.as_numpy("probabilities").tolist(), alone[k % len(vectors)])

    def test_keepalive_pings(self):
        options = [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_permit_without_calls", 1)]
        with grpc.insecure_channel("unix:" + self.agent.grpc_socket, options=options) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            self.assertTrue(stub.ServerLive(service_pb2.ServerLiveRequest()).live)

    def test_health_service(self):
        stub = health_pb2_grpc.HealthStub(self.channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        for service in ("", "PredictionService", "inference.GRPCInferenceService"):
            reply = stub.Check(health_pb2.HealthCheckRequest(service=service))
            self.assertEqual(reply.status, serving)
        self.assert_refused("NOT_FOUND", lambda: stub.Check(health_pb2.HealthCheckRequest(service="nope")))
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=20)
        self.assertEqual(next(watch).status, serving)
        watch.cancel()
        # The client's modules are older than this method.
        self.assertGreater(len(self.channel.unary_unary("/grpc.health.v1.Health/List")(b"")), 20)

    def test_unknown_service(self):
        call = self.channel.unary_unary("/nope.Nope/Nope")
        self.assert_refused("UNIMPLEMENTED", lambda: call(b""))


class LargeMessagesTest(agent.ClientTest):
    """Messages far beyond what is taken whatever is asked, for a model that takes them."""

    COUNT = 262_144

    @staticmethod
    def models(directory):
        path = os.path.join(directory, "mean.tflite")
        with open(path, "wb") as file:
            file.write(wide_model.mean(LargeMessagesTest.COUNT))
        return agent.Agent.usual_models(directory) + ["--model", f"mean={path}"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = tritonclient.grpc.InferenceServerClient("unix:" + cls.agent.grpc_socket)
        cls.channel = grpc.insecure_channel("unix:" + cls.agent.grpc_socket)
        cls.stub = service_pb2_grpc.GRPCInferenceServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.channel.close()
        super().tearDownClass()

    assert_refused = OpenInferenceTest.assert_refused

    def test_large_messages(self):
        for rows in (2, 4, 6):
            values = numpy.repeat(numpy.arange(rows, dtype=numpy.float32) + 0.5, self.COUNT).reshape(rows, self.COUNT)
            tensor = tritonclient.grpc.InferInput("x", list(values.shape), "FP32")
            tensor.set_data_from_numpy(values)
            for algorithm in (None, "gzip"):
                reply = self.client.infer("mean", [tensor], compression_algorithm=algorithm)
                numpy.testing.assert_allclose(reply.as_numpy("y"), numpy.arange(rows) + 0.5, rtol=1e-5)

    def test_typed_contents(self):
        tensor = service_pb2.ModelInferRequest.InferInputTensor(
            name="x", datatype="FP32", shape=[3, self.COUNT],
            contents=service_pb2.InferTensorContents(fp32_contents=[0.25] * (3 * self.COUNT)))
        reply = self.stub.ModelInfer(service_pb2.ModelInferRequest(model_name="mean", inputs=[tensor]))
        self.assertEqual(list(reply.outputs[0].contents.fp32_contents), [0.25] * 3)

    def test_the_bound(self):
        """A quarter of the budget; what is one byte larger is refused by its length alone."""
        maximum = 8 << 20

        def request(size):
            whole = service_pb2.ModelInferRequest(model_name="mean", raw_input_contents=[bytes(size)])
            overhead = whole.ByteSize() - size
            fitting = service_pb2.ModelInferRequest(model_name="mean", raw_input_contents=[bytes(size - overhead)])
            self.assertEqual(fitting.ByteSize(), size)
            return fitting

        refused = self.assert_refused("RESOURCE_EXHAUSTED", lambda: self.stub.ModelInfer(request(maximum + 1)))
        self.assertIn(f"{maximum + 1} bytes is larger than the maximum, {maximum}", refused.details())
        self.assert_refused("INVALID_ARGUMENT", lambda: self.stub.ModelInfer(request(maximum)))


class SettingsTest(agent.ClientTest):
    """Settings of the log and of traces, by the user that the agent runs as."""

    @staticmethod
    def models(directory):
        config = os.path.join(directory, "edgeserve.json")
        with open(config, "w") as file:
            json.dump({"request_log": {"directory": os.path.join(directory, "requests"), "percent": 100}}, file)
        return agent.Agent.usual_models(directory) + ["--config", config]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = tritonclient.grpc.InferenceServerClient("unix:" + cls.agent.grpc_socket)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    assert_refused = OpenInferenceTest.assert_refused

    def log(self):
        settings = self.client.get_log_settings(as_json=True)["settings"]
        return {name: next(iter(value.values())) for name, value in settings.items()}

    def trace(self, **more):
        settings = self.client.get_trace_settings(as_json=True, **more)["settings"]
        return {name: value["value"] for name, value in settings.items()}

    def test_log_settings(self):
        usual = self.log()
        self.assertEqual(
            usual,
            {"log_file": "", "log_info": True, "log_warning": True, "log_error": True, "log_verbose_level": 0}
            | {"log_format": "default"},
        )
        changed = self.client.update_log_settings({"log_verbose_level": 1, "log_error": None})
        self.assertEqual(changed.settings["log_verbose_level"].uint32_param, 1)
        self.assertEqual(self.log()["log_verbose_level"], 1)
        self.client.update_log_settings({"log_verbose_level": 0, "log_info": False})
        self.assertEqual(self.log() | {"log_info": True}, usual)
        for settings in [{"log_file": "/tmp/log"}, {"log_color": True}]:
            self.assert_refused("INVALID_ARGUMENT", lambda: self.client.update_log_settings(settings))
        self.client.update_log_settings({"log_info": True})
        self.assertEqual(self.log(), usual)

    def test_trace_settings(self):
        usual = self.trace()
        self.assertEqual((usual["trace_level"], usual["trace_rate"]), (["TIMESTAMPS"], ["1"]))
        self.client.update_trace_settings(settings={"trace_rate": "10", "trace_count": None})
        self.assertEqual(self.trace(model_name="digits")["trace_rate"], ["10"])
        self.client.update_trace_settings(settings={"trace_level": ["OFF"]})
        self.assertEqual(self.trace()["trace_level"], ["OFF"])
        for settings in [{"trace_level": "TENSORS"}, {"trace_rate": "0"}, {"trace_rate": "many"}, {"trace_file": "/a"}]:
            self.assert_refused("INVALID_ARGUMENT", lambda: self.client.update_trace_settings(settings=settings))
        self.assert_refused(
            "INVALID_ARGUMENT", lambda: self.client.update_trace_settings("digits", settings={"trace_rate": "5"})
        )
        self.client.update_trace_settings(settings={"trace_rate": "1", "trace_level": ["TIMESTAMPS"]})
        self.assertEqual(self.trace(), usual)


if __name__ == "__main__":
    unittest.main()
