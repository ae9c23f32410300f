"""Versions that serve side by side, by number and label, on every protocol, and a whole configuration over gRPC."""

import contextlib
import json
import os
import signal
import subprocess
import time
import unittest

import grpc
import numpy
import tritonclient.grpc as triton

import agent
import fixtures
import tensorflow_messages  # noqa: F401  Must come before the modules that refer to TensorFlow.
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

CONFIG = """
model_config_list {
  config {
    name: "digits" base_path: "%s" model_platform: "tensorflow"
    model_version_policy { all {} }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: %d }
  }
}
"""


class LiveVersionsTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        LiveVersionsTest.base = agent.install_digits(directory)
        LiveVersionsTest.file = os.path.join(directory, "models.config")
        LiveVersionsTest.write(2)
        return ["--model_config_file", LiveVersionsTest.file]

    @classmethod
    def write(cls, canary):
        with open(cls.file, "w") as file:
            file.write(CONFIG % (cls.base, canary))

    def setUp(self):
        self.channel = grpc.insecure_channel("unix:" + self.agent.grpc_socket)
        self.addCleanup(self.channel.close)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.service = model_service_pb2_grpc.ModelServiceStub(self.channel)
        # Whatever the test before has changed.
        self.write(2)
        self.read_again()
        end = time.monotonic() + 20
        while self.policy() != {"all": {}} and time.monotonic() < end:
            time.sleep(0.05)
        self.wait_for({1, 2})

    def read_again(self):
        self.agent.process.send_signal(signal.SIGHUP)

    def policy(self):
        return self.ask("GET", "/v2/models/digits/config")[2].get("version_policy")

    def serving(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "digits"
        statuses = self.service.GetModelStatus(request).model_version_status
        return {status.version for status in statuses if status.state == 30}

    def wait_for(self, versions):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(grpc.RpcError):
                if self.serving() == versions:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.serving()} serve, not {versions}")

    def ask(self, method, path, body=None):
        with contextlib.closing(agent.UnixConnection(self.agent.socket)) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            reply = connection.getresponse()
            return reply.status, dict(reply.headers), json.loads(reply.read())

    def predict(self, **spec):
        pixels, _ = fixtures.golden(1)[0]
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "digits"
        if "label" in spec:
            request.model_spec.version_label = spec["label"]
        if "version" in spec:
            request.model_spec.version.value = spec["version"]
        image = request.inputs["image"]
        image.dtype = tensor_pb2.DataType.Value("DT_INT8")
        for extent in (1, 8, 8, 1):
            image.tensor_shape.dim.add(size=extent)
        image.tensor_content = numpy.array(pixels, numpy.int8).tobytes()
        return self.prediction.Predict(request).model_spec.version.value

    def test_rest(self):
        body = {"instances": [fixtures.picture(fixtures.golden(1)[0][0])]}
        for place, version in (("", "2"), ("/versions/1", "1"), ("/labels/stable", "1"), ("/labels/canary", "2")):
            status, headers, _ = self.ask("POST", f"/v1/models/digits{place}:predict", body)
            self.assertEqual((status, headers["X-Model-Version"]), (200, version))
        status, _, reply = self.ask("GET", "/v1/models/digits")
        states = {entry["version"]: entry["state"] for entry in reply["model_version_status"]}
        self.assertEqual(states, {"1": "AVAILABLE", "2": "AVAILABLE"})
        status, _, reply = self.ask("POST", "/v1/models/digits/labels/none:predict", body)
        self.assertEqual((status, reply["error"]), (400, "Unrecognized servable version label: none"))

    def test_open_inference(self):
        self.assertEqual(self.ask("GET", "/v2/models/digits")[2]["versions"], ["1", "2"])
        self.assertEqual(self.policy(), {"all": {}})
        pixels, _ = fixtures.golden(1)[0]
        data = {"name": "image", "datatype": "INT8", "shape": [1, 8, 8, 1], "data": pixels}
        for place, version in (("/versions/1", "1"), ("/versions/stable", "1"), ("/versions/canary", "2"), ("", "2")):
            status, _, reply = self.ask("POST", f"/v2/models/digits{place}/infer", {"inputs": [data]})
            self.assertEqual((status, reply["model_version"]), (200, version))

    def test_triton(self):
        with triton.InferenceServerClient("unix:" + self.agent.grpc_socket) as client:
            image = triton.InferInput("image", [1, 8, 8, 1], "INT8")
            image.set_data_from_numpy(numpy.array(fixtures.golden(1)[0][0], numpy.int8).reshape(1, 8, 8, 1))
            for version, answers in (("1", "1"), ("canary", "2"), ("", "2")):
                reply = client.infer("digits", [image], model_version=version)
                self.assertEqual(reply.get_response().model_version, answers)
            config = client.get_model_config("digits", as_json=True)["config"]
            self.assertIn("all", config["version_policy"])
            ready = {entry.version for entry in client.get_model_repository_index().models if entry.state == "READY"}
            self.assertEqual(ready, {"1", "2"})

    def test_grpc(self):
        answers = [self.predict(), self.predict(version=1), self.predict(label="stable"), self.predict(label="canary")]
        self.assertEqual(answers, [2, 1, 1, 2])

    def reload(self, *models):
        request = model_management_pb2.ReloadConfigRequest()
        for path, policy, labels in models:
            config = request.config.model_config_list.config.add(name="digits", base_path=path)
            config.model_platform = "tensorflow"
            if policy:
                config.model_version_policy.specific.versions.extend(policy)
            for label, version in labels.items():
                config.version_labels[label] = version
        return self.service.HandleReloadConfigRequest(request)

    def test_reload_is_all_or_nothing(self):
        def refused(code, *models):
            with self.assertRaises(grpc.RpcError) as caught:
                self.reload(*models)
            self.assertEqual(caught.exception.code(), code, caught.exception.details())
            self.assertEqual(self.serving(), {1, 2})
            self.assertEqual(self.predict(label="stable"), 1)

        code = grpc.StatusCode
        refused(code.NOT_FOUND, ("/nowhere", None, {}))
        refused(code.NOT_FOUND, (self.base, [1, 9], {}))
        refused(code.FAILED_PRECONDITION, (self.base, None, {"stable": 1}))
        # The policy and a label change with one call, and are in force when it returns.
        self.assertEqual(self.reload((self.base, [2], {"stable": 2})).status.error_code, 0)
        self.assertEqual(self.predict(label="stable"), 2)
        self.wait_for({2})
        self.reload((self.base, [1, 2], {"stable": 1, "canary": 2}))
        self.assertEqual([self.predict(label="stable"), self.predict(label="canary")], [1, 2])
        self.assertEqual(self.serving(), {1, 2})

    def test_file_is_read_again(self):
        self.write(1)
        self.read_again()
        end = time.monotonic() + 20
        while self.predict(label="canary") != 1 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.predict(label="canary"), 1)
        with open(self.file, "w") as file:
            file.write("model_config_list { config { nam: 'x' } }")
        self.read_again()
        time.sleep(0.5)
        self.assertEqual(self.serving(), {1, 2})
        with open(os.path.join(self.agent.directory, "log")) as log:
            self.assertIn("ModelConfig has no field 'nam'", log.read())

    def test_by_hand(self):
        def model(*words):
            return subprocess.run(
                [agent.BINARY, "model", *words, "--admin-socket", self.agent.admin_socket],
                capture_output=True, text=True)

        self.assertEqual(model("rollback", "digits").returncode, 0)
        self.wait_for({1})
        self.assertEqual(model("pin", "digits", "9").returncode, 2)
        self.assertEqual(model("unload", "digits").returncode, 0)
        self.wait_for(set())
        self.assertEqual(self.ask("GET", "/v2/health/ready")[0], 200)
        self.assertEqual(model("unpin", "digits").returncode, 0)
        self.assertEqual(model("load", "digits").returncode, 0)
        self.wait_for({1, 2})
        self.assertEqual(model("load", "none").returncode, 2)


