"""TensorFlow Serving's v1 JSON with requests over the Unix socket."""

import gzip
import json
import unittest
import urllib.parse

import requests_unixsocket

import agent
import fixtures


class TensorFlowServingTest(agent.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = "http+unix://" + urllib.parse.quote(cls.agent.socket, safe="")
        cls.session = requests_unixsocket.Session()

    @classmethod
    def tearDownClass(cls):
        cls.session.close()
        super().tearDownClass()

    def post(self, path, body):
        reply = self.session.post(self.base + path, json=body)
        self.assertEqual(reply.status_code, 200, reply.text)
        return reply.json()

    def test_row_form(self):
        instances = [fixtures.picture(pixels) for pixels, _ in fixtures.golden(2)]
        reply = self.post("/v1/models/digits:predict", {"instances": instances})
        self.assert_golden(2, reply["predictions"])

    def test_compressed_body(self):
        instances = [fixtures.picture(pixels) for pixels, _ in fixtures.golden(2)]
        reply = self.session.post(
            self.base + "/v1/models/digits:predict", headers={"Content-Encoding": "gzip"},
            data=gzip.compress(json.dumps({"instances": instances}).encode()))
        self.assertEqual(reply.status_code, 200, reply.text)
        self.assert_golden(2, reply.json()["predictions"])
        reply = self.session.post(
            self.base + "/v1/models/digits:predict", headers={"Content-Encoding": "gzip"},
            data=gzip.compress(bytes(64 << 20)))
        self.assertEqual(reply.status_code, 413, reply.text)
        self.assertIn("the most for the model digits", reply.text)

    def test_bound_of_the_model(self):
        for way in ("digits", "digits/versions/2", "digits/labels/stable"):
            reply = self.session.post(f"{self.base}/v1/models/{way}:predict", data=bytes(4 << 20))
            self.assertEqual(reply.status_code, 413, reply.text)
            self.assertIn("the most for the model digits", reply.text)

    def test_row_form_with_names(self):
        instances = [{"image": fixtures.picture(pixels)} for pixels, _ in fixtures.golden(2)]
        body = {"signature_name": "serving_default", "instances": instances}
        self.assert_golden(2, self.post("/v1/models/digits:predict", body)["predictions"])

    def test_column_form(self):
        pictures = [fixtures.picture(pixels) for pixels, _ in fixtures.golden(2)]
        for inputs in (pictures, {"image": pictures}):
            reply = self.post("/v1/models/digits/versions/2:predict", {"inputs": inputs})
            self.assert_golden(2, reply["outputs"])

    def test_another_model(self):
        instances = [fixtures.picture(pixels) for pixels, _ in fixtures.golden(1)]
        reply = self.post("/v1/models/digits_v1:predict", {"instances": instances})
        self.assert_golden(1, reply["predictions"])

    def test_floats(self):
        reply = self.post("/v1/models/half_plus_two:predict", {"instances": [1.0, 2.0, 5.0]})
        self.assertEqual(reply, {"predictions": [2.5, 3.0, 4.5]})

    def test_accuracy(self):
        pictures, _ = fixtures.test_split()
        answers = []
        for start in range(0, len(pictures), 20):
            instances = [fixtures.picture(pixels) for pixels in pictures[start : start + 20]]
            reply = self.post("/v1/models/digits:predict", {"instances": instances})
            answers += reply["predictions"]
        self.assert_accuracy(2, answers)

    def test_status(self):
        reply = self.session.get(self.base + "/v1/models/digits").json()
        available = [v for v in reply["model_version_status"] if v["state"] == "AVAILABLE"]
        expected = {"version": "2", "state": "AVAILABLE"}
        expected["status"] = {"error_code": "OK", "error_message": ""}
        self.assertIn(expected, available)

    def test_metadata(self):
        reply = self.session.get(self.base + "/v1/models/digits/metadata").json()
        self.assertEqual(reply["model_spec"]["name"], "digits")
        signature = reply["metadata"]["signature_def"]["signature_def"]["serving_default"]
        shape = signature["inputs"]["image"]["tensor_shape"]["dim"]
        self.assertEqual([extent["size"] for extent in shape], ["-1", "8", "8", "1"])

    def test_errors(self):
        for path, body, status, message in (
            ("nope:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(nope)"),
            ("digits/versions/9:predict", {"instances": [1]}, 404,
             "Servable not found for request: Specific(digits, 9)"),
            ("digits:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        ):
            reply = self.session.post(f"{self.base}/v1/models/{path}", json=body)
            self.assertEqual(reply.status_code, status, reply.text)
            self.assertIn(message, reply.json()["error"])


if __name__ == "__main__":
    unittest.main()
