"""TensorFlow Serving's gRPC with the modules of `tensorflow-serving-api` over the Unix socket."""

import unittest

import grpc
import numpy

import agent
import fixtures
import tensorflow_messages  # noqa: F401  Must come before the modules that refer to TensorFlow.
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)


def tensor(values, kind, extents, **more):
    proto = tensor_pb2.TensorProto(dtype=tensor_pb2.DataType.Value(kind), **more)
    for extent in extents:
        proto.tensor_shape.dim.add(size=extent)
    if values is not None:
        proto.tensor_content = numpy.asarray(values).tobytes()
    return proto


class TensorFlowServingTest(agent.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = grpc.insecure_channel("unix:" + cls.agent.grpc_socket)
        cls.stub = prediction_service_pb2_grpc.PredictionServiceStub(cls.channel)
        cls.model_service = model_service_pb2_grpc.ModelServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        super().tearDownClass()

    def predict(self, model, inputs, version=None, label=None, signature="", outputs=()):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        if label is not None:
            request.model_spec.version_label = label
        for name, proto in inputs.items():
            request.inputs[name].CopyFrom(proto)
        return self.stub.Predict(request)

    def digits(self, pixels, model="digits", **more):
        rows = numpy.array(pixels, numpy.int8)
        return self.predict(model, {"image": tensor(rows, "DT_INT8", [len(pixels) // 64, 8, 8, 1])}, **more)

    def rows(self, reply):
        output = reply.outputs["probabilities"]
        count, width = (dim.size for dim in output.tensor_shape.dim)
        values = list(output.int_val)
        self.assertEqual(len(values), count * width)
        return [values[width * k : width * (k + 1)] for k in range(count)]

    def assert_refused(self, code, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual(caught.exception.code(), code)
        return caught.exception.details()

    def test_golden_vectors(self):
        replies = [self.digits(pixels, version=2) for pixels, _ in fixtures.golden(2)]
        self.assertEqual({reply.model_spec.version.value for reply in replies}, {2})
        self.assertEqual({reply.model_spec.signature_name for reply in replies}, {"serving_default"})
        self.assert_golden(2, [self.rows(reply)[0] for reply in replies])
        batch = self.digits([pixel for pixels, _ in fixtures.golden(1) for pixel in pixels], "digits_v1")
        self.assert_golden(1, self.rows(batch))

    def test_accuracy(self):
        pictures, _ = fixtures.test_split()
        self.assert_accuracy(2, [self.rows(self.digits(p))[0] for p in pictures])

    def test_values(self):
        for inputs in (
            tensor(numpy.array([1, 2], numpy.float32), "DT_FLOAT", [2]),
            tensor(None, "DT_FLOAT", [2], float_val=[1, 2]),
        ):
            reply = self.predict("half_plus_two", {"x": inputs}, outputs=["y"])
            self.assertEqual(list(reply.outputs["y"].float_val), [2.5, 3])
        one = tensor(None, "DT_FLOAT", [3], float_val=[4])
        self.assertEqual(list(self.predict("half_plus_two", {"x": one}).outputs["y"].float_val), [4, 4, 4])
        pixels, _ = fixtures.golden(2)[0]
        listed = tensor(None, "DT_INT8", [1, 8, 8, 1], int_val=pixels)
        self.assertEqual(
            self.rows(self.predict("digits", {"image": listed})), self.rows(self.digits(pixels)))

    def test_errors(self):
        pixels, _ = fixtures.golden(2)[0]
        refused = self.assert_refused
        code = grpc.StatusCode
        self.assertEqual(
            refused(code.NOT_FOUND, lambda: self.digits(pixels, "nope")),
            "Servable not found for request: Latest(nope)")
        self.assertEqual(
            refused(code.NOT_FOUND, lambda: self.digits(pixels, version=9)),
            "Servable not found for request: Specific(digits, 9)")
        refused(code.INVALID_ARGUMENT, lambda: self.digits(pixels, label="nope"))
        self.assertEqual(
            refused(code.FAILED_PRECONDITION, lambda: self.digits(pixels, signature="x")),
            'Serving signature key "x" not found.')
        self.assertIn(
            "input size does not match signature",
            refused(code.INVALID_ARGUMENT, lambda: self.predict("digits", {})))
        text = tensor(None, "DT_STRING", [1], string_val=[b"text"])
        self.assertIn("string", refused(code.INVALID_ARGUMENT, lambda: self.predict("half_plus_two", {"x": text})))
        request = regression_pb2.RegressionRequest()
        request.model_spec.name = "digits"
        self.assertIn("Expected regress", refused(code.INVALID_ARGUMENT, lambda: self.stub.Regress(request)))

    def test_regression(self):
        request = regression_pb2.RegressionRequest()
        request.model_spec.name = "half_plus_two"
        for value in (1, 2):
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.append(value)
        self.assertEqual([r.value for r in self.stub.Regress(request).result.regressions], [2.5, 3])
        tasks = inference_pb2.MultiInferenceRequest(input=request.input)
        tasks.tasks.add(model_spec=request.model_spec, method_name="tensorflow/serving/regress")
        (result,) = self.stub.MultiInference(tasks).results
        self.assertEqual([r.value for r in result.regression_result.regressions], [2.5, 3])

    def test_classification(self):
        request = classification_pb2.ClassificationRequest()
        request.model_spec.name = "digits"
        pixels, expected = fixtures.golden(2)[0]
        example = request.input.example_list.examples.add()
        example.features.feature["image"].int64_list.value.extend(pixels)
        reply = self.stub.Classify(request)
        (row,) = reply.result.classifications
        self.assertEqual([entry.label for entry in row.classes], [str(k) for k in range(10)])
        self.assertEqual(fixtures.top([entry.score for entry in row.classes]), fixtures.top(expected))
        self.assertEqual(reply.model_spec.version.value, 2)

    def test_metadata(self):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = "digits"
        reply = self.stub.GetModelMetadata(request)
        self.assertEqual(reply.model_spec.version.value, 2)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        self.assertTrue(reply.metadata["signature_def"].Unpack(signatures))
        image = signatures.signature_def["serving_default"].inputs["image"]
        self.assertEqual(image.dtype, tensor_pb2.DataType.Value("DT_INT8"))
        self.assertEqual([dim.size for dim in image.tensor_shape.dim], [-1, 8, 8, 1])

    def test_status(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "digits"
        states = {s.version: s.state for s in self.model_service.GetModelStatus(request).model_version_status}
        self.assertEqual(states[2], get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        request.model_spec.name = "nope"
        self.assert_refused(grpc.StatusCode.NOT_FOUND, lambda: self.model_service.GetModelStatus(request))

    def test_empty_reload(self):
        request = model_management_pb2.ReloadConfigRequest()
        self.assert_refused(
            grpc.StatusCode.INVALID_ARGUMENT, lambda: self.model_service.HandleReloadConfigRequest(request))


if __name__ == "__main__":
    unittest.main()
