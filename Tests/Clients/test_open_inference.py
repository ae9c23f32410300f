"""Open Inference Protocol V2 with httpx over the Unix socket."""

import unittest

import httpx

import agent
import fixtures


class OpenInferenceTest(agent.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        transport = httpx.HTTPTransport(uds=cls.agent.socket)
        cls.client = httpx.Client(transport=transport, base_url="http://edgeserve")

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    def infer(self, pixels, path="/v2/models/digits/infer", **more):
        tensor = {"name": "image", "datatype": "INT8", "shape": [len(pixels) // 64, 8, 8, 1]}
        reply = self.client.post(path, json={"inputs": [{**tensor, "data": pixels}], **more})
        self.assertEqual(reply.status_code, 200, reply.text)
        return reply.json()

    def rows(self, reply):
        (output,) = reply["outputs"]
        self.assertEqual((output["name"], output["datatype"]), ("probabilities", "INT8"))
        count, width = output["shape"]
        self.assertEqual((width, len(output["data"])), (10, 10 * count))
        return [output["data"][10 * k : 10 * k + 10] for k in range(count)]

    def test_health(self):
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready"):
            self.assertEqual(self.client.get(path).status_code, 200, path)

    def test_server_metadata(self):
        metadata = self.client.get("/v2").json()
        self.assertEqual(metadata["name"], "edgeserve")
        self.assertIsInstance(metadata["extensions"], list)

    def test_model_metadata(self):
        metadata = self.client.get("/v2/models/digits").json()
        self.assertEqual(metadata["name"], "digits")
        self.assertIn("2", metadata["versions"])
        image = {"name": "image", "datatype": "INT8", "shape": [-1, 8, 8, 1]}
        self.assertEqual(metadata["inputs"], [image])
        scores = {"name": "probabilities", "datatype": "INT8", "shape": [-1, 10]}
        self.assertEqual(metadata["outputs"], [scores])

    def test_golden_vectors_one_by_one(self):
        replies = [self.infer(pixels, id=str(k)) for k, (pixels, _) in enumerate(fixtures.golden(2))]
        self.assertEqual([reply["id"] for reply in replies], [str(k) for k in range(len(replies))])
        self.assertEqual({reply["model_version"] for reply in replies}, {"2"})
        self.assert_golden(2, [self.rows(reply)[0] for reply in replies])

    def test_golden_vectors_in_one_batch(self):
        pixels = [pixel for pixels, _ in fixtures.golden(2) for pixel in pixels]
        self.assert_golden(2, self.rows(self.infer(pixels)))

    def test_accuracy_of_both_versions(self):
        pictures, _ = fixtures.test_split()
        for version, model in ((1, "digits_v1"), (2, "digits")):
            path = f"/v2/models/{model}/infer"
            self.assert_accuracy(version, [self.rows(self.infer(p, path))[0] for p in pictures])

    def test_errors(self):
        wrong = {"name": "image", "datatype": "FP32", "shape": [1, 8, 8, 1], "data": [0] * 64}
        for path, body, status in (
            ("/v2/models/nope/infer", {"inputs": []}, 404),
            ("/v2/models/digits/versions/9/infer", {"inputs": []}, 404),
            ("/v2/models/digits/infer", {"inputs": [wrong]}, 400),
            ("/v2/models/digits/infer", {"inputs": []}, 400),
        ):
            reply = self.client.post(path, json=body)
            self.assertEqual(reply.status_code, status, reply.text)
            self.assertIsInstance(reply.json()["error"], str)

    def test_bound_of_the_model(self):
        """A body is bounded by the model that its path names, whichever way it names it."""
        for model in ("models/digits", "models/digits/versions/2"):
            reply = self.client.post(f"/v2/{model}/infer", content=bytes(4 << 20))
            self.assertEqual(reply.status_code, 413, reply.text)
            self.assertIn("the most for the model digits", reply.json()["error"])
        reply = self.client.post("/v2/models/nope/infer", content=bytes(4 << 20))
        self.assertEqual(reply.status_code, 413, reply.text)
        self.assertIn("nobody knows: nope", reply.json()["error"])


if __name__ == "__main__":
    unittest.main()
