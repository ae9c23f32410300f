"""curl --unix-socket, as the README shows it; and the standard library's client on one connection."""

import json
import subprocess
import unittest

import agent
import fixtures


class CurlTest(agent.ClientTest):
    def curl(self, *arguments):
        """The status and the decoded body."""
        command = ["curl", "--silent", "--show-error", "--unix-socket", self.agent.socket]
        command += ["--write-out", "\n%{http_code}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body) if body else None

    def test_predict(self):
        pixels, _ = fixtures.golden(2)[0]
        body = json.dumps({"instances": [fixtures.picture(pixels)]})
        status, reply = self.curl("--data", body, "http://edgeserve/v1/models/digits:predict")
        self.assertEqual(status, 200)
        expected = fixtures.golden(2)[0][1]
        self.assertEqual(fixtures.top(reply["predictions"][0]), fixtures.top(expected))

    def test_infer(self):
        body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [3], "data": [1, 2, 5]}]}
        url = "http://edgeserve/v2/models/half_plus_two/infer"
        status, reply = self.curl("--data", json.dumps(body), url)
        self.assertEqual((status, reply["outputs"][0]["data"]), (200, [2.5, 3, 4.5]))

    def test_large_body_in_chunks(self):
        pictures = [fixtures.picture(pixels) for pixels, _ in fixtures.golden(2)]
        body = json.dumps({"instances": pictures}, indent=1)
        status, reply = self.curl(
            "--header", "Transfer-Encoding: chunked", "--data", body,
            "http://edgeserve/v1/models/digits:predict",
        )
        self.assertEqual(status, 200)
        self.assert_golden(2, reply["predictions"])

    def test_unknown_path(self):
        status, reply = self.curl("http://edgeserve/nowhere")
        self.assertEqual(status, 404)

    def test_one_connection_of_the_standard_library(self):
        connection = agent.UnixConnection(self.agent.socket)
        connection.connect()
        socket = connection.sock
        for value in range(200):
            body = json.dumps({"instances": [value]})
            connection.request("POST", "/v1/models/half_plus_two:predict", body)
            reply = json.loads(connection.getresponse().read())
            self.assertEqual(reply, {"predictions": [value / 2 + 2]})
        self.assertIs(connection.sock, socket, "the connection was kept")
        connection.close()


if __name__ == "__main__":
    unittest.main()