class PolledConfigurationTest(agent.ClientTest):
    """A file of models that is looked at every second."""

    @staticmethod
    def models(directory):
        agent.install_digits(directory)
        path = os.path.join(directory, "models.config")
        PolledConfigurationTest.write(path, CONFIG % (os.path.join(directory, "digits"), 2))
        return ["--model_config_file", path, "--model_config_file_poll_wait_seconds", "1"]

    @staticmethod
    def write(path, text):
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def labels(self):
        with contextlib.closing(agent.UnixConnection(self.agent.admin_socket)) as connection:
            connection.request("GET", "/status")
            (model,) = json.load(connection.getresponse())["models"]
            return {label: version["version"] for version in model["versions"] for label in version["labels"]}

    def logged(self, words):
        with open(os.path.join(self.agent.directory, "log")) as file:
            return words in file.read()

    @staticmethod
    def until(condition):
        end = time.monotonic() + 60
        while not condition() and time.monotonic() < end:
            time.sleep(0.05)
        return condition()

    def test_what_changes_is_put_into_force(self):
        path = os.path.join(self.agent.directory, "models.config")
        self.assertTrue(self.until(lambda: self.labels() == {"stable": 1, "canary": 2}))
        self.write(path, (CONFIG % (os.path.join(self.agent.directory, "digits"), 2)).replace("canary", "next"))
        self.assertTrue(self.until(lambda: self.labels().get("next") == 2), self.labels())
        before = self.labels()
        # A file that cannot be read leaves what is in force.
        self.write(path, "model_config_list {")
        self.assertTrue(self.until(lambda: self.logged("configuration kept as it was")))
        self.assertEqual(self.labels(), before)


if __name__ == "__main__":
    unittest.main()
